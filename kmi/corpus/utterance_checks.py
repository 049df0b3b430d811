"""Checks of one utterance against what was asked for.

Used turn by turn while a session is simulated (a turn that fails is asked again with the
message) and over the whole corpus. A check returns a `Finding` with the rule's name and a
Korean message that a writer can act on; the list is empty where all is well.

Not covered: checks over a whole dialogue (`kmi.corpus.dialogue_checks`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kmi.codes import QUESTIONS, THERAPIST
from kmi.corpus import korean
from kmi.dialogue import Utterance, is_whole

# Characters. The longest turns of the first 150 dialogues have 165 (therapist) and 196 (client).
MAX_LENGTH = {"therapist": 260, "client": 420}
MAX_SENTENCES = {"therapist": 5, "client": 9}
MIN_HANGUL_SHARE = 0.6
# ADHD, SNS, KTX: capitals are Korean text too.
ACRONYM = re.compile(r"(?<![A-Za-z])[A-Z]{2,5}(?![A-Za-z])")
# Above this a turn repeats an earlier one of the same session (share of matching characters).
MAX_SIMILARITY = 0.88

CRISIS_LINES = {"109", "1577-0199", "1388", "1366", "1336", "112", "117", "119"}
RETIRED_LINE = re.compile(r"(?<!\d)1393(?!\d)")
PHONE = re.compile(
    r"(?<!\d)(?:\+?82[-.\s]?|0)(?:2|3[1-3]|4[1-4]|5[0-5]|6[1-4]|1[016-9]|[78]0)[-.\s]?\d{3,4}[-.\s]?\d{4}(?!\d)"
    r"|(?<!\d)1(?:5\d\d|6\d\d|8\d\d)-\d{4}(?!\d)"
)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.\w+")
ROLE_LEAK = re.compile(r"(?:^|\n)\s*[\[(<【]?(?:상담자|상담사|치료자|내담자|therapist|counselor|client|assistant|user|[TC])[\])>】]?\s*[:：]", re.I)
ABBREVIATIONS = "|".join(code.abbreviation for code in THERAPIST.values())
NAMES = "|".join(re.escape(name) for code in THERAPIST.values() for name in (code.name, code.ko) if code.name != "General" and " " in name)
LABEL_LEAK = re.compile(
    rf"[\[(<【](?:{ABBREVIATIONS}|change|sustain|neutral)\b|^(?:{ABBREVIATIONS})\b|{NAMES}|변화 ?대화|유지 ?대화|(?:change|sustain) talk", re.I
)
MARKERS = re.compile(r"```|#\{|^==|\bCTX\b|!fix|\||<\|")


@dataclass(frozen=True, slots=True)
class Finding:
    """One failed check: `rule` is a stable name, `message` says in Korean what to change."""

    rule: str
    message: str


def check_utterance(turn: Utterance, earlier: Sequence[Utterance] = (), *, must_name: str = "") -> list[Finding]:
    """All findings about one turn.

    Args:
        turn: with its role, text and (therapist) label.
        earlier: the session's turns before it; a turn must not repeat one of them.
        must_name: text that has to occur, e.g. "109" in a safety turn.
    """
    text = turn.utterance_ko
    if not text.strip():
        return [Finding("empty", "한국어 문장이 비어 있습니다. 한 사람의 말을 써 주세요.")]
    if not is_whole(text + turn.utterance_en):
        return [Finding("broken_character", "깨진 글자가 있습니다. 다시 써 주세요.")]
    findings = [*_leaks(text), *_contacts(text), *_length(turn), *_language(text)]
    if not findings:  # morphology is only worth asking once the text is text
        findings = [*_label(turn), *_speech_level(turn)]
    if must_name and not names(text, must_name):
        findings.append(Finding("safety", f"이 말에는 {must_name}이(가) 꼭 들어가야 합니다."))
    return findings + _repetition(text, earlier)


def names(text: str, number: str) -> bool:
    """True if `number` stands in the text by itself, not inside a longer number."""
    return re.search(rf"(?<![\d.,-]){re.escape(number)}(?!\d|[.,-]\d)", text) is not None


def _leaks(text: str) -> list[Finding]:
    found = []
    if ROLE_LEAK.search(text):
        found.append(Finding("role_leak", "'상담자:' 같은 화자 표시 없이 말만 써 주세요."))
    if LABEL_LEAK.search(text):
        found.append(Finding("label_leak", "라벨 이름이나 기호를 말 속에 쓰지 마세요."))
    if MARKERS.search(text) or "\n" in text:
        found.append(Finding("marker", "표식이나 줄바꿈 없이 한 줄로 써 주세요."))
    return found


def _contacts(text: str) -> list[Finding]:
    if RETIRED_LINE.search(text):
        return [Finding("retired_line", "1393은 없어진 번호입니다. 109를 쓰세요.")]
    numbers = [match.group() for match in PHONE.finditer(text) if match.group().strip() not in CRISIS_LINES]
    if numbers or EMAIL.search(text):
        return [Finding("contact", "위기상담 번호 말고는 전화번호나 이메일을 쓰지 마세요.")]
    return []


def _length(turn: Utterance) -> list[Finding]:
    limit = MAX_LENGTH[turn.role]
    if len(turn.utterance_ko) > limit:
        return [Finding("length", f"너무 깁니다({len(turn.utterance_ko)}자). {limit}자 안으로 줄여 주세요.")]
    return []


def _language(text: str) -> list[Finding]:
    share = korean.hangul_share(ACRONYM.sub("", text))
    if share < MIN_HANGUL_SHARE or not re.search("[가-힣]", text):
        return [Finding("language", f"한국어로 써 주세요(지금 한글 비율 {share:.2f}).")]
    return []


def _label(turn: Utterance) -> list[Finding]:
    if turn.role != "therapist" or turn.label is None:
        return []
    asks = korean.asks(turn.utterance_ko)
    if turn.label in QUESTIONS and not asks and not korean.invites(turn.utterance_ko):
        return [Finding("not_a_question", f"{THERAPIST[turn.label].ko}인데 묻지 않습니다. 물음으로 써 주세요.")]
    # "해 보시면 어떨까요." is how Korean offers advice; with a question mark it is a question.
    offers = turn.label == "Advise" and "?" not in korean.QUOTED.sub("", turn.utterance_ko)
    if turn.label not in QUESTIONS and asks and not offers:
        return [Finding("asks", f"{THERAPIST[turn.label].ko}인데 묻고 있습니다. 물음 없이 써 주세요.")]
    return []


def _speech_level(turn: Utterance) -> list[Finding]:
    found = []
    if turn.role == "therapist" and not korean.is_polite(turn.utterance_ko):
        found.append(Finding("speech_level", "상담자의 말은 해요체나 합쇼체로 맺어 주세요."))
    count = len(korean.sentences(turn.utterance_ko))
    if count > MAX_SENTENCES[turn.role]:
        found.append(Finding("length", f"문장이 너무 많습니다({count}문장). 줄여 주세요."))
    return found


def _repetition(text: str, earlier: Sequence[Utterance]) -> list[Finding]:
    for number, turn in enumerate(earlier):
        same = text.strip() == turn.utterance_ko.strip()
        if same or (len(text) > 12 and _similar(text, turn.utterance_ko)):
            return [Finding("repetition", f"{number + 1}번째 말과 거의 같습니다. 다르게 써 주세요.")]
    return []


def _similar(a: str, b: str) -> bool:
    if min(len(a), len(b)) < 0.75 * max(len(a), len(b)):
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return matcher.real_quick_ratio() > MAX_SIMILARITY and matcher.quick_ratio() > MAX_SIMILARITY and matcher.ratio() > MAX_SIMILARITY
