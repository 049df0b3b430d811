"""Dialogues in whatever form a researcher has them, as plain turns that metrics code and coders read.

`plain_dialogues` takes a file that KMI can read, a `datasets` split (codes as class numbers), KMI or reference
records, AnnoMI's JSON sessions, flat rows (AnnoMI's table, the `utterances` config), lists of turns, or `Dialogue`s. Each
dialogue comes out as {"id", "dialogue": [{"role", "text", "label", "talk", "talk_subtype"}]}, "" where unknown.

Not covered: whether codes belong to a scheme (`kmi.metrics.coded`), file formats (`kmi.corpus.readers`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.corpus.readers import ROLE_NAMES, read_dialogues
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed

TURN_FIELDS = ("role", "text", "label", "talk", "talk_subtype")
# Other names for the same thing: the reference's JSON, AnnoMI's JSON and table.
ROLE_KEYS = ("role", "speaker", "interlocutor")
TEXT_KEYS = ("text", "utterance_ko", "utterance_en", "utterance", "utterance_text")
LABEL_KEYS = ("label", "code", "main_therapist_behaviour")
TALK_KEYS = ("talk", "client_talk_type")
DIALOGUE_KEYS = ("id", "dialogue_id", "transcript_id")
# The reference authors' JSON of AnnoMI calls General "Other" and does not part sustain from neutral talk.
ANNOMI_LABELS = {"Other": "General"}
NO_TALK = {"not change", "n/a"}

Plain = dict[str, Any]


def plain_dialogues(dialogues: Any) -> list[Plain]:
    """Every dialogue in the plain form; see the module docstring for what may come in.

    Raises:
        DataError: naming dialogue and turn, where a role is unknown or there is nothing to read.
    """
    if isinstance(dialogues, (str, Path)):
        return [_from_record(dialogue) for dialogue in read_dialogues(dialogues)]
    if not isinstance(dialogues, Iterable):
        raise DataError(f"Expected dialogues (a file path, a dataset split, a list), got {dialogues!r:.80}.")
    items = list(dialogues)
    if items and _is_row(items[0]):
        items = list(_grouped(items))
    return [_plain(item, number) for number, item in enumerate(items)]


def turns_of(dialogues: Iterable[Plain]) -> Iterator[tuple[str, Sequence[Plain]]]:
    """Id and turns of each plain dialogue, as `kmi.metrics.coded.from_turns` takes them."""
    return ((dialogue["id"], dialogue["dialogue"]) for dialogue in dialogues)


def _plain(item: Any, number: int) -> Plain:
    if isinstance(item, Dialogue):
        return _from_record(item)
    if isinstance(item, Mapping) and isinstance(item.get("dialogue"), Sequence):
        id_ = str(_first(item, DIALOGUE_KEYS, number))
        turns = item["dialogue"]
    elif isinstance(item, Sequence) and not isinstance(item, str):
        id_, turns = str(number), item
    else:
        raise DataError(
            f"dialogue {number}: expected a record with 'dialogue', or a list of turns, got {item!r:.80}.",
            "A turn is {'role': 'therapist', 'label': 'Open Question'} or {'role': 'client', 'talk': 'change'}.",
        )
    return {"id": id_, "dialogue": [_turn(turn, f"dialogue {id_!r}, turn {i}") for i, turn in enumerate(turns)]}


def _from_record(dialogue: Dialogue) -> Plain:
    turns = [
        {"role": t.role, "text": t.text, "label": t.label or "", "talk": t.talk or "", "talk_subtype": t.talk_subtype or ""}
        for t in dialogue.utterances
    ]
    return {"id": dialogue.id, "dialogue": turns}


def _turn(turn: Any, where: str) -> Plain:
    if not isinstance(turn, Mapping):
        raise DataError(f"{where}: expected an object with role and code, got {turn!r:.80}.")
    role = _role(_first(turn, ROLE_KEYS, ""), where)
    label = _name(_first(turn, LABEL_KEYS, ""), codes.THERAPIST_LABELS)
    talk = _name(_first(turn, TALK_KEYS, ""), codes.TALK_TYPES)
    if role == "client" and label:
        # The reference's JSON and AnnoMI's have one column for both speakers.
        talk, label = talk or label.lower(), ""
    if role == "therapist":
        subtype = turn.get(f"{label}_subtype")  # AnnoMI's table
        label = f"{label}/{subtype}" if _given(subtype) else ANNOMI_LABELS.get(label, label)
    return {
        "role": role,
        "text": str(_first(turn, TEXT_KEYS, "") or ""),
        "label": label,
        "talk": "" if talk.lower() in NO_TALK else talk,
        "talk_subtype": _name(turn.get("talk_subtype"), codes.TALK_SUBTYPES),
    }


def _role(value: Any, where: str) -> str:
    name = _name(value, codes.ROLES).strip().lower()
    if name not in ROLE_NAMES:
        raise DataError(f"{where}: role is {value!r}; allowed are {allowed(codes.ROLES)}.")
    return ROLE_NAMES[name]


def _name(value: Any, names: Sequence[str]) -> str:
    """A code by name; `datasets` hands out class numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return names[value] if 0 <= value < len(names) else ""
    return "" if value is None else str(value).strip()


def _first(values: Mapping, keys: Sequence[str], otherwise: Any) -> Any:
    return next((values[key] for key in keys if _given(values.get(key))), otherwise)


def _given(value: Any) -> bool:
    return value is not None and value != "" and value != "n/a"


def _is_row(item: Any) -> bool:
    """A single turn that names its dialogue, as tables hold it."""
    return isinstance(item, Mapping) and "dialogue" not in item and any(key in item for key in DIALOGUE_KEYS)


def _grouped(rows: Sequence[Mapping]) -> Iterator[Plain]:
    """Rows as dialogues, in the order in which both come; of several annotators' rows the first counts."""
    found: dict[Any, dict[Any, Mapping]] = {}
    for number, row in enumerate(rows):
        place = row.get("turn", row.get("utterance_id", number))
        found.setdefault(_first(row, DIALOGUE_KEYS, 0), {}).setdefault(place, row)
    return ({"id": id_, "dialogue": list(turns.values())} for id_, turns in found.items())
