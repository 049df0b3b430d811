"""MI fidelity: the therapist's behaviour counts, the ratios built on them, and what instruments say of them.

Instruments are named and never mixed: MITI 4.2.1 (Moyers, Manuel & Ernst 2014), MITI 3.1 (Moyers et al. 2010),
MISC 2.5 (Houck et al. 2010). Counts are pooled: a ratio over many dialogues is that of all their turns
together. Thresholds are for whole sessions by trained coders and are expert opinion, as the MITI
manual says itself; read them as a compass, not a verdict.

Not covered: global ratings (`kmi.metrics.ratings`), client talk (`change_talk`), sequences (`sequences`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmi.metrics.bands import js_distance, label_shares
from kmi.metrics.coded import THERAPIST, CodedDialogues
from kmi.metrics.scores import USUAL, Resampling, Score, Statistic, ratio, score, score_all, undefined

REFLECTIONS = ("simple_reflection", "complex_reflection")
NO_LABELS = "no therapist turn is labelled"
# Of each figure: the groups above the line, those below, and why it may be undefined.
RATIOS = {
    "reflection_to_question": (REFLECTIONS, ("questions",), "no questions"),
    "complex_share": (("complex_reflection",), REFLECTIONS, "no reflections"),
    "open_share": (("open_question",), ("open_question", "closed_question"), "no questions"),
    "miti_4_2_1.adherent_share": (("miti4_adherent",), ("miti4_adherent", "miti4_non_adherent"), "no adherent and no non-adherent behaviour"),
    "miti_4_2_1.non_adherent_share": (("miti4_non_adherent",), ("miti4_adherent", "miti4_non_adherent"), "no adherent and no non-adherent behaviour"),
    "miti_3_1.adherent_share": (("miti3_adherent",), ("miti3_adherent", "miti3_non_adherent"), "no adherent and no non-adherent behaviour"),
    "misc_2_5.consistent_share": (("misc_consistent",), ("misc_consistent", "misc_inconsistent"), "no consistent and no inconsistent behaviour"),
}
# MITI 4.2.1, table of thresholds: fair and good. MITI 3.1: beginning proficiency and competency.
THRESHOLDS = {
    "MITI 4.2.1": {"names": ("fair", "good"), "reflection_to_question": (1.0, 2.0), "complex_share": (0.40, 0.50)},
    "MITI 3.1": {
        "names": ("beginner", "competent"), "reflection_to_question": (1.0, 2.0), "complex_share": (0.40, 0.50),
        "open_share": (0.50, 0.70), "miti_3_1.adherent_share": (0.90, 1.00),
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What `fidelity` found.

    `counts`: turns by code. `shares`: each code among labelled therapist turns, 0-1. `ratios`: the figures of
    `RATIOS`; R:Q is 0 and up, the others 0-1, more is more MI-like except `non_adherent_share`.
    `distance_to_annomi_high`: Jensen-Shannon distance of the label distribution to the one of AnnoMI's
    high-quality sessions, 0 (alike) to 1. `verdicts`: instrument, figure, and the level reached.
    """

    dialogues: int
    turns: int
    counts: dict[str, int]
    shares: dict[str, Score]
    ratios: dict[str, Score]
    distance_to_annomi_high: Score
    verdicts: dict[str, dict[str, str | None]]

    def to_dict(self) -> dict:
        """The JSON form."""
        return {
            "dialogues": self.dialogues,
            "therapist_turns": self.turns,
            "counts": self.counts,
            "shares": {name: value.to_dict() for name, value in self.shares.items()},
            **{name: value.to_dict() for name, value in self.ratios.items()},
            "distance_to_annomi_high": self.distance_to_annomi_high.to_dict(),
            "verdicts": self.verdicts,
        }


def fidelity(coded: CodedDialogues, resampling: Resampling = USUAL) -> Fidelity:
    """Counts the therapist's behaviour and derives every figure the scheme can tell, with intervals."""
    labelled = (coded.role == THERAPIST) & (coded.label >= 0)
    counts = coded.per_dialogue(labelled, coded.label, len(coded.scheme.codes))
    pooled = counts.sum(0)
    ratios = _ratios(coded, counts, resampling)
    return Fidelity(
        dialogues=len(coded),
        turns=int((coded.role == THERAPIST).sum()),
        counts={name: int(number) for name, number in zip(coded.scheme.codes, pooled, strict=True)},
        shares=_shares(coded, counts, resampling),
        ratios=ratios,
        distance_to_annomi_high=_distance(coded, counts, resampling),
        verdicts=verdicts(ratios),
    )


def verdicts(ratios: dict[str, Score]) -> dict[str, dict[str, str | None]]:
    """The level each figure reaches by each instrument: "below" or a level's name; None where unknown."""
    found: dict[str, dict[str, str | None]] = {}
    for instrument, table in THRESHOLDS.items():
        names = ("below", *table["names"])
        of = {name: bounds for name, bounds in table.items() if name != "names"}
        found[instrument] = {
            name: None if ratios[name].value is None else names[sum(ratios[name].value >= bound for bound in bounds)]
            for name, bounds in of.items()
        }
    return found


def _ratios(coded: CodedDialogues, counts: np.ndarray, resampling: Resampling) -> dict[str, Score]:
    known: dict[str, Statistic] = {}
    for name, (part, whole, _) in RATIOS.items():
        above, below = _members(coded, part), _members(coded, whole)
        if above is not None and below is not None:
            known[name] = _share_of(above, below)
    scores = score_all(counts, known, {name: RATIOS[name][2] for name in known}, resampling)
    unknown = undefined(f"cannot be told: {coded.scheme.why}")
    return {name: scores.get(name, unknown) for name in RATIOS}


def _members(coded: CodedDialogues, groups: Sequence[str]) -> np.ndarray | None:
    if groups == ("questions",):  # MITI 4.2.1 has one code for both kinds
        either = coded.scheme.members("question")
        return coded.scheme.members("open_question", "closed_question") if either is None else either
    return coded.scheme.members(*groups)


def _share_of(above: np.ndarray, below: np.ndarray) -> Statistic:
    return lambda pooled: ratio(pooled[..., above].sum(-1), pooled[..., below].sum(-1))


def _shares(coded: CodedDialogues, counts: np.ndarray, resampling: Resampling) -> dict[str, Score]:
    everything = np.arange(counts.shape[1])
    statistics = {code: _share_of(np.array([i]), everything) for i, code in enumerate(coded.scheme.codes)}
    return score_all(counts, statistics, dict.fromkeys(statistics, NO_LABELS), resampling)


def _distance(coded: CodedDialogues, counts: np.ndarray, resampling: Resampling) -> Score:
    if coded.scheme.name != "kmi":
        return undefined(f"the distribution to compare with is in KMI's 8 labels, this is coded in {coded.scheme.name!r}")
    target = label_shares("annomi_high")
    return score(counts, lambda pooled: js_distance(pooled, target), NO_LABELS, resampling)
