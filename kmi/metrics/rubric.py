"""What raters are asked: items with their questions and anchors in Korean and English, each rated 1 to 5.

Not covered: what is made of the ratings (`kmi.metrics.ratings`).
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

LOWEST, HIGHEST = 1, 5


@dataclass(frozen=True, slots=True)
class Item:
    """One question; `low_*` and `high_*` say what 1 and 5 mean."""

    name: str
    group: str
    ko: str
    en: str
    question_ko: str
    question_en: str
    low_ko: str
    high_ko: str
    low_en: str
    high_en: str


def _items() -> dict[str, Item]:
    table = tomllib.loads(Path(__file__).with_name("rubric.toml").read_text(encoding="utf-8"))
    return {entry["name"]: Item(**entry) for entry in table["item"]}


ITEMS = _items()
GROUPS = tuple(dict.fromkeys(item.group for item in ITEMS.values()))
