"""How well codes from text agree with those given: accuracy, macro-F1, calibration, beside plain baselines.

Not covered: the baselines (`kmi.coder.linear`); the agreement of two coders (`kmi.metrics.agreement`), which bounds what any coder can reach.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from kmi.coder.api import Coder
from kmi.coder.linear import Classify, characters, majority, words
from kmi.coder.text import COLUMNS, LABELS, Example
from kmi.dialogue import Dialogue

ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one speaker's turns, all 0-1: `accuracy`, `macro_f1` over the labels that occur and `f1` of each (higher is better), `ece` (lower)."""

    turns: int
    accuracy: float
    macro_f1: float
    ece: float
    f1: dict[str, float]


def evaluate(classify: Classify, examples: Sequence[Example]) -> dict[str, Figures]:
    """Figures for therapist and client turns."""
    found = {}
    for role, columns in COLUMNS.items():
        of_role = [example for example in examples if example.role == role]
        if of_role:
            probabilities = classify(of_role)[:, columns]
            labels = np.array([example.label for example in of_role]) - columns.start
            found[role] = _figures(probabilities, labels, LABELS[columns])
    return found


def compare(coder: Coder, training: Sequence[Example], tests: Mapping[str, Sequence[Example]]) -> dict[str, dict[str, dict[str, dict]]]:
    """Figures by test, method and speaker, as plain data; the baselines are fitted on `training`."""
    baselines = {"majority": majority(training), "TF-IDF, words": words(training), "TF-IDF, characters": characters(training)}
    methods = {**baselines, "kmi-coder": classify_with(coder)}
    return {
        name: {method: {role: asdict(figures) for role, figures in evaluate(classify, examples).items()} for method, classify in methods.items()}
        for name, examples in tests.items()
    }


def ceiling(dialogues: Iterable[Dialogue]) -> dict[str, dict]:
    """How far a second coder agrees with the codes given, by speaker: what a coder of these labels can be expected to reach.

    Returns:
        For each role the same figures as `evaluate` gives, without calibration: turns, accuracy, macro_f1.
    """
    pairs: dict[str, list[tuple[str, str]]] = {role: [] for role in COLUMNS}
    for turn in (turn for dialogue in dialogues for turn in dialogue.utterances):
        given, second = (turn.label, turn.label_second) if turn.role == "therapist" else (turn.talk, turn.talk_second)
        if given and second:
            pairs[turn.role].append((given, second))
    found = {}
    for role, of_role in pairs.items():
        if of_role:
            names = LABELS[COLUMNS[role]]
            given, second = (np.array([names.index(code) for code in side]) for side in zip(*of_role, strict=True))
            figures = asdict(_figures(np.eye(len(names))[second], given, names))
            found[role] = {name: figures[name] for name in ("turns", "accuracy", "macro_f1")}
    return found


def classify_with(coder: Coder) -> Classify:
    """The checkpoint as a function of examples."""
    return lambda examples: coder.probabilities([(example.role, example.text, example.before) for example in examples])


def speed(coder: Coder, examples: Sequence[Example]) -> float:
    """Turns coded per second in batches, tokenizing included."""
    some = list(examples)[:2000]
    start = time.perf_counter()
    classify_with(coder)(some)
    return len(some) / (time.perf_counter() - start)


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error, 10 bins of equal width, 0-1 (Guo et al. 2017); lower is better."""
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    return float(sum(abs(right[bins == i].mean() - confidence[bins == i].mean()) * (bins == i).mean() for i in set(bins.tolist())))


def _figures(probabilities: np.ndarray, labels: np.ndarray, names: Sequence[str]) -> Figures:
    first = probabilities.argmax(1)
    both = np.array([((first == i) & (labels == i)).sum() for i in range(len(names))])
    either = np.array([(first == i).sum() + (labels == i).sum() for i in range(len(names))])
    f1 = np.divide(2 * both, either, out=np.zeros(len(names)), where=either > 0)
    occurring = [i for i in range(len(names)) if (labels == i).any()]
    return Figures(
        turns=len(labels),
        accuracy=float((first == labels).mean()),
        macro_f1=float(f1[occurring].mean()),
        ece=calibration_error(probabilities.max(1), first == labels),
        f1={names[i]: float(f1[i]) for i in occurring},
    )
