"""How good forecasts are: the five figures, and two baselines beside logistic regression.

Figures are over the therapist turns after a session's first utterance, the same turns
for every method. Not covered: intervals, and the cues behind a single forecast.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmi.codes import THERAPIST_LABELS

ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures over n forecasts; all 0-1 but perplexity (1 or more).

    `accuracy`: share of turns whose label was ranked first. `macro_f1`: F1 averaged over
    the 8 labels, 0 for one never ranked first. `recall_at_3`: share whose label was among
    the first three. For these three higher is better. `perplexity`: exp of the mean
    negative log-likelihood, 8 for a uniform guess; `ece`: mean gap between the first
    label's probability and how often it was right, over 10 bins of equal width. For both
    lower is better.
    """

    accuracy: float
    macro_f1: float
    recall_at_3: float
    perplexity: float
    ece: float


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Scores probabilities [n, 8] against label indices [n]."""
    from sklearn.metrics import f1_score

    first = probabilities.argmax(1)
    ranks = ranks_of(probabilities, labels)
    likelihood = np.clip(probabilities[np.arange(len(labels)), labels], 1e-9, 1.0)
    every = range(len(THERAPIST_LABELS))
    return Scores(
        accuracy=float((first == labels).mean()),
        macro_f1=float(f1_score(labels, first, labels=every, average="macro", zero_division=0)),
        recall_at_3=float((ranks < 3).mean()),
        perplexity=float(np.exp(-np.log(likelihood).mean())),
        ece=_calibration_error(probabilities.max(1), first == labels),
    )


def without_general(probabilities: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The turns that are not General, forecast among the other seven labels.

    Two-word backchannels make up most of General and flatter every method. Its
    probability is set to 0 and the rest scaled up to 1.
    """
    general = THERAPIST_LABELS.index("General")
    kept = probabilities[labels != general].copy()
    kept[:, general] = 0.0
    return kept / kept.sum(1, keepdims=True), labels[labels != general]


def ranks_of(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Rank of each true label, 0 for the most probable; ties keep the order of the labels."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return (order == labels[:, None]).argmax(1)


def _calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    return float(sum(abs(right[bins == i].mean() - confidence[bins == i].mean()) * (bins == i).mean() for i in set(bins)))


def per_label(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """For each label: how often it is the truth, how often ranked first, precision, recall, F1, recall@3."""
    from sklearn.metrics import precision_recall_fscore_support

    first, ranks = probabilities.argmax(1), ranks_of(probabilities, labels)
    every = range(len(THERAPIST_LABELS))
    columns = precision_recall_fscore_support(labels, first, labels=every, zero_division=0)
    return [
        {
            "label": label,
            "count": int(columns[3][i]),
            "ranked_first": int((first == i).sum()),
            "precision": float(columns[0][i]),
            "recall": float(columns[1][i]),
            "f1": float(columns[2][i]),
            "recall_at_3": float((ranks[labels == i] < 3).mean()) if columns[3][i] else 0.0,
        }
        for i, label in enumerate(THERAPIST_LABELS)
    ]


def prior(train_labels: np.ndarray, count: int) -> np.ndarray:
    """Baseline: the labels' shares in training, whatever was said, shape [count, 8]."""
    shares = np.bincount(train_labels, minlength=len(THERAPIST_LABELS)) / len(train_labels)
    return np.tile(shares, (count, 1))


def bigram(train_previous: np.ndarray, train_labels: np.ndarray, previous: np.ndarray) -> np.ndarray:
    """Baseline: the labels' shares after the same previous therapist label, add-one smoothed.

    Args:
        train_previous: index of the therapist label before each training turn, -1 for none.
        train_labels: label index of each training turn.
        previous: as `train_previous`, for the turns to forecast.
    """
    counts = np.ones((len(THERAPIST_LABELS) + 1, len(THERAPIST_LABELS)))
    np.add.at(counts, (train_previous, train_labels), 1)
    return (counts / counts.sum(1, keepdims=True))[previous]


def logistic_regression(train_features: np.ndarray, train_labels: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Baseline: a linear model over the forecaster's own standardised features."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    # C = 0.003 was the best of .001, .003, .01 on the same five folds: a baseline at its best.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=500))
    with threadpool_limits(1):  # many threads on so small a problem only wait for each other
        known = model.fit(train_features, train_labels).predict_proba(features)
    probabilities = np.zeros((len(features), len(THERAPIST_LABELS)))
    probabilities[:, model.classes_] = known  # a label absent from training has no column
    return probabilities


def table(rows: Sequence[tuple[str, Scores]]) -> str:
    """A Markdown table of methods and their scores."""
    lines = ["| method | accuracy | macro-F1 | recall@3 | perplexity | ECE |", "|---|---|---|---|---|---|"]
    for name, scores in rows:
        cells = [f"{scores.accuracy:.3f}", f"{scores.macro_f1:.3f}", f"{scores.recall_at_3:.3f}"]
        lines.append(f"| {name} | {' | '.join(cells)} | {scores.perplexity:.2f} | {scores.ece:.3f} |")
    return "\n".join(lines)
