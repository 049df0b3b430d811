"""Reading one turn out of a writer's answer, tolerantly.

Asked for: one line of the compact notation, `T CR | 한국어 | English`. Small models give less;
a bare sentence is taken as the Korean text with the code that was asked for. What cannot be
read is left in the text, where the checks find it and ask again.
"""

import re

from kmi import codes
from kmi.dialogue import Utterance
from kmi.errors import DataError
from kmi.writers.base import answer_text

# Spaces around a text are its own here: trimmed by the pattern they would cost the cube of their number.
LINE = re.compile(r"^(?:[-*]\s*)?(?:[TC]\s+)?(?P<code>[A-Za-z_/>]+)(?:\s+!fix)?\s*\|(?P<ko>[^|]*)(?:\|(?P<en>[^|]*))?\|?$")
MARKED = re.compile(r"^[\[(](?P<code>[A-Za-z_/]+)[\])]\s*(?P<ko>.+)$", re.S)
QUOTES = "\"'“”‘’「」"


def read_therapist(text: str, label: str) -> Utterance:
    """A therapist turn: the label written in the answer, else the one asked for."""
    code, ko, en = _parts(text)
    if code is not None:
        try:
            label = codes.label_of(code.rpartition(">")[2].upper())
        except DataError:
            ko = _said(text)
    return Utterance("therapist", ko, en, label=label)


def read_client(text: str, talk: str, subtype: str | None) -> Utterance:
    """A client turn: the talk type marked in the answer, else the one asked for."""
    code, ko, en = _parts(text)
    if code is not None:
        try:
            talk, subtype = codes.split_talk(code.lower())
        except DataError:
            ko = _said(text)
    return Utterance("client", ko, en, talk=talk, talk_subtype=subtype)


def _said(text: str) -> str:
    """Without thoughts and code fences."""
    return answer_text(text).replace("```", "").strip()


def _parts(text: str) -> tuple[str | None, str, str]:
    text = _said(text)
    for line in text.splitlines():
        found = LINE.match(line.strip())
        if found:
            return found["code"], _bare(found["ko"]), _bare(found["en"] or "")
    found = MARKED.match(text)
    if found:
        return found["code"], _bare(found["ko"]), ""
    return None, _bare(text), ""


def _bare(text: str) -> str:
    """Without the quotation marks that some models wrap around a whole answer."""
    text = text.strip()
    wrapped = len(text) > 1 and text[0] in QUOTES and text[-1] in QUOTES
    return text[1:-1].strip() if wrapped and not any(mark in text[1:-1] for mark in QUOTES) else text
