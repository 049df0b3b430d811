"""The guard behind the model: what a model wrote is shown to a person only if none of this stands in it.

Encouragement to harm, method, diagnosis, medication instruction, promises nobody can keep, a retired or unknown phone number, and
what a broken model lets slip (role marks, other languages). Fixed patterns (`guard_output.toml`), no model; never behind a setting.

Not covered: what the person wrote (`kmi.chatbot.guard`); whether a reply is good counselling.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files

from kmi.chatbot.guard_patterns import with_optional_spaces
from kmi.chatbot.guard_spelling import plain
from kmi.corpus.utterance_checks import CRISIS_LINES, EMAIL, MARKERS, RETIRED_LINE, ROLE_LEAK
from kmi.dialogue import is_whole

LONGEST = 600
# Three digits may be won, days or points; with a call word beside them they are a number to dial.
LONG_NUMBER = re.compile(r"(?<![\d,.])\d{2,4}[-–. ]\d{3,4}(?:[-–. ]\d{4})?(?![\d,.])|(?<![\d,.])01\d{8,9}(?!\d)")
DIALLED = re.compile(r"(?<![\d,.-])(1\d{2,3})(?![\d,.]|-\d)(?=[^.!?]{0,14}(?:전화|번호|번으로|번에|상담|걸|신고|문자|연락|call|line|dial))|(?:전화|번호|상담|연락|call|dial)[^.!?\d]{0,14}(?<![\d,.-])(1\d{2,3})(?![\d,.]|-\d)")
SLIPS = re.compile(r"\|>|(?:^|\n)\s*[\[(<]?system[\])>]?\s*[:：]|https?://|www\.", re.I)
FOREIGN = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff\u0400-\u04ff\u0600-\u06ff\u0e00-\u0e7f]")


def fault(reply: str) -> str | None:
    """Why a model's reply must not be shown ("diagnosis", "phone_number", ...), or None."""
    if not reply.strip() or not is_whole(reply):
        return "empty"
    if len(reply) > LONGEST:
        return "too_long"
    if any(marks.search(reply) for marks in (ROLE_LEAK, MARKERS, SLIPS)) or len(FOREIGN.findall(reply)) > 3:
        return "slip"
    if RETIRED_LINE.search(reply):
        return "retired_number"
    if EMAIL.search(reply) or unknown_numbers(reply):
        return "phone_number"
    text = plain(reply)
    return next((name for name, pattern in _patterns().items() if pattern.search(text)), None)


def unknown_numbers(reply: str) -> list[str]:
    """Phone numbers in a reply that are not one of the lines KMI names."""
    dialled = [first or second for first, second in DIALLED.findall(reply)]
    return [number for number in [*LONG_NUMBER.findall(reply), *dialled] if re.sub(r"[–. ]", "-", number.strip()) not in CRISIS_LINES]


@cache
def _patterns() -> dict[str, re.Pattern]:
    tables = tomllib.loads(files("kmi.chatbot").joinpath("guard_output.toml").read_text(encoding="utf-8"))
    return {name: re.compile("|".join(f"(?:{with_optional_spaces(pattern)})" for pattern in patterns), re.I) for name, patterns in tables.items()}
