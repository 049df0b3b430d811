"""The forecaster on Korean sessions: the dataset's test split, beside baselines fitted on its train split.

The labels are those that the written counsellors realised. They follow plans which the first forecaster and the decision module made, so
the figures say how well the ways of this corpus are learnt, not those of Korean professionals. `planned_label` and the stored forecast are
never input; the stored forecast is scored too, as what planning alone would have said.
"""

from collections.abc import Sequence

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.dialogue import Dialogue
from kmi.forecaster import evaluation
from kmi.forecaster.api import Forecaster
from kmi.forecaster.crossval import OURS, OURS_WORDLESS
from kmi.forecaster.training import COMPLETE, WORDLESS, Examples
from kmi.metrics import forecasting

METHODS = ("prior", "previous-label bigram", "logistic regression", "gradient boosting", OURS, OURS_WORDLESS)
MISSES = 6


def korean_report(forecaster: Forecaster, train: Examples, test: Examples, dialogues: Sequence[Dialogue]) -> dict:
    """Figures on the test split, with an interval, and what the plans' own forecasts reach.

    Args:
        forecaster: the checkpoint.
        train: examples of the train split, for the baselines.
        test: examples of the test split, all views real.
        dialogues: the dialogues of `test`.
    """
    forecasts = (
        forecasting.prior(train.labels, len(test.labels)),
        forecasting.bigram(train.previous, train.labels, test.previous),
        evaluation.logistic_regression(train.views[COMPLETE], train.labels, test.views[COMPLETE]),
        evaluation.boosting(train.views[COMPLETE], train.labels, test.views[COMPLETE]),
        forecaster.probabilities_of_features(test.views[COMPLETE]),
        forecaster.probabilities_of_features(test.views[WORDLESS]),
    )
    named = dict(zip(METHODS, forecasts, strict=True))
    return {
        **evaluation.figures_of(named, OURS, test.labels, test.sessions),
        "planned_recall_at_3": planned_recall(dialogues, test.labels),
        "misses": misses(named[OURS], dialogues, test.labels),
    }


def misses(probabilities: np.ndarray, dialogues: Sequence[Dialogue], labels: np.ndarray) -> list[dict]:
    """The forecasts [n, 8] that failed most: what was said, the three labels ranked first and the one realised, whose probability is the
    lowest of all; one from a dialogue."""
    told = [(d.id, d.utterances[i - 1].text, turn.text) for d in dialogues for i, turn in enumerate(d.utterances) if i and turn.role == "therapist" and turn.label]
    given = probabilities[np.arange(len(labels)), labels]
    found: dict[str, dict] = {}
    for i in np.argsort(given, kind="stable"):
        dialogue, before, said = told[i]
        first = [THERAPIST_LABELS[k] for k in np.argsort(-probabilities[i], kind="stable")[:3]]
        row = {"dialogue": dialogue, "before": before, "forecast": first, "said": said, "label": THERAPIST_LABELS[labels[i]], "probability": float(given[i])}
        found.setdefault(dialogue, row)
    return list(found.values())[:MISSES]


def planned_recall(dialogues: Sequence[Dialogue], labels: np.ndarray) -> float:
    """Recall@3 (0-1) of the forecasts stored with the dialogues, over turns that have one."""
    stored = [turn.forecast for dialogue in dialogues for turn in dialogue.utterances[1:] if turn.role == "therapist" and turn.label]
    if len(stored) != len(labels):
        raise RuntimeError(f"{len(stored)} turns for {len(labels)} labels")  # a bug, not bad input
    found = [THERAPIST_LABELS[label] in [option.label for option in forecast[:3]] for forecast, label in zip(stored, labels, strict=True) if forecast]
    return sum(found) / len(found)
