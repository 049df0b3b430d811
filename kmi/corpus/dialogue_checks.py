"""Checks of a whole dialogue: shape, every utterance, codes, safety.

A session that passes can enter a dataset; one that does not is kept aside with its findings.

Not covered: limits over many dialogues (repetition across sessions, distributions).
"""

from dataclasses import dataclass
from itertools import pairwise

from kmi.corpus.utterance_checks import check_utterance
from kmi.dialogue import Dialogue

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
    """A crisis session holds a direct check (a closed question) and names 109 after it."""
    if dialogue.arc != "crisis":
        return []
    therapist = [turn for turn in dialogue.utterances if turn.role == "therapist"]
    found = []
    if not any("109" in turn.utterance_ko for turn in therapist):
        found.append(("crisis_line", "위기 회기인데 109를 알려 주지 않습니다."))
    if not any(turn.label == "Closed Question" and _asks_about_death(turn.utterance_ko) for turn in therapist):
        found.append(("safety_check", "위기 회기인데 죽음이나 안전을 직접 묻지 않습니다."))
    return found


def _asks_about_death(text: str) -> bool:
    return any(word in text for word in ("죽", "자살", "목숨", "생을", "해치", "사라지", "자해", "안전", "세상을", "위험", "때리", "맞"))
