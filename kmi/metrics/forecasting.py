"""How good forecasts of the next therapist behaviour are, beside two plain baselines.

A forecast gives each of the 8 labels a probability (columns as in THERAPIST_LABELS); the truth is the label
that the therapist then realised. Several labels are often right, so recall@3 says more than accuracy: another
professional's own choice, given nine others', is among the three most usual in .94 of AnnoMI's turns.

Sources: recall@k as Cao et al. (2019); expected calibration error as Guo et al. (2017), 10 bins of equal width.
Not covered: making forecasts (`kmi.forecaster`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.errors import DataError, allowed
from kmi.metrics.scores import USUAL, Resampling, Score, Statistic, ratio, score_all

LABELS = len(THERAPIST_LABELS)
ECE_BINS = 10
SMALLEST = 1e-9  # a forecast of 0 that came true would make the log loss infinite
FIGURES = {
    "accuracy": "share of forecasts whose first label was realised, 0-1, higher is better",
    "recall_at_3": "share whose realised label was among the first three, 0-1, higher is better",
    "macro_f1": "F1 averaged over the 8 labels, 0 for one never ranked first, 0-1, higher is better",
    "log_loss": "mean negative log-likelihood in nats, 0 and up, lower is better",
    "perplexity": "exp of the log loss, 1 and up, 8 for a uniform guess, lower is better",
    "ece": "mean gap between the first label's probability and how often it was right, 0-1, lower is better",
}
NOTHING = "no forecasts"


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures over n forecasts, as `FIGURES` says, without intervals."""

    accuracy: float
    macro_f1: float
    recall_at_3: float
    perplexity: float
    ece: float


def score(probabilities: np.ndarray, labels: np.ndarray) -> Scores:
    """Scores probabilities [n, 8] against label indices [n]."""
    if not len(labels):
        raise DataError("Expected at least one forecast to score, got none.")
    sums = _sums(probabilities, labels).sum(0)
    return Scores(**{name: float(_STATISTICS[name](sums)) for name in Scores.__slots__})


def forecasting(
    probabilities: np.ndarray,
    labels: np.ndarray,
    dialogues: Sequence[object],
    *,
    previous: np.ndarray | None = None,
    training: Sequence[Sequence[str]] = (),
    resampling: Resampling = USUAL,
) -> dict[str, dict[str, Score]]:
    """All figures with intervals: of the forecasts and, given training sequences, of prior and bigram.

    Args:
        probabilities: [n, 8], rows sum to 1.
        labels: index of the realised label of each forecast.
        dialogues: the dialogue of each forecast, what the bootstrap draws.
        previous: index of the therapist label before each forecast, -1 for none; by default the label
            of the forecast before it in the same dialogue.
        training: therapist labels of other dialogues in order; the baselines are fitted on them.

    Returns:
        By method ("forecast", "prior", "bigram") the figures of `FIGURES` and "f1/<label>".
    """
    labels = np.asarray(labels, dtype=np.int64)
    probabilities = _checked(np.asarray(probabilities, dtype=np.float64), labels, dialogues)
    numbers = {place: n for n, place in enumerate(dict.fromkeys(dialogues))}
    dialogue = np.array([numbers[place] for place in dialogues], dtype=np.int64)
    if previous is None:
        previous = np.where(np.append(True, dialogue[1:] != dialogue[:-1]), -1, np.append(-1, labels[:-1])) if len(labels) else labels
    methods = {"forecast": probabilities}
    if training:
        known_previous, known = _fitting_pairs(training)
        methods |= {"prior": prior(known, len(labels)), "bigram": bigram(known_previous, known, np.asarray(previous))}
    found = {}
    for name, rows in methods.items():
        counts = np.zeros((len(numbers), _WIDTH))
        np.add.at(counts, dialogue, _sums(rows, labels))
        found[name] = score_all(counts, _STATISTICS, dict.fromkeys(_STATISTICS, NOTHING), resampling)
    return found


def label_index(name: str, where: str) -> int:
    """Column of a label; `DataError` names the allowed ones."""
    if name not in THERAPIST_LABELS:
        raise DataError(f"{where}: label {name!r} is unknown; allowed are {allowed(THERAPIST_LABELS)}.")
    return THERAPIST_LABELS.index(name)


def vector(forecast: Mapping[str, float] | Sequence[float], where: str) -> list[float]:
    """A forecast as 8 probabilities: from a mapping of labels (missing ones are 0) or already in order."""
    if isinstance(forecast, Mapping):
        row = [0.0] * LABELS
        for name, probability in forecast.items():
            row[label_index(name, where)] = float(probability)
        return row
    if len(forecast) != LABELS:
        raise DataError(f"{where}: expected {LABELS} probabilities in the order {allowed(THERAPIST_LABELS)}, got {len(forecast)}.")
    return [float(probability) for probability in forecast]


