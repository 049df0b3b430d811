"""Ratings of MI spirit, principles, MITI globals and general quality: means, intervals, agreement of raters.

A rating is one rater's 1-5 for one item of one dialogue (`kmi.metrics.rubric`). Ratings by a model are marked as such and
never pooled with people's. Agreement comes from libraries: Krippendorff's alpha (ordinal; `krippendorff`) and ICC(A,1),
two-way, absolute agreement, single rater (McGraw & Wong 1996; `pingouin`).

Thresholds of the MITI 4.2.1 globals, fair and good: relational 3.5 and 4, technical 3 and 4, expert opinion.
Not covered: collecting ratings from people (`ratings_form`) and from models (`judge`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kmi.errors import DataError, MissingExtra, allowed
from kmi.metrics.rubric import HIGHEST, ITEMS, LOWEST
from kmi.metrics.scores import USUAL, Resampling, Score, ratio, score, undefined

KINDS = ("human", "model")
GLOBALS = {"miti_relational": (3.5, 4.0), "miti_technical": (3.0, 4.0)}
ONE_RATER = "agreement needs two dialogues rated by two raters"


@dataclass(frozen=True, slots=True)
class Rating:
    """One rater's score for one item of one dialogue; `kind` is "human" or "model"."""

    dialogue: str
    rater: str
    item: str
    score: float
    kind: str = "human"

    def __post_init__(self) -> None:
        where = f"dialogue {self.dialogue!r}, rater {self.rater!r}"
        if self.item not in ITEMS:
            raise DataError(f"{where}: item {self.item!r} is unknown; allowed are {allowed(ITEMS, 20)}.")
        if isinstance(self.score, bool) or not isinstance(self.score, (int, float)) or not LOWEST <= self.score <= HIGHEST:
            raise DataError(f"{where}, item {self.item!r}: expected a score of {LOWEST} to {HIGHEST}, got {self.score!r}.")
        if self.kind not in KINDS:
            raise DataError(f"{where}: kind is {self.kind!r}; allowed are {allowed(KINDS)}.")


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item: `mean` 1-5 over dialogues (a dialogue's raters averaged first), and how far raters agree.

    `alpha` and `icc` are at most 1 (agreement), 0 is chance; below .67 alpha supports no conclusion (Krippendorff 2019).
    """

    mean: Score
    dialogues: int
    raters: int
    alpha: Score
    icc: Score

    def to_dict(self) -> dict:
        """The JSON form."""
        scores = {name: getattr(self, name).to_dict() for name in ("mean", "alpha", "icc")}
        return {**scores, "dialogues": self.dialogues, "raters": self.raters}


def ratings(given: Iterable[Rating], resampling: Resampling = USUAL) -> dict[str, dict[str, ItemReport | Score | str | None]]:
    """By kind of rater, the report of every rated item and, for the MITI globals, their mean and level.

    Returns:
        {"human" or "model": {item: ItemReport, "miti_relational": Score, "miti_relational.level": str, ...}}.

    Raises:
        DataError: where a rater rates an item of a dialogue twice.
    """
    by_kind: dict[str, list[Rating]] = defaultdict(list)
    for rating in given:
        by_kind[rating.kind].append(rating)
    return {kind: _of_kind(by_kind[kind], resampling) for kind in KINDS if by_kind[kind]}


def _of_kind(given: Sequence[Rating], resampling: Resampling) -> dict:
    tables = {item: _table([rating for rating in given if rating.item == item]) for item in ITEMS}
    found: dict = {item: _report(table, resampling) for item, table in tables.items() if table.size}
    for name, bounds in GLOBALS.items():
        if any(ITEMS[rating.item].group == name for rating in given):
            found[name] = _mean(_global(given, name), resampling)
            found[f"{name}.level"] = ("below", "fair", "good")[sum(found[name].value >= bound for bound in bounds)]
    return found


def _table(given: Sequence[Rating]) -> np.ndarray:
    """Scores [raters, dialogues], NaN where a rater did not rate."""
    raters = {name: i for i, name in enumerate(sorted({rating.rater for rating in given}))}
    dialogues = {name: i for i, name in enumerate(sorted({rating.dialogue for rating in given}))}
    table = np.full((len(raters), len(dialogues)), np.nan)
    for rating in given:
        place = raters[rating.rater], dialogues[rating.dialogue]
        if not np.isnan(table[place]):
            raise DataError(f"dialogue {rating.dialogue!r}: rater {rating.rater!r} rated item {rating.item!r} twice.")
        table[place] = rating.score
    return table


def _global(given: Sequence[Rating], group: str) -> np.ndarray:
    """Mean of a group's items for each dialogue, as one row."""
    scores: Mapping[str, list[float]] = defaultdict(list)
    for rating in given:
        if ITEMS[rating.item].group == group:
            scores[rating.dialogue].append(rating.score)
    return np.array([[float(np.mean(values)) for _, values in sorted(scores.items())]])


def _report(table: np.ndarray, resampling: Resampling) -> ItemReport:
    enough = ((~np.isnan(table)).sum(0) >= 2).sum() >= 2
    return ItemReport(
        mean=_mean(table, resampling),
        dialogues=table.shape[1],
        raters=table.shape[0],
        alpha=_alpha(table) if enough else undefined(ONE_RATER),
        icc=_icc(table) if enough else undefined(ONE_RATER),
    )


def _mean(table: np.ndarray, resampling: Resampling) -> Score:
    """Mean over dialogues of the raters' mean."""
    means = np.nanmean(table, axis=0)
    counts = np.column_stack([means, np.ones_like(means)])
    return score(counts, lambda pooled: ratio(pooled[..., 0], pooled[..., 1]), "no ratings", resampling)


def _alpha(table: np.ndarray) -> Score:
    try:
        import krippendorff
    except ImportError:
        raise MissingExtra("Agreement of raters", "krippendorff", "metrics") from None
    if len(set(table[~np.isnan(table)])) < 2:
        return undefined("every score is the same, so agreement beyond chance cannot be told")
    return Score(float(krippendorff.alpha(reliability_data=table, level_of_measurement="ordinal")))


def _icc(table: np.ndarray) -> Score:
    """ICC(A,1) over the dialogues that every rater rated, with its own interval (F distribution)."""
    try:
        import pandas
        import pingouin
    except ImportError as error:
        raise MissingExtra("Agreement of raters", error.name or "pingouin", "metrics") from None
    complete = table[:, ~np.isnan(table).any(0)]
    if complete.shape[1] < 5 or np.ptp(complete) == 0:
        return undefined("ICC needs five dialogues that every rater rated, and scores that differ")
    raters, dialogues = np.indices(complete.shape)
    frame = pandas.DataFrame({"dialogue": dialogues.ravel(), "rater": raters.ravel(), "score": complete.ravel()})
    rows = pingouin.intraclass_corr(frame, targets="dialogue", raters="rater", ratings="score").set_index("Type")
    row = rows.loc["ICC(A,1)"]
    low, high = (float(bound) for bound in row["CI95"])
    return Score(float(row["ICC"]), low, high)
