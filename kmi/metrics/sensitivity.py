"""Which figures tell good counselling from poor: effect sizes between AnnoMI's high and low sessions.

Cliff's delta of the sessions' own figures: P(high > low) - P(high < low), -1 to 1, 0 where the figure does not tell them
apart (Cliff 1993), with a 95% interval from a bootstrap over sessions of each group. 110 high and 23 low sessions, played
by professionals to show good and poor practice: what does not separate these will hardly separate subtler differences.

Not covered: any other corpus, and whether a figure measures what it means to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kmi.dialogue import Dialogue
from kmi.errors import DataError
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import TITLES, report
from kmi.metrics.scores import LEVEL, NO_INTERVALS

RESAMPLES, SEED = 2000, 0
OPEN, CLOSE = "<!-- sensitivity: scripts/measure_sensitivity.py -->\n", "<!-- /sensitivity -->"
MODULES = {
    "mi_fidelity": ("reflection_to_question", "complex_share", "open_share", "distance_to_annomi_high"),
    "change_talk": ("change_share", "change_to_sustain_share", "trajectory.last", "slope", "first_change", "sustain_after_change"),
    "mi_sequences": ("P(change after reflections)", "P(change after questions)"),
}
REFLECTIONS, QUESTIONS = ("Simple Reflection", "Complex Reflection"), ("Open Question", "Closed Question")


@dataclass(frozen=True, slots=True)
class Effect:
    """One figure: median in high and low sessions, sessions in which it is defined, Cliff's delta and its interval."""

    high: float
    low: float
    sessions: tuple[int, int]
    delta: float
    bounds: tuple[float, float]

    @property
    def separates(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.bounds[0] > 0 or self.bounds[1] < 0


def effects(high: Sequence[Dialogue], low: Sequence[Dialogue]) -> dict[str, Effect]:
    """Effect size of every figure of `MODULES`."""
    of_high, of_low = [_figures(dialogue) for dialogue in high], [_figures(dialogue) for dialogue in low]
    return {name: _effect(_values(of_high, name), _values(of_low, name)) for names in MODULES.values() for name in names}


def cliffs_delta(first: np.ndarray, second: np.ndarray) -> float:
    """P(first > second) - P(first < second) over all pairs, -1 to 1; NaN without pairs."""
    if not len(first) or not len(second):
        return float("nan")
    return float(np.sign(first[:, None] - second[None, :]).mean())


def table(found: Mapping[str, Effect], module: str) -> str:
    """The effects of one module as a Markdown table."""
    lines = ["| 지표 / figure | high | low | Cliff's delta [95%] | 가름 / separates |", "|---|---|---|---|---|"]
    for name in MODULES[module]:
        of = found[name]
        low, high = of.bounds
        verdict = "예 / yes" if of.separates else "아니요 / no"
        lines.append(f"| {TITLES.get(name, name)} | {of.high:.2f} | {of.low:.2f} | {of.delta:.2f} [{low:.2f}, {high:.2f}] | {verdict} |")
    return "\n".join(lines)


def with_table(card: str, text: str) -> str:
    """A metric's card with its table between the two marks replaced by `text`."""
    before, _, rest = card.partition(OPEN)
    _, mark, after = rest.partition(CLOSE)
    if not mark:
        raise DataError(f"Expected the marks {OPEN.strip()} and {CLOSE} in the card, found none.")
    return f"{before}{OPEN}{text}\n{mark}{after}"


def _figures(dialogue: Dialogue) -> dict[str, float | None]:
    found = report(from_dialogues([dialogue]), NO_INTERVALS)
    after = found.sequences.table
    values = {name: score.value for name, score in found.scores.items()}
    return {**values, "P(change after reflections)": _change_after(after, REFLECTIONS), "P(change after questions)": _change_after(after, QUESTIONS)}


def _change_after(after: Mapping[str, Mapping[str, int]], labels: Sequence[str]) -> float | None:
    whole = sum(sum(after[label].values()) for label in labels)
    return sum(after[label]["change"] for label in labels) / whole if whole else None


def _values(figures: Sequence[Mapping[str, float | None]], name: str) -> np.ndarray:
    return np.array([of[name] for of in figures if of[name] is not None], dtype=np.float64)


def _effect(high: np.ndarray, low: np.ndarray) -> Effect:
    if not len(high) or not len(low):  # undefined in every session of a group
        nothing = float("nan")
        return Effect(nothing, nothing, (len(high), len(low)), nothing, (nothing, nothing))
    rng = np.random.default_rng(SEED)
    drawn = [cliffs_delta(rng.choice(high, len(high)), rng.choice(low, len(low))) for _ in range(RESAMPLES)]
    bounds = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Effect(float(np.median(high)), float(np.median(low)), (len(high), len(low)), cliffs_delta(high, low), (float(bounds[0]), float(bounds[1])))
