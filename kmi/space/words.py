"""Every visible word of the Space, in Korean and English, from `words.toml`.

Not covered: names of codes (`kmi.codes`), the guard's fixed texts (`kmi.chatbot.guard`).
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from kmi import codes

RANKED = re.compile(r"rank (\d) of the forecast \(p ([\d.]+)\)")
# Features of the forecaster that are 0 or 1; the others are quantities.
FLAG = re.compile(r"(label|talk) lag\d=.*|label last substance=.*|label none yet|position (within|after) .*|text hangul|text \w+ lag\d (known|short|minimal|asks|asks_within|trails_off|unclosed)")
SPOKEN = ("therapist lag1", "therapist lag2", "client lag1", "client lag2", "therapist", "client")
LANGUAGES = {"ko": "한국어", "en": "English"}


def word(key: str, language: str, **values: object) -> str:
    """The words under `key` ("chat.send") with `values` filled in.

    Raises:
        KeyError: there is no such key: a bug, not bad input.
    """
    tab, _, name = key.partition(".")
    return _words()[tab][name][language].strip().format(**values)


def label_name(label: str, language: str) -> str:
    """A therapist label or talk type in the visitor's language; unknown ones as they are."""
    if label in codes.TALK:
        return word(f"talk.{label}", language)
    return code_name(codes.THERAPIST[label], language) if label in codes.THERAPIST else label


def code_name(code: codes.Code, language: str) -> str:
    """Any code's name in the visitor's language."""
    return code.ko if language == "ko" else code.en or code.name.replace("_", " ")


def words_of(table: str) -> list[dict[str, str]]:
    """All words of a table, each in every language."""
    return list(_words()[table].values())


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def cue_text(cue: str, value: float, usual: float, language: str) -> str:
    """What a feature of the forecaster says of a session, where it is `value` and `usual` in other sessions, in the visitor's language."""
    base, _, code = cue.partition("=")
    code = label_name(code, language)
    name = _cue_name(base, code, language)
    if not FLAG.fullmatch(cue):
        return word("forecast.more" if value > usual else "forecast.less", language, cue=name)
    if code:
        return word("forecast.code_yes" if value else "forecast.code_no", language, cue=name, code=code)
    return name if value else word("forecast.no", language, cue=name)


def _cue_name(base: str, code: str, language: str) -> str:
    if base in _words()["cue"]:
        return word(f"cue.{base}", language, code=code)
    # "text client lag1 asks": whose turn, and what about it
    who, what = next((who, base.removeprefix(f"text {who} ")) for who in SPOKEN if base.startswith(f"text {who} "))
    return f"{word('cue.' + who.replace(' ', '_'), language)}: {word(f'cue.{what}', language)}"


def reason_text(reason: str, language: str) -> str:
    """Why the decision module chose a label, in the visitor's language; what is not known is shown as it is."""
    ranked = RANKED.match(reason)
    return word("reason.rank", language, rank=ranked[1], p=ranked[2]) if ranked else begun("reason", reason, language)


def begun(table: str, text: str, language: str) -> str:
    """The words of `table` for a text that begins like one of its keys, the longest first; the text itself where none fits."""
    key = max((key for key in _words()[table] if text.startswith(key)), key=len, default="")
    return word(f"{table}.{key}", language) if key else text
