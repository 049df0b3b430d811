"""The MI codes: therapist labels, client talk, DARN-CAT, processes, categories, arcs, endings.

Definitions live in `codes.toml`, crosswalks to MITI 4.2.1, MISC 2.5 and AnnoMI in
`crosswalks.toml`; this module gives them names and types. A label's value everywhere
in KMI is its full English name ("Complex Reflection"), as in the reference release;
the two-letter abbreviation ("CR") is used only in the compact notation.

Not covered: how to code an utterance (see the coder) and how often codes occur
(see `kmi.metrics`).
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kmi.errors import DataError, allowed

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its stored value, its names, its definition and an example in both languages."""

    name: str
    ko: str
    en: str = ""
    abbreviation: str = ""
    slug: str = ""
    kind: str = ""  # therapist labels: "reflection", "question" or "other"
    mobilising: bool = False  # DARN-CAT: True for the CAT half
    definition_ko: str = ""
    definition_en: str = ""
    example_ko: str = ""
    example_en: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """How to code a turn of `role` that is more than one thing."""

    role: str
    ko: str
    en: str


def _entries(table: str) -> list[dict]:
    with (HERE / "codes.toml").open("rb") as file:
        return tomllib.load(file)[table]


def _load(table: str) -> dict[str, Code]:
    entries = _entries(table)
    # Categories have no separate Korean name: their stored value is the Korean one.
    return {entry["name"]: Code(**{"ko": entry["name"], **entry}) for entry in entries}


THERAPIST = _load("therapist")
TALK = _load("talk")
SUBTYPES = _load("subtype")
PROCESSES = _load("process")
CATEGORIES = _load("category")
ARCS = _load("arc")
ENDINGS = _load("ending")
RULES = tuple(Rule(**entry) for entry in _entries("rule"))

THERAPIST_LABELS: tuple[str, ...] = tuple(THERAPIST)
"""The 8 labels in the canonical order that every probability vector in KMI follows."""
TALK_TYPES: tuple[str, ...] = tuple(TALK)
TALK_SUBTYPES: tuple[str, ...] = tuple(SUBTYPES)
ROLES: tuple[str, ...] = ("therapist", "client")
SPLITS: tuple[str, ...] = ("train", "validation", "test")

ABBREVIATIONS = {code.abbreviation: code.name for code in THERAPIST.values()}
REFLECTIONS = frozenset(code.name for code in THERAPIST.values() if code.kind == "reflection")
QUESTIONS = frozenset(code.name for code in THERAPIST.values() if code.kind == "question")


def label_of(abbreviation: str) -> str:
    """Full label name of a two-letter abbreviation; `DataError` names the allowed ones."""
    if abbreviation not in ABBREVIATIONS:
        raise DataError(f"Expected a therapist label among {allowed(ABBREVIATIONS)}, got {abbreviation!r}.")
    return ABBREVIATIONS[abbreviation]


def split_talk(code: str) -> tuple[str, str | None]:
    """Splits "change/desire" into talk type and DARN-CAT subtype; the subtype may be absent.

    Only change talk has a subtype. Raises `DataError` on anything else.
    """
    talk, _, subtype = code.partition("/")
    if talk not in TALK:
        raise DataError(f"Expected a client talk type among {allowed(TALK_TYPES)}, got {code!r}.")
    if subtype and (talk != "change" or subtype not in SUBTYPES):
        raise DataError(f"Expected change/<subtype> with a subtype among {allowed(TALK_SUBTYPES)}, got {code!r}.")
    return talk, subtype or None


@cache
def _crosswalks() -> dict:
    with (HERE / "crosswalks.toml").open("rb") as file:
        return tomllib.load(file)


def crosswalk(scheme: str, *, to_kmi: bool) -> dict[str, list[str]]:
    """Maps codes between KMI and another scheme ("miti", "misc" or "annomi").

    Args:
        scheme: the other coding scheme.
        to_kmi: True maps the scheme's codes to KMI labels, False the other way round.

    Returns:
        For each code the possible counterparts: one where the mapping is exact, several
        where the code alone cannot tell, none where the other side cannot express it.
    """
    table = _crosswalks()["to_kmi" if to_kmi else "from_kmi"]
    if scheme not in table:
        raise DataError(f"Expected a coding scheme among {allowed(table)}, got {scheme!r}.")
    return table[scheme]


def talk_crosswalk(scheme: str) -> dict[str, str]:
    """Maps a scheme's client codes ("misc" or "annomi") to KMI talk, e.g. "D+" to "change/desire"."""
    table = _crosswalks()["talk_to_kmi"]
    if scheme not in table:
        raise DataError(f"Expected a client coding scheme among {allowed(table)}, got {scheme!r}.")
    return table[scheme]
