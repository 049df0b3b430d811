"""Every visible word of the Space, in Korean and English, from `words.toml`.

Not covered: names of codes (`kmi.codes`), the guard's fixed texts (`kmi.chatbot.guard`).
"""

import re
import tomllib
from functools import cache
from pathlib import Path

from kmi import codes

RANKED = re.compile(r"rank (\d) of the forecast \(p ([\d.]+)\)")
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
    code = {**codes.THERAPIST, **codes.TALK}.get(label)
    return (code.ko if language == "ko" else code.en or code.name) if code else label


@cache
def _words() -> dict[str, dict[str, dict[str, str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def cue_name(cue: str, language: str) -> str:
    """What a feature of the forecaster looks at, in the visitor's language."""
    base, _, code = cue.partition("=")
    if base in _words()["cue"]:
        name = word(f"cue.{base}", language)
    else:  # "text client lag1 asks": whose turn, and what about it
        who, what = next((who, base.removeprefix(f"text {who} ")) for who in SPOKEN if base.startswith(f"text {who} "))
        whose = word("cue." + who.replace(" ", "_"), language)
        name = f"{whose}: {word(f'cue.{what}', language)}"
    return f"{name} ({label_name(code, language)})" if code else name


def reason_text(reason: str, language: str) -> str:
    """Why the decision module chose a label, in the visitor's language; what is not known is shown as it is."""
    ranked = RANKED.match(reason)
    if ranked:
        return word("reason.rank", language, rank=ranked[1], p=ranked[2])
    begins = next((key for key in _words()["reason"] if reason.startswith(key)), None)
    return word(f"reason.{begins}", language) if begins else reason
