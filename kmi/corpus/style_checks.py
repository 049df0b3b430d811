"""Habits of the writing, counted over many dialogues against their limits.

Each instance may be good; the habit is the fault (the writing guide's list, found by
critical readers). A `Habit` is a share 0-1 with its limit; `over` tells which exceed it.

Not covered: faults of a single utterance (`utterance_checks`), distinct-n and near
duplicates across dialogues (`kmi.corpus.repetition`).
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kmi.codes import REFLECTIONS
from kmi.dialogue import Dialogue, Utterance

ENDS_IN_NEYO = re.compile(r"(네요|군요|거네요|거군요|시군요)[.!…]*$")
# "네, 그래요." but not "네 시에", "네 명이".
OPENS_IN_NE = re.compile(r"네([.,!…~]|$| (?!시|명|번|살|개|달|사람|가지|식구|과목|군데|통|장|잔|병))")
NOT_X_BUT_Y = re.compile(r"\S+(이|가|은|는|게|건) 아니라 |아니라,|\S+보다는 \S+에 가까")
IDENTITY_PRAISE = re.compile(r"(하는|하시는|있는|있으신|아는|아시는|\S[은는]|\S신) (사람|분)(이|이세|이시|이네|인|이에)\S*")
SCALING = re.compile(r"0(점)?(이|은|을|부터|에서|~|-).{0,40}10|10점 만점|1(점)?(부터|에서|이).{0,30}10")
# Words a critical reader found in every third dialogue: worn in themselves, whatever the context.
WORN = ("첫걸음", "작은 변화", "큰 발전", "주목할 만", "진정한 ", "앞서 언급", "당신", " 귀하", "어떻게 느끼시나요", "어떻게 느껴지시나요",
        "바로 그거예요", "그 말이 딱", "이대로는 안 되는데", "뭐라도 해야 하는데", "뭐라도 하긴 해야", "장담은 못", "약속은 아니")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habit:
    """One habit: how often (`share` of `base`, both counts of `of`) and the most allowed, or the least."""

    name: str
    count: int
    base: int
    of: str
    most: float = 1.0
    least: float = 0.0

    @property
    def share(self) -> float:
        """Occurrences per base, 0-1."""
        return self.count / self.base if self.base else 0.0

    @property
    def over(self) -> bool:
        """True where the share lies outside its limits."""
        return not self.least <= self.share <= self.most


def habits(dialogues: Iterable[Dialogue]) -> list[Habit]:
    """All habits over `dialogues`; limits as the corpus must meet them."""
    dialogues = list(dialogues)
    turns = [turn for dialogue in dialogues for turn in dialogue.utterances]
    therapist = [turn for turn in turns if turn.role == "therapist"]
    client = [turn for turn in turns if turn.role == "client"]
    reflections = [turn for turn in therapist if turn.label in REFLECTIONS]
    affirmations = [turn for turn in therapist if turn.label == "Affirm"]
    opening = Counter(" ".join(turn.utterance_ko.split()[:2]) for turn in therapist)
    worn = [phrase for turn in turns for phrase in WORN if phrase in turn.utterance_ko]
    return [
        _turns("reflections ending in -네요/-군요", reflections, lambda t: ENDS_IN_NEYO.search(t), "reflections", 0.42),
        _turns("'X가 아니라 Y'", therapist, lambda t: NOT_X_BUT_Y.search(t), "therapist turns", 0.04),
        _turns("identity praise in affirmations", affirmations, lambda t: IDENTITY_PRAISE.search(t), "affirmations", 0.08),
        _turns("client turns opening with 네", client, lambda t: OPENS_IN_NE.match(t), "client turns", 0.12),
        _turns("client turns opening with …", client, lambda t: re.match(r"(…|\.\.)", t), "client turns", 0.04),
        Habit("worn phrases", len(worn), len(turns), "turns", 0.005),
        Habit("most common first two words", max(opening.values(), default=0), len(therapist), "therapist turns", 0.01),
        _dialogues("0-10 scaling", dialogues, lambda d: any(SCALING.search(t.utterance_ko) for t in d.utterances), most=0.25),
        _dialogues("a reflection corrected", dialogues, lambda d: any(t.corrects_reflection for t in d.utterances), least=0.25),
        _dialogues("'다음에 들려주세요' closings", dialogues, _told_next_time, most=0.20),
    ]


def recurring(dialogues: Iterable[Dialogue], *, words: int = 3, at_least: int = 3) -> list[tuple[str, int]]:
    """Word sequences found in `at_least` or more dialogues, most widespread first: what to avoid next."""
    found: Counter[str] = Counter()
    for dialogue in dialogues:
        tokens = [turn.utterance_ko.split() for turn in dialogue.utterances]
        found.update({" ".join(row[i : i + words]) for row in tokens for i in range(len(row) - words + 1)})
    return [(span, count) for span, count in found.most_common() if count >= at_least]


def _turns(name: str, turns: Sequence[Utterance], found: Callable[[str], object], of: str, most: float) -> Habit:
    return Habit(name, sum(bool(found(turn.utterance_ko)) for turn in turns), len(turns), of, most)


def _dialogues(name: str, dialogues: Sequence[Dialogue], found: Callable[[Dialogue], bool], *, most: float = 1.0, least: float = 0.0) -> Habit:
    return Habit(name, sum(found(dialogue) for dialogue in dialogues), len(dialogues), "dialogues", most, least)


def _told_next_time(dialogue: Dialogue) -> bool:
    last = dialogue.utterances[-1].utterance_ko
    return re.search(r"(다음|그때)\S*( \S+){0,6} (들려|이야기해|말씀해|알려) ?주", last) is not None
