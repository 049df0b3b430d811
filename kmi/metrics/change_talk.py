"""Client talk: how much change talk, when, of which kind, and whether it lasts.

Change and sustain talk are the client's for and against the target behaviour (MISC 2.5, Houck et al. 2010);
change talk, and its rise within a session, goes before outcome (Amrhein et al. 2003; Magill et al. 2018). Kinds are
DARN (preparatory) and CAT (mobilising). Thirds divide a dialogue's client turns: turn i of n is in third floor(3i/n).

Not covered: which therapist behaviour goes before change talk (`sequences`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kmi import codes
from kmi.metrics.coded import CHANGE, SUSTAIN, CodedDialogues
from kmi.metrics.scores import USUAL, Resampling, Score, Statistic, ratio, score, score_all, undefined

THIRDS = ("first", "middle", "last")
MOBILISING = [i for i, code in enumerate(codes.SUBTYPES.values()) if code.mobilising]
COMMITMENT = codes.TALK_SUBTYPES.index("commitment")
NO_TALK = "no client turn is coded"
NO_CHANGE = "no change talk"
ONLY_CHANGE = "only change talk is coded here: a coding of 'change or not' has not looked for sustain talk"
NO_KINDS = "no change talk has a kind (DARN-CAT)"


@dataclass(frozen=True, slots=True)
class ChangeTalk:
    """What `change_talk` found; shares 0-1.

    `change_share`, `sustain_share`: of client turns. `change_to_sustain_share`: CT / (CT + ST); higher is nearer to change.
    `trajectory`: change talk's share in each third; `slope`: its rise from the first client turn to the last by least
    squares, -1 to 1. `kinds`: of change talk with a kind; `mobilising_share`: commitment, activation, taking steps together.
    `dialogues_with_change`: share of dialogues with any; `first_change`: where the first comes, 0 (first client turn)
    to 1 (last), mean over dialogues with any. `sustain_after_change`: share of sustain talk among client turns after
    a dialogue's first change talk; `relapse`: share of dialogues with change talk before their last third that hold
    sustain talk in it. `late_commitment`: share of dialogues with commitment in their last third.
    """

    client_turns: int
    counts: dict[str, int]
    change_share: Score
    sustain_share: Score
    change_to_sustain_share: Score
    trajectory: dict[str, Score]
    slope: Score
    kinds: dict[str, Score]
    mobilising_share: Score
    dialogues_with_change: Score
    first_change: Score
    sustain_after_change: Score
    relapse: Score
    late_commitment: Score

    def to_dict(self) -> dict:
        """The JSON form."""
        single = ("change_share", "sustain_share", "change_to_sustain_share", "slope", "mobilising_share", "dialogues_with_change",
                  "first_change", "sustain_after_change", "relapse", "late_commitment")  # fmt: skip
        return {
            "client_turns": self.client_turns,
            "counts": self.counts,
            **{name: getattr(self, name).to_dict() for name in single},
            "trajectory": {name: value.to_dict() for name, value in self.trajectory.items()},
            "kinds": {name: value.to_dict() for name, value in self.kinds.items()},
        }


def change_talk(coded: CodedDialogues, resampling: Resampling = USUAL) -> ChangeTalk:
    """Counts client talk and derives every figure, with intervals. Turns without a code count as neither."""
    turns, number, of = coded.client_places()
    talk, subtype = coded.talk[turns], coded.subtype[turns]
    place = _Places(coded, turns, number, of)
    any_code, coded_kinds = bool((talk >= 0).any()), bool((subtype >= 0).any())
    only_change = any_code and bool((talk[talk >= 0] == CHANGE).all()) and bool((talk < 0).any())

    def figure(columns: list[np.ndarray], statistic: Statistic, why: str) -> Score:
        return score(np.column_stack(columns), statistic, why, resampling) if len(coded) else undefined(why)

    def share(part: np.ndarray, whole: np.ndarray, why: str) -> Score:
        return figure([place.count(part), place.count(whole)], _first_of_second, why if any_code else NO_TALK)

    everyone = np.ones(len(turns), dtype=bool) & any_code
    change, sustain = talk == CHANGE, talk == SUSTAIN

    def needs_sustain(found: Score) -> Score:
        return undefined(ONLY_CHANGE) if only_change else found

    since_change = place.after_first(change)
    return ChangeTalk(
        client_turns=len(turns),
        counts={name: int((talk == i).sum()) for i, name in enumerate(codes.TALK_TYPES)},
        change_share=share(change, everyone, NO_TALK),
        sustain_share=needs_sustain(share(sustain, everyone, NO_TALK)),
        change_to_sustain_share=needs_sustain(share(change, change | sustain, "neither change nor sustain talk")),
        trajectory={name: share(change & place.third(i), everyone & place.third(i), NO_TALK) for i, name in enumerate(THIRDS)},
        slope=figure(_least_squares_sums(place, change & any_code, everyone), _slope, NO_TALK if not any_code else "fewer than two client turns"),
        kinds=_kinds(coded, turns, subtype, resampling),
        mobilising_share=share(np.isin(subtype, MOBILISING), subtype >= 0, NO_KINDS),
        dialogues_with_change=figure([place.any(change), place.any(everyone)], _first_of_second, NO_TALK),
        first_change=figure([place.sum(change & ~since_change, place.position), place.any(change)], _first_of_second, NO_CHANGE),
        sustain_after_change=needs_sustain(share(sustain & since_change, since_change, NO_CHANGE)),
        relapse=needs_sustain(_relapse(place, change, sustain, figure)),
        late_commitment=figure(
            [place.any((subtype == COMMITMENT) & place.third(2)), place.any(everyone)], _first_of_second, NO_TALK
        ) if coded_kinds else undefined(NO_KINDS),
    )  # fmt: skip


class _Places:
    """Sums over client turns within dialogues; arrays run over client turns."""

    def __init__(self, coded: CodedDialogues, turns: np.ndarray, number: np.ndarray, of: np.ndarray) -> None:
        self.dialogue, self.size = coded.dialogue[turns], len(coded)
        self.number, self.of = number, of
        self.position = number / np.maximum(of - 1, 1)

    def sum(self, where: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.bincount(self.dialogue[where], weights=values[where], minlength=self.size)

    def count(self, where: np.ndarray) -> np.ndarray:
        return np.bincount(self.dialogue[where], minlength=self.size)

    def any(self, where: np.ndarray) -> np.ndarray:
        return self.count(where) > 0

    def third(self, which: int) -> np.ndarray:
        return 3 * self.number // np.maximum(self.of, 1) == which

    def after_first(self, where: np.ndarray) -> np.ndarray:
        """Turns that come after the first such turn of their dialogue."""
        first = np.full(self.size, np.iinfo(np.int64).max)
        np.minimum.at(first, self.dialogue[where], self.number[where])
        return self.number > first[self.dialogue]


def _first_of_second(pooled: np.ndarray) -> np.ndarray:
    return ratio(pooled[..., 0], pooled[..., 1])


def _least_squares_sums(place: _Places, change: np.ndarray, everyone: np.ndarray) -> list[np.ndarray]:
    x, y = place.position, change.astype(np.float64)
    return [place.sum(everyone, values) for values in (np.ones_like(x), x, y, x * y, x * x)]


def _slope(sums: np.ndarray) -> np.ndarray:
    """Least squares slope from n, sum x, sum y, sum xy, sum xx."""
    n, x, y, xy, xx = (sums[..., i] for i in range(5))
    spread = n * xx - x * x
    return ratio(n * xy - x * y, np.where(np.isclose(spread, 0), 0, spread))


def _kinds(coded: CodedDialogues, turns: np.ndarray, subtype: np.ndarray, resampling: Resampling) -> dict[str, Score]:
    size = len(codes.TALK_SUBTYPES)
    where = np.zeros(len(coded.role), dtype=bool)
    where[turns[subtype >= 0]] = True
    counts = coded.per_dialogue(where, coded.subtype, size)
    statistics: dict[str, Statistic] = {
        name: lambda pooled, i=i: ratio(pooled[..., i], pooled.sum(-1)) for i, name in enumerate(codes.TALK_SUBTYPES)
    }
    return score_all(counts, statistics, dict.fromkeys(statistics, NO_KINDS), resampling)


def _relapse(place: _Places, change: np.ndarray, sustain: np.ndarray, figure: Callable) -> Score:
    last = place.third(2)
    before = place.any(change & ~last)
    return figure([before & place.any(sustain & last), before], _first_of_second, "no change talk before the last third")
