"""Does a client's post speak of danger to life? A word list that steers simulations.

It looks at one post, before a simulation starts, and errs towards yes. Not covered: people,
whom the crisis guard protects (`kmi.chatbot.guard`).
"""

import re
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("danger_words.txt")


@cache
def _patterns() -> tuple[re.Pattern, ...]:
    """One by one: joined they are searched at half the speed."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return tuple(re.compile(_spaced(line.strip())) for line in lines if line.strip() and not line.startswith("#"))


def _spaced(pattern: str) -> str:
    """A space not already optional becomes so: people leave spaces out."""
    return re.sub(r" (?!\?)", " ?", pattern)


def speaks_of_danger(text: str) -> bool:
    """True where the text mentions suicide, self-harm or being killed."""
    text = re.sub(r"[\s.,~!…·ㅠㅜㅋ]+", " ", text)
    return any(pattern.search(text) for pattern in _patterns())
