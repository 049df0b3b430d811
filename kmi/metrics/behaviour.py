"""Behaviour counts of a set of dialogues and the ratios that MI fidelity instruments build on.

`measure` gives everything in one report; the ratios are functions of its counts. Counts are
pooled: a ratio over many dialogues is that of all their turns together, so long sessions
weigh more. Sources: MITI 4.2.1 (Moyers et al. 2014) for therapist ratios, MISC 2.5 (Houck et
al. 2010) for client talk. Realised labels count, plans do not.

Not covered: thresholds (expert opinion, says the MITI manual itself), single sessions,
confidence intervals, sequences.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kmi import codes
from kmi.dialogue import Dialogue


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted. `labels` and `talk` have every code as a key, with 0 where none was seen.

    Turns without a code are in `therapist_turns` or `client_turns` and in no code's count.
    """

    dialogues: int
    utterances: int
    therapist_turns: int
    client_turns: int
    labels: Mapping[str, int]
    talk: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class BehaviourReport:
    """Counts and ratios; a ratio is None where nothing of its denominator occurred."""

    counts: Counts
    reflection_to_question: float | None
    complex_share: float | None
    open_share: float | None
    change_talk_share: float | None
    change_to_sustain_share: float | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: the counts and, beside them, the ratios."""
        return asdict(self)

    def __str__(self) -> str:
        ratios = {
            "R:Q": self.reflection_to_question,
            "complex": self.complex_share,
            "open": self.open_share,
            "change talk": self.change_talk_share,
            "CT/(CT+ST)": self.change_to_sustain_share,
        }
        return ", ".join(f"{name} {'-' if value is None else f'{value:.2f}'}" for name, value in ratios.items())


def measure(dialogues: Iterable[Dialogue]) -> BehaviourReport:
    """Counts a set of dialogues in one pass and derives all ratios."""
    counts = count(dialogues)
    return BehaviourReport(
        counts=counts,
        reflection_to_question=reflection_to_question(counts),
        complex_share=complex_share(counts),
        open_share=open_share(counts),
        change_talk_share=change_talk_share(counts),
        change_to_sustain_share=change_to_sustain_share(counts),
    )


def count(dialogues: Iterable[Dialogue]) -> Counts:
    """Dialogues, utterances, turns by role, label and talk type."""
    sessions = 0
    roles: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    talk: Counter[str] = Counter()
    for dialogue in dialogues:
        sessions += 1
        for turn in dialogue.utterances:
            roles[turn.role] += 1
            if turn.label:
                labels[turn.label] += 1
            if turn.talk:
                talk[turn.talk] += 1
    return Counts(
        dialogues=sessions,
        utterances=roles.total(),
        therapist_turns=roles["therapist"],
        client_turns=roles["client"],
        labels={name: labels[name] for name in codes.THERAPIST_LABELS},
        talk={name: talk[name] for name in codes.TALK_TYPES},
    )


def reflection_to_question(counts: Counts) -> float | None:
    """R:Q = (SR + CR) / (OQ + CQ), 0 and up; more is more MI-like (MITI 4.2.1: fair 1, good 2).

    None without any question: the ratio is then undefined, not large.
    """
    return _ratio(_sum(counts, codes.REFLECTIONS), _sum(counts, codes.QUESTIONS))


def complex_share(counts: Counts) -> float | None:
    """%CR = CR / (SR + CR), 0-1; more is more MI-like (MITI 4.2.1: fair .40, good .50). None without reflections."""
    return _ratio(counts.labels["Complex Reflection"], _sum(counts, codes.REFLECTIONS))


def open_share(counts: Counts) -> float | None:
    """%OQ = OQ / (OQ + CQ), 0-1 (MITI 3.1: beginner .50, competent .70). None without questions."""
    return _ratio(counts.labels["Open Question"], _sum(counts, codes.QUESTIONS))


def change_talk_share(counts: Counts) -> float | None:
    """Change talk among all client turns, 0-1. None where no client turn is coded at all."""
    return _ratio(counts.talk["change"], counts.client_turns) if sum(counts.talk.values()) else None


def change_to_sustain_share(counts: Counts) -> float | None:
    """CT / (CT + ST), 0-1, MISC's percentage of change talk; neutral turns stay out.

    None without either, and where change talk is the only code used: a coding of
    "change or not" has not looked for sustain talk.
    """
    only_change = counts.talk["change"] == sum(counts.talk.values()) < counts.client_turns
    return None if only_change else _ratio(counts.talk["change"], counts.talk["change"] + counts.talk["sustain"])


def _sum(counts: Counts, labels: Iterable[str]) -> int:
    return sum(counts.labels[label] for label in labels)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
