"""The guard's first layer: what people say in danger, as patterns written by hand (`guard_patterns.toml`).

They are matched on one reading of a message (`guard_spelling`), after what only sounds like danger has been taken out of it.

Not covered: what hits mean together (`guard_classifier`), what is done about them (`guard`).
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

KINDS = ("suicide", "harm", "abuse", "other", "minor")
"""Suicide and self-harm, harm to others, violence suffered, somebody else at risk, and any of these told by someone under 19."""
FILE = "guard_patterns.toml"
TAKEN_OUT = " ◌ "


def hits(text: str) -> list[str]:
    """Names ("suicide/17") of the patterns found in a reading; of `harmless` and `minor` in the whole of it, of the rest in what is left."""
    patterns = _patterns()
    left = without_harmless(text)
    searched = {"harmless": text, "minor": text}
    return [f"{kind}/{number}" for kind, each in patterns.items() for number, pattern in enumerate(each) if pattern.search(searched.get(kind, left))]


def certain(text: str) -> tuple[str, str] | None:
    """Kind and words of a pattern that decides alone, or None."""
    left = without_harmless(text)
    for kind, pattern in _certain().items():
        found = pattern.search(left)
        if found:
            return kind, found.group()
    return None


def without_harmless(text: str) -> str:
    """The text without what only sounds like danger."""
    return _harmless().sub(TAKEN_OUT, text)


def source() -> str:
    """The pattern file; the classifier's weights fit one version of it only."""
    return files("kmi.chatbot").joinpath(FILE).read_text(encoding="utf-8")


@cache
def _patterns() -> dict[str, list[re.Pattern]]:
    return {kind: [re.compile(pattern) for pattern in _whole(kind, "patterns")] for kind in (*KINDS, "harmless")}


@cache
def _certain() -> dict[str, re.Pattern]:
    return {kind: re.compile("|".join(f"(?:{pattern})" for pattern in _whole(kind, "certain"))) for kind in KINDS if _tables()[kind].get("certain")}


@cache
def _harmless() -> re.Pattern:
    return re.compile("|".join(f"(?:{pattern})" for pattern in _whole("harmless", "patterns")))


@cache
def _tables() -> dict:
    return tomllib.loads(source())


def _whole(kind: str, group: str) -> Iterator[str]:
    """Patterns with the file's `{parts}` put in; people leave spaces out."""
    for pattern in _tables()[kind].get(group, ()):
        for name, part in _tables()["parts"].items():
            pattern = pattern.replace("{" + name + "}", part)
        yield with_optional_spaces(pattern)


def with_optional_spaces(pattern: str) -> str:
    """The regular expression with its spaces optional, but for those in [...] and those that are so already or counted."""
    return re.sub(r"(?<!\[) (?![?{*+\]])", " ?", pattern)
