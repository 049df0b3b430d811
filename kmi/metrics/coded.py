"""Coded dialogues as arrays: what every metric counts.

`from_dialogues` takes KMI's records, `from_turns` transcripts coded in KMI, MITI, MISC or AnnoMI codes.
Text is gone by then: metrics see who spoke, the therapist's code, the client's talk.

Not covered: coding a transcript that has no codes (`kmi.coder`), reading files (`kmi.corpus.readers`).
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from kmi import codes
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed

THERAPIST, CLIENT = 0, 1
CHANGE, SUSTAIN, NEUTRAL = (codes.TALK_TYPES.index(name) for name in ("change", "sustain", "neutral"))
ROLE = {"therapist": THERAPIST, "client": CLIENT}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A coding scheme: its therapist `codes`, the `groups` it can tell, and `why` it cannot tell others."""

    name: str
    codes: tuple[str, ...]
    groups: Mapping[str, frozenset[str]]
    why: str

    def members(self, *groups: str) -> np.ndarray | None:
        """Indices of the codes in these groups together; None where one of them cannot be told."""
        if not all(group in self.groups for group in groups):
            return None
        names = frozenset().union(*(self.groups[group] for group in groups))
        return np.array([i for i, code in enumerate(self.codes) if code in names])


@cache
def scheme(name: str) -> Scheme:
    """A scheme by name: "kmi", "miti", "misc" or "annomi"."""
    table = tomllib.loads(Path(__file__).with_name("schemes.toml").read_text(encoding="utf-8"))
    if name not in table:
        raise DataError(f"Expected a coding scheme among {allowed(table)}, got {name!r}.")
    groups = {key: frozenset(value) for key, value in table[name].items() if key not in ("codes", "why")}
    return Scheme(name, tuple(table[name]["codes"]), groups, table[name]["why"])


@dataclass(frozen=True, slots=True)
class CodedDialogues:
    """Turns of all dialogues one after the other, as arrays of one length.

    `dialogue` numbers the dialogue of each turn from 0; `role` is THERAPIST or CLIENT; `label` indexes
    `scheme.codes`, `talk` TALK_TYPES and `subtype` TALK_SUBTYPES, -1 where there is none.
    """

    scheme: Scheme
    ids: tuple[str, ...]
    dialogue: np.ndarray
    role: np.ndarray
    label: np.ndarray
    talk: np.ndarray
    subtype: np.ndarray

    def __len__(self) -> int:
        """Number of dialogues."""
        return len(self.ids)

    def per_dialogue(self, where: np.ndarray, values: np.ndarray | None = None, size: int = 1) -> np.ndarray:
        """Counts of turns in each dialogue, [dialogues, size].

        Args:
            where: which turns count, as a mask.
            values: what of 0..size-1 each turn is; without it turns are just counted.
            size: how many values there are.
        """
        column = 0 if values is None else values[where].astype(np.int64)
        cells = np.bincount(self.dialogue[where] * size + column, minlength=len(self) * size)
        return cells.reshape(len(self), size)

    def client_places(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """For the client turns in order: their index among all turns, their number in the dialogue, that dialogue's count."""
        turns = np.flatnonzero(self.role == CLIENT)
        dialogue = self.dialogue[turns]
        counts = np.bincount(dialogue, minlength=len(self))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else np.zeros(0, dtype=np.int64)
        return turns, np.arange(len(turns)) - starts[dialogue], counts[dialogue]


def from_dialogues(dialogues: Iterable[Dialogue]) -> CodedDialogues:
    """KMI dialogues as arrays; realised labels count, plans do not."""
    rows = _Rows(scheme("kmi"))
    for dialogue in dialogues:
        rows.dialogue(dialogue.id)
        for turn in dialogue.utterances:
            rows.turn(turn.role, turn.label, turn.talk, turn.talk_subtype)
    return rows.coded()


def from_turns(dialogues: Iterable[tuple[str, Sequence[Mapping[str, Any]]]], of_scheme: str = "kmi") -> CodedDialogues:
    """Coded transcripts as arrays.

    Args:
        dialogues: id and turns of each. A turn has "role" and, for a therapist, "label", for a client
            "talk" (KMI's, AnnoMI's or a MISC code such as "R+", with "talk_subtype" beside it or "change/reason").
        of_scheme: "kmi", "miti", "misc" or "annomi": what the therapist labels are codes of.

    Raises:
        DataError: naming dialogue, turn, value and what is allowed, for the first wrong one.
    """
    rows = _Rows(scheme(of_scheme))
    for id_, turns in dialogues:
        if not turns:
            raise DataError(f"dialogue {id_!r} is empty; a dialogue needs at least one turn.")
        rows.dialogue(str(id_))
        for number, turn in enumerate(turns):
            where = f"dialogue {id_!r}, turn {number}"
            role, label, talk = turn.get("role"), turn.get("label") or None, turn.get("talk") or None
            if role not in ROLE:
                raise DataError(f"{where}: role is {role!r}; allowed are {allowed(codes.ROLES)}.")
            if (label and role == "client") or (talk and role == "therapist"):
                raise DataError(f"{where}: a {role} turn carries {label or talk!r}; therapists have 'label', clients have 'talk'.")
            if label and label not in rows.label_index:
                raise DataError(f"{where}: label {label!r} is no code of {of_scheme!r}; {_other_schemes(label)}{_allowed(rows)}.")
            talk, subtype = _talk(talk, where)
            rows.turn(role, label, talk, subtype or turn.get("talk_subtype") or None)
    return rows.coded()


def _other_schemes(label: str) -> str:
    others = [name for name in ("kmi", "miti", "misc", "annomi") if label in scheme(name).codes]
    return f"it is one of {others[0]!r} (pass scheme={others[0]!r}, and one scheme at a time); " if others else ""


def _allowed(rows: "_Rows") -> str:
    return f"allowed are {allowed(rows.label_index, 30)}"


def _talk(talk: str | None, where: str) -> tuple[str | None, str | None]:
    """Talk type and subtype of a KMI talk code or a MISC client code."""
    if talk is None:
        return None, None
    misc = codes.talk_crosswalk("misc")
    try:
        return codes.split_talk(misc.get(talk, talk))
    except DataError:
        raise DataError(f"{where}: talk {talk!r} is unknown; allowed are {allowed([*codes.TALK_TYPES, 'change/<subtype>', *misc], 30)}.") from None


class _Rows:
    """Collects turns into columns."""

    def __init__(self, of_scheme: Scheme) -> None:
        self.scheme = of_scheme
        self.label_index = {name: i for i, name in enumerate(of_scheme.codes)}
        self.ids: list[str] = []
        self.columns: tuple[list[int], ...] = ([], [], [], [], [])

    def dialogue(self, id_: str) -> None:
        self.ids.append(id_)

    def turn(self, role: str, label: str | None, talk: str | None, subtype: str | None) -> None:
        values = (len(self.ids) - 1, ROLE[role], _index(self.label_index, label), _index(TALK_INDEX, talk), _index(SUBTYPE_INDEX, subtype))
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

    def coded(self) -> CodedDialogues:
        dialogue, *rest = self.columns
        arrays = (np.array(column, dtype=np.int8) for column in rest)
        return CodedDialogues(self.scheme, tuple(self.ids), np.array(dialogue, dtype=np.int64), *arrays)


TALK_INDEX = {name: i for i, name in enumerate(codes.TALK_TYPES)}
SUBTYPE_INDEX = {name: i for i, name in enumerate(codes.TALK_SUBTYPES)}


def _index(known: Mapping[str, int], name: str | None) -> int:
    return -1 if name is None else known[name]
