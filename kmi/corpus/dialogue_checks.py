"""Checks of a whole dialogue: shape, every utterance, codes, safety.

A session that passes can enter a dataset; one that does not is kept aside with its findings.

Not covered: limits over many dialogues (repetition across sessions, distributions).
"""

import re
from dataclasses import dataclass
from itertools import pairwise

from kmi.corpus.utterance_checks import check_utterance, names
from kmi.dialogue import Dialogue

# Words by which a question asks about death, self-harm or being hurt by someone.
DIRECT_CHECK = re.compile(
    r"죽|자살|자해|목숨|생을|스스로를? ?(다치|해치|아프)|(나를|자신을|몸을|본인을|누구를?|누가) ?(다치|해치|때리)|"
    r"사라지|사라졌|없어지고|없어졌|안 깼으면|깨지 않|세상을|위험한|안전|맞은 적|맞고|때리|때린|폭력"
)
MIN_UTTERANCES, MAX_UTTERANCES = 17, 31


@dataclass(frozen=True, slots=True)
class DialogueFinding:
    """One failed check and where: `turn` counts from 0, None for the dialogue as a whole."""

    dialogue_id: str
    turn: int | None
    rule: str
    message: str

    def __str__(self) -> str:
        place = "" if self.turn is None else f", turn {self.turn}"
        return f"{self.dialogue_id}{place}: {self.rule}: {self.message}"


def check_dialogue(dialogue: Dialogue) -> list[DialogueFinding]:
    """All findings about one dialogue, in order; empty where it is fit for the dataset."""
    findings = [DialogueFinding(dialogue.id, None, rule, text) for rule, text in [*_shape(dialogue), *_safety(dialogue)]]
    for number, turn in enumerate(dialogue.utterances):
        found = [(f.rule, f.message) for f in check_utterance(turn, dialogue.utterances[:number])]
        if turn.role == "therapist" and turn.label is None:
            found.append(("label_missing", "상담자 발화에 라벨이 없습니다."))
        if turn.role == "client" and turn.talk is None:
            found.append(("talk_missing", "내담자 발화에 대화 유형이 없습니다."))
        findings += [DialogueFinding(dialogue.id, number, rule, text) for rule, text in found]
    return findings


def _shape(dialogue: Dialogue) -> list[tuple[str, str]]:
    roles = [turn.role for turn in dialogue.utterances]
    found = []
    if not MIN_UTTERANCES <= len(roles) <= MAX_UTTERANCES:
        found.append(("utterances", f"발화가 {len(roles)}개입니다. {MIN_UTTERANCES}-{MAX_UTTERANCES}개여야 합니다."))
    if roles[0] != "therapist" or roles[-1] != "therapist":
        found.append(("therapist_frames", "상담자의 말로 시작하고 끝나야 합니다."))
    if any(a == b for a, b in pairwise(roles)):
        found.append(("alternation", "두 사람이 번갈아 말해야 합니다."))
    return found


def _safety(dialogue: Dialogue) -> list[tuple[str, str]]:
    """A crisis session holds a direct check (a closed question) and names 109 in that turn or after it."""
    if dialogue.arc != "crisis":
        return []
    therapist = [turn for turn in dialogue.utterances if turn.role == "therapist"]
    checks = [n for n, turn in enumerate(therapist) if turn.label == "Closed Question" and DIRECT_CHECK.search(turn.utterance_ko)]
    found = []
    if not any(names(turn.utterance_ko, "109") for turn in therapist[checks[0] if checks else 0 :]):
        found.append(("crisis_line", "위기 회기인데 안전을 물은 뒤에 109를 알려 주지 않습니다."))
    if not checks:
        found.append(("safety_check", "위기 회기인데 죽음이나 안전을 직접 묻지 않습니다."))
    return found