def _checked(probabilities: np.ndarray, labels: np.ndarray, dialogues: Sequence[object]) -> np.ndarray:
    probabilities = probabilities.reshape(len(labels), LABELS)
    if len(dialogues) != len(labels):
        raise DataError(f"Expected a dialogue for each of {len(labels)} forecasts, got {len(dialogues)}.")
    wrong = np.flatnonzero((probabilities.min(1, initial=0) < 0) | (abs(probabilities.sum(1) - 1) > 0.01) | np.isnan(probabilities).any(1))
    if len(wrong):
        row = probabilities[wrong[0]]
        raise DataError(f"forecast {wrong[0]}: expected 8 probabilities of 0-1 that sum to 1, got {np.round(row, 3).tolist()} (sum {row.sum():.3f}).")
    return probabilities


def _fitting_pairs(training: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
    """Label before and label of every turn of the training sequences but the first of each."""
    pairs = [
        (label_index(before, f"training sequence {number}"), label_index(after, f"training sequence {number}"))
        for number, sequence in enumerate(training)
        for before, after in pairwise(sequence)
    ]
    if not pairs:
        raise DataError("Expected training sequences of two labels or more, got none.")
    previous, labels = np.array(pairs).T
    return previous, labels


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


def per_label(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """For each label: how often it is the truth, how often ranked first, precision, recall, F1, recall@3."""
    first, ranks = probabilities.argmax(1), ranks_of(probabilities, labels)
    found = []
    for i, label in enumerate(THERAPIST_LABELS):
        truth, guess = labels == i, first == i
        both, count, ranked_first = int((truth & guess).sum()), int(truth.sum()), int(guess.sum())
        found.append(
            {
                "label": label,
                "count": count,
                "ranked_first": ranked_first,
                "precision": both / ranked_first if ranked_first else 0.0,
                "recall": both / count if count else 0.0,
                "f1": 2 * both / (count + ranked_first) if count + ranked_first else 0.0,
                "recall_at_3": float((ranks[truth] < 3).mean()) if count else 0.0,
            }
        )
    return found


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """What the expected calibration error sums: by bin of the first label's probability (empty bins left out) its mean `probability`, the
    share `right` of forecasts whose first label came true, and their `count`. Calibrated forecasts have both equal."""
    sums = _sums(probabilities, labels).sum(0)
    count, sure, right = (sums[start : start + ECE_BINS] for start in (_BIN_N, _BIN_SURE, _BIN_RIGHT))
    return [{"probability": float(sure[i] / count[i]), "right": float(right[i] / count[i]), "count": int(count[i])} for i in np.flatnonzero(count)]


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


# What each forecast adds to the sums that every figure is a function of.
_N, _LOSS, _TOP1, _TOP3 = range(4)
_TRUE, _FIRST, _BOTH = 4, 4 + LABELS, 4 + 2 * LABELS
_BIN_N = 4 + 3 * LABELS
_BIN_SURE, _BIN_RIGHT, _WIDTH = _BIN_N + ECE_BINS, _BIN_N + 2 * ECE_BINS, _BIN_N + 3 * ECE_BINS


def _sums(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """[n, width]: one row a forecast."""
    rows = np.arange(len(labels))
    first, ranks = probabilities.argmax(1), ranks_of(probabilities, labels)
    sums = np.zeros((len(labels), _WIDTH))
    sums[:, _N] = 1
    sums[:, _LOSS] = -np.log(np.clip(probabilities[rows, labels], SMALLEST, 1.0))
    sums[:, _TOP1], sums[:, _TOP3] = ranks < 1, ranks < 3
    sums[rows, _TRUE + labels] = 1
    sums[rows, _FIRST + first] = 1
    sums[rows, _BOTH + labels] = first == labels
    sure = probabilities.max(1)
    bins = np.minimum((sure * ECE_BINS).astype(int), ECE_BINS - 1)
    sums[rows, _BIN_N + bins] = 1
    sums[rows, _BIN_SURE + bins] = sure
    sums[rows, _BIN_RIGHT + bins] = first == labels
    return sums


def _f1(sums: np.ndarray) -> np.ndarray:
    """F1 of each label, [..., 8]; 0 where it was never ranked first or never the truth."""
    true, first, both = (sums[..., start : start + LABELS] for start in (_TRUE, _FIRST, _BOTH))
    return np.nan_to_num(ratio(2 * both, true + first))


def _ece(sums: np.ndarray) -> np.ndarray:
    sure, right = sums[..., _BIN_SURE:_BIN_RIGHT], sums[..., _BIN_RIGHT:_WIDTH]
    return ratio(abs(right - sure).sum(-1), sums[..., _N])


_STATISTICS: dict[str, Statistic] = {
    "accuracy": lambda sums: ratio(sums[..., _TOP1], sums[..., _N]),
    "recall_at_3": lambda sums: ratio(sums[..., _TOP3], sums[..., _N]),
    "macro_f1": lambda sums: np.where(sums[..., _N] > 0, _f1(sums).mean(-1), np.nan),
    "log_loss": lambda sums: ratio(sums[..., _LOSS], sums[..., _N]),
    "perplexity": lambda sums: np.exp(ratio(sums[..., _LOSS], sums[..., _N])),
    "ece": _ece,
    **{f"f1/{label}": lambda sums, i=i: np.where(sums[..., _N] > 0, _f1(sums)[..., i], np.nan) for i, label in enumerate(THERAPIST_LABELS)},
}
