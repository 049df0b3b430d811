"""What each part of the input is worth: the five folds again, each time with one group of features hidden.

Hidden features are 0 in training and in the test, so the model can learn to do without them. Smaller ensembles than the shipped one,
the same for every row. Not covered: what moves one forecast (`kmi.forecaster.api`).
"""

from collections.abc import Callable
from dataclasses import asdict, replace

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.forecaster.features import FEATURE_NAMES
from kmi.forecaster.training import COMPLETE, Examples, Recipe, fit
from kmi.metrics import forecasting

MEMBERS = 8
LENGTH_WORDS = ("log_words", "short", "minimal", "mean", "words since", "same length")


def is_length(name: str) -> bool:
    """True for the features that say how long turns are."""
    return name.startswith("text ") and any(word in name for word in LENGTH_WORDS)


def is_cue(name: str) -> bool:
    """True for the other features taken from the words: questions, trailing off, the language."""
    return name.startswith("text ") and not is_length(name)


HIDDEN: dict[str, Callable[[str], bool]] = {
    "nothing": lambda name: False,
    "therapist labels": lambda name: name.startswith("label "),
    "client talk": lambda name: name.startswith("talk "),
    "lengths": is_length,
    "surface cues of the text": is_cue,
    "lengths and cues (all of the text)": lambda name: name.startswith("text "),
    "position": lambda name: name.startswith("position "),
}
"""What is hidden in each row, by feature name."""


def without(examples: Examples, hidden: str) -> Examples:
    """The examples with a group of features set to 0."""
    columns = [HIDDEN[hidden](name) for name in FEATURE_NAMES]
    views = examples.views.copy()
    views[:, :, columns] = 0.0
    return replace(examples, views=views)


def ablate(examples: Examples, folds: np.ndarray, hidden: str, recipe: Recipe) -> dict[str, float]:
    """Figures over all folds with a group hidden.

    Args:
        examples: professionals' sessions.
        folds: fold of each session.
        hidden: a key of `HIDDEN`.
        recipe: how to train; the ensemble is cut to `MEMBERS`.
    """
    import torch

    shown = without(examples, hidden)
    fold_of = folds[examples.sessions]
    gathered = np.zeros((len(examples.labels), len(THERAPIST_LABELS)))
    for fold in np.unique(folds):
        model = fit(shown.where(fold_of != fold), replace(recipe, members=min(MEMBERS, recipe.members)))
        with torch.inference_mode():
            gathered[fold_of == fold] = model(torch.tensor(shown.views[COMPLETE][fold_of == fold])).logits.exp().numpy()
    return asdict(forecasting.score(gathered, examples.labels))
