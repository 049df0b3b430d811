"""What the client says after each therapist behaviour: transition table, odds ratio, Yule's Q.

In the manner of SCOPE and of Magill et al. (2018): MI-consistent behaviour goes before change talk, but also before
sustain talk, so both are told and proportions beside odds. At lag 1 the client turn is the next one after the
therapist's, at lag 2 the one after that, and so on; a pair needs both codes.

A sequence is no cause: the client's last turn moves both. Not covered: significance tests beyond the intervals.
"""

from dataclasses import dataclass

import numpy as np

from kmi import codes
from kmi.errors import ConfigError
from kmi.metrics.coded import CHANGE, CLIENT, SUSTAIN, THERAPIST, CodedDialogues
from kmi.metrics.scores import USUAL, Resampling, Score, Statistic, ratio, score_all

MAX_LAG = 3
TALKS = {"change": CHANGE, "sustain": SUSTAIN}


@dataclass(frozen=True, slots=True)
class After:
    """One talk type after one behaviour.

    `probability`: P(talk | behaviour), 0-1. `odds_ratio`: its odds over the odds after every other behaviour, 0 and up, 1 is
    no difference. `yules_q`: (OR - 1) / (OR + 1), -1 to 1, 0 is no difference; it stays defined where a cell is empty.
    """

    probability: Score
    odds_ratio: Score
    yules_q: Score

    def to_dict(self) -> dict:
        """The JSON form."""
        return {"probability": self.probability.to_dict(), "odds_ratio": self.odds_ratio.to_dict(), "yules_q": self.yules_q.to_dict()}


@dataclass(frozen=True, slots=True)
class Sequences:
    """What `sequences` found: `pairs` counted, `table` [behaviour][talk] of counts, `base` rates and `after` by talk and behaviour."""

    lag: int
    pairs: int
    table: dict[str, dict[str, int]]
    base: dict[str, Score]
    after: dict[str, dict[str, After]]

    def to_dict(self) -> dict:
        """The JSON form."""
        return {
            "lag": self.lag,
            "pairs": self.pairs,
            "table": self.table,
            "base": {talk: rate.to_dict() for talk, rate in self.base.items()},
            "after": {talk: {label: found.to_dict() for label, found in of.items()} for talk, of in self.after.items()},
        }


def sequences(coded: CodedDialogues, lag: int = 1, resampling: Resampling = USUAL) -> Sequences:
    """Counts therapist behaviour and the client talk `lag` client turns later, and derives every figure."""
    if lag not in range(1, MAX_LAG + 1):
        raise ConfigError(f"Expected a lag of 1 to {MAX_LAG} client turns, got {lag!r}.")
    kinds = len(codes.TALK_TYPES)
    counts = _pairs(coded, lag)
    pooled = counts.sum(0).reshape(-1, kinds)
    names = coded.scheme.codes
    statistics: dict[str, Statistic] = {}
    for talk, column in TALKS.items():
        statistics[f"{talk}/base"] = lambda flat, c=column: _base(flat, c)
        for row, label in enumerate(names):
            statistics[f"{talk}/{label}/probability"] = lambda flat, r=row, c=column: _probability(flat, r, c)
            statistics[f"{talk}/{label}/odds_ratio"] = lambda flat, r=row, c=column: _odds_ratio(*_cells(flat, r, c))
            statistics[f"{talk}/{label}/yules_q"] = lambda flat, r=row, c=column: _yules_q(*_cells(flat, r, c))
    reasons = {name: _reason(name) for name in statistics}
    scores = score_all(counts, statistics, reasons, resampling)
    return Sequences(
        lag=lag,
        pairs=int(pooled.sum()),
        table={label: dict(zip(codes.TALK_TYPES, map(int, pooled[row]), strict=True)) for row, label in enumerate(names)},
        base={talk: scores[f"{talk}/base"] for talk in TALKS},
        after={talk: {label: _after(scores, f"{talk}/{label}") for label in names} for talk in TALKS},
    )


def _after(scores: dict[str, Score], name: str) -> After:
    return After(*(scores[f"{name}/{figure}"] for figure in ("probability", "odds_ratio", "yules_q")))


def _reason(name: str) -> str:
    if name.endswith("/base"):
        return "no pair of a behaviour and a client turn, both coded"
    if name.endswith("/odds_ratio"):
        return "a cell of the four is empty; see Yule's Q"
    return "the behaviour, or every other, was never followed by a coded client turn"


def _pairs(coded: CodedDialogues, lag: int) -> np.ndarray:
    """Counts of behaviour and talk in each dialogue, [dialogues, behaviours * talks]."""
    labels, kinds = len(coded.scheme.codes), len(codes.TALK_TYPES)
    client = np.flatnonzero(coded.role == CLIENT)
    therapist = np.flatnonzero((coded.role == THERAPIST) & (coded.label >= 0))
    # The client turn that is the lag-th after each therapist turn, if the dialogue goes on so far.
    place = np.searchsorted(client, therapist) + lag - 1
    inside = place < len(client)
    therapist, reply = therapist[inside], client[place[inside]]
    kept = (coded.dialogue[therapist] == coded.dialogue[reply]) & (coded.talk[reply] >= 0)
    therapist, reply = therapist[kept], reply[kept]
    cell = coded.label[therapist].astype(np.int64) * kinds + coded.talk[reply]
    flat = np.bincount(coded.dialogue[therapist] * labels * kinds + cell, minlength=len(coded) * labels * kinds)
    return flat.reshape(len(coded), labels * kinds)


def _table(flat: np.ndarray) -> np.ndarray:
    return flat.reshape(*flat.shape[:-1], -1, len(codes.TALK_TYPES))


def _base(flat: np.ndarray, column: int) -> np.ndarray:
    table = _table(flat)
    return ratio(table[..., column].sum(-1), table.sum((-2, -1)))


def _probability(flat: np.ndarray, row: int, column: int) -> np.ndarray:
    table = _table(flat)
    return ratio(table[..., row, column], table[..., row, :].sum(-1))


def _cells(flat: np.ndarray, row: int, column: int) -> tuple[np.ndarray, ...]:
    """The four cells: behaviour and talk, behaviour and not, other and talk, other and not."""
    table = _table(flat)
    both, of_row = table[..., row, column], table[..., row, :].sum(-1)
    of_column, whole = table[..., column].sum(-1), table.sum((-2, -1))
    return both, of_row - both, of_column - both, whole - of_row - of_column + both


def _odds_ratio(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """ad / bc; undefined with any empty cell rather than 0 or infinite."""
    return ratio(a * d, np.where(a * d == 0, 0, b * c))


def _yules_q(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> np.ndarray:
    """(ad - bc) / (ad + bc); undefined where the behaviour, or every other, was never followed."""
    return ratio(a * d - b * c, np.where((a + b == 0) | (c + d == 0), 0, a * d + b * c))
