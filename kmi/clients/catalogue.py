"""The catalogue of lives: concrete Korean situations per category, and the axes around them.

`catalogue/<category slug>.toml` holds the subtopics, `catalogue/axes.toml` speech styles,
resistance styles and readiness. `check_catalogue` is what the tests run over all of it.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kmi.codes import CATEGORIES
from kmi.errors import DataError

FOLDER = Path(__file__).with_name("catalogue")


@dataclass(frozen=True, slots=True)
class Subtopic:
    """One situation; the lists are alternatives to draw from, in Korean."""

    id: str
    ko: str
    en: str
    age_bands: tuple[str, ...]
    genders: tuple[str, ...]
    occupations: tuple[str, ...]
    problems: tuple[str, ...]
    ambivalence: tuple[str, ...]
    targets: tuple[str, ...]
    mandated_by: str
    risk_plausible: bool
    category: str


@cache
def subtopics() -> tuple[Subtopic, ...]:
    """All subtopics, in the order of the categories and files."""
    found = []
    for category in CATEGORIES.values():
        for entry in _load(FOLDER / f"{category.slug}.toml")["subtopic"]:
            lists = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
            found.append(Subtopic(**lists, category=category.name))
    ids = [subtopic.id for subtopic in found]
    if len(set(ids)) != len(ids):
        raise DataError(f"The catalogue holds the same subtopic id twice: {max(ids, key=ids.count)!r}.")
    return tuple(found)


@cache
def axes() -> dict[str, list[dict]]:
    """The axes: "speech_style", "resistance_style" and "readiness", each a list of weighted entries."""
    return _load(FOLDER / "axes.toml")


def age_of(band: str) -> int | None:
    """A typical age in years for a band such as "30대 초반" or "70대"; None for anything else."""
    found = re.fullmatch(r"([1-8]0)대 ?(초반|중반|후반|)", band.strip())
    return int(found[1]) + {"초반": 1, "중반": 5, "후반": 8, "": 5}[found[2]] if found else None


def _load(path: Path) -> dict:
    with path.open("rb") as file:
        return tomllib.load(file)
