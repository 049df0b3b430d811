"""One figure with its uncertainty, and the bootstrap over dialogues that all metrics share.

Every metric of KMI is a function of counts pooled over dialogues. `bootstrap` draws
dialogues with replacement, pools their counts and takes the percentiles of the figure: turns
of one dialogue hang together, so the dialogue is what must be drawn (Efron & Tibshirani 1993,
ch. 13; clusters: Field & Welsh 2007). A figure that is undefined is None with the reason.

Not covered: the counts and formulas themselves (`fidelity`, `change_talk`, ...).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from kmi.errors import ConfigError

LEVEL = 0.95
# Below this share of resamples in which a figure is defined, its interval would describe the lucky ones only.
MIN_DEFINED = 0.95
# Weights held at once: 80 MB.
CELLS_AT_ONCE = 10_000_000

Statistic = Callable[[np.ndarray], np.ndarray]
"""Counts [..., k] pooled over dialogues to a figure [...]; NaN where it is undefined."""


@dataclass(frozen=True, slots=True)
class Score:
    """A figure: `value` in its own unit, `low` and `high` its 95% interval, `reason` why one of them is None."""

    value: float | None
    low: float | None = None
    high: float | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, float | str | None]:
        """The JSON form; `reason` only where there is one."""
        known = {"value": self.value, "low": self.low, "high": self.high}
        return known | ({"reason": self.reason} if self.reason else {})

    def __str__(self) -> str:
        if self.value is None:
            return "-"
        return f"{self.value:.2f}" + (f" [{self.low:.2f}, {self.high:.2f}]" if self.low is not None else "")


@dataclass(frozen=True, slots=True)
class Resampling:
    """How intervals are made: `resamples` draws (0: none are made), from `seed`."""

    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.resamples, int) or self.resamples < 0:
            raise ConfigError(f"Expected 0 or more resamples, got {self.resamples!r}.", "1000 is usual.")


USUAL = Resampling()
NO_INTERVALS = Resampling(resamples=0)


def undefined(reason: str) -> Score:
    """A figure that cannot be had, and why."""
    return Score(None, reason=reason)


def score(counts: np.ndarray, statistic: Statistic, why_undefined: str, resampling: Resampling = USUAL) -> Score:
    """A figure of pooled counts, with its interval.

    Args:
        counts: [dialogues, k], what each dialogue adds.
        statistic: the figure of pooled counts.
        why_undefined: the reason to give where it is NaN.
    """
    return score_all(counts, {"": statistic}, {"": why_undefined}, resampling)[""]


def score_all(
    counts: np.ndarray, statistics: Mapping[str, Statistic], why_undefined: Mapping[str, str], resampling: Resampling = USUAL
) -> dict[str, Score]:
    """Several figures of the same counts, from the same draws; the order of dialogues does not matter."""
    counts = np.asarray(counts, dtype=np.float64)
    counts = counts.reshape(len(counts), int(np.prod(counts.shape[1:])))
    pooled = counts.sum(0)
    found = {name: float(statistic(pooled)) for name, statistic in statistics.items()}
    if len(counts) < 2 or not resampling.resamples:
        reason = "" if not resampling.resamples else "an interval needs two dialogues or more"
        return {n: undefined(why_undefined[n]) if np.isnan(v) else Score(v, reason=reason) for n, v in found.items()}
    drawn = _resample(counts, resampling)
    return {name: _with_interval(found[name], statistic(drawn), why_undefined[name]) for name, statistic in statistics.items()}


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """`part` / `whole`, NaN where `whole` is 0."""
    whole = np.asarray(whole, dtype=np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole != 0)


def _resample(counts: np.ndarray, resampling: Resampling) -> np.ndarray:
    """Counts pooled over each resample, [resamples, k]."""
    # In an order of their own, so that the same dialogues in another order draw the same.
    counts = counts[np.lexsort(counts.T[::-1])]
    rng, size = np.random.default_rng(resampling.seed), len(counts)
    pooled = np.empty((resampling.resamples, counts.shape[1]))
    step = max(1, CELLS_AT_ONCE // size)
    for start in range(0, resampling.resamples, step):
        rows = min(step, resampling.resamples - start)
        drawn = rng.integers(size, size=(rows, size)) + np.arange(rows)[:, None] * size
        weights = np.bincount(drawn.ravel(), minlength=rows * size).reshape(rows, size)
        pooled[start : start + rows] = weights @ counts
    return pooled


def _with_interval(value: float, drawn: np.ndarray, why_undefined: str) -> Score:
    if np.isnan(value):
        return undefined(why_undefined)
    defined = drawn[~np.isnan(drawn)]
    if len(defined) < MIN_DEFINED * len(drawn):
        return Score(value, reason="no interval: too rare, undefined in many resamples")
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Score(value, float(low), float(high))
