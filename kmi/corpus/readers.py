"""Readers for other people's files, and one that tells them all apart.

`read_dialogues` takes whatever KMI can read: KMI JSONL, the dataset's Parquet, the compact
notation, the reference release's JSON, AnnoMI's table and JSON, plain transcripts, and the
exports: TRL, ShareGPT, CSV, ConvoKit. It looks at the content; only a table is known by its
header line.

Not covered: the formats that have modules of their own (`kmi.corpus.notation`, `annomi`,
`sources`, `tables`, `exchange`, `spreadsheet`, `convokit`).
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.corpus.annomi import read_annomi_csv, read_annomi_kmi8
from kmi.corpus.convokit import UTTERANCES, read_convokit
from kmi.corpus.exchange import HANGUL, read_chat
from kmi.corpus.notation import read_notation
from kmi.corpus.sources import RUN_FILE, read_run, read_sources
from kmi.corpus.spreadsheet import CSV_COLUMNS, read_csv
from kmi.corpus.tables import read_parquet
from kmi.dialogue import Dialogue, json_lines, read_jsonl
from kmi.errors import DataError, allowed

REFERENCE_FIELDS = {"id", "category", "context", "turns", "dialogue"}
ROLE_NAMES = {
    **dict.fromkeys(("therapist", "counselor", "counsellor", "t", "상담자", "상담사"), "therapist"),
    **dict.fromkeys(("client", "c", "내담자"), "client"),
}
SPEAKER = re.compile(rf"({'|'.join(ROLE_NAMES)})\s*[:\uff1a]\s*(.*)", re.IGNORECASE)


def read_dialogues(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a file in any supported format, of a run folder, a source folder or a ConvoKit corpus.

    Raises:
        DataError: if the file is missing, empty or damaged, naming file and line; while
            iterating, since most formats are read as they go.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"Expected a file or folder at {path}, found none.", "Check the path.")
    empty = True
    for dialogue in _reader(path):
        empty = False
        yield dialogue
    if empty:
        raise DataError(f"{path}: expected at least one dialogue, found none.")


def read_reference_json(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of the reference release's JSON, a list or one record a line.

    Categories may be Korean or English, roles and labels in any capitals; an empty label is
    none. `turns` is counted anew. A client's label, where there is one, is a talk type.
    """
    for where, record in _json_records(Path(path)):
        if not isinstance(record, dict) or not isinstance(record.get("dialogue"), list):
            raise DataError(f"{where}: expected an object with id, category, context, dialogue; got {record!r:.80}.")
        turns = [_reference_turn(turn, f"{where}, turn {i}") for i, turn in enumerate(record["dialogue"])]
        values = {name: value for name, value in record.items() if name != "turns" and value is not None}
        category = _category(record.get("category") or "", where)
        yield Dialogue.from_dict({**values, "category": category, "dialogue": turns}, where=where)


def read_transcript(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a plain transcript: lines such as "상담자: ..." or "C: ...", no labels.

    Blank lines part dialogues, unless they stand between all turns: if no block has two
    turns the file is one dialogue. A line without a speaker goes on with the turn before
    it. Ids are the file's name and a number; text with Hangul is Korean, else English.
    """
    path = Path(path)
    blocks = _transcript_blocks(_text(path), str(path))
    if blocks and all(len(block) == 1 for block in blocks):
        blocks = [[turn for block in blocks for turn in block]]
    for number, block in enumerate(blocks, start=1):
        record = {"id": f"{path.stem}-{number}", "dialogue": [_transcript_turn(role, text) for role, text in block]}
        yield Dialogue.from_dict(record, where=f"{path}, dialogue {number}")


def typed_turns(text: str) -> list[tuple[str, str]]:
    """Role and text of each turn of a single session as a person types it: a speaker and a colon, then the words.

    Raises:
        DataError: naming the line, where the text does not begin with a speaker.
    """
    return [turn for block in _transcript_blocks(text, "the text") for turn in block]


def _reader(path: Path) -> Iterator[Dialogue]:
    if path.is_dir():
        if (path / UTTERANCES).exists():
            return read_convokit(path)
        return read_run(path) if (path / RUN_FILE).exists() else iter(read_sources(path))
    with path.open("rb") as file:
        if file.read(4) == b"PAR1":
            return read_parquet(path)
    opening = _opening(path)
    if opening.startswith("{"):
        return _json_reader(path, read_jsonl)
    if opening.startswith("["):
        return _json_reader(path, read_reference_json)
    if "interlocutor" in opening and "utterance_text" in opening:
        return read_annomi_csv(path)
    if CSV_COLUMNS.issubset(opening.replace('"', "").split(",")):
        return read_csv(path)
    if opening.startswith("#{"):
        return read_notation(_text(path), where=str(path))
    return read_transcript(path)


def _json_reader(path: Path, otherwise: Callable[[Path], Iterator[Dialogue]]) -> Iterator[Dialogue]:
    _, first = next(_json_records(path), ("", {}))
    if not isinstance(first, dict):
        raise DataError(f"{path}: expected JSON objects with id and dialogue, got {first!r:.80}.")
    if "dialogue_id" in first:
        return read_annomi_kmi8(path)
    if "messages" in first or "conversations" in first:
        return read_chat(_json_records(path))
    if set(first) <= REFERENCE_FIELDS:
        return read_reference_json(path)
    return otherwise(path)


def _json_records(path: Path) -> Iterator[tuple[str, Any]]:
    """Place and value of each record, of a JSON list or of JSON lines."""
    if not _opening(path).startswith("["):
        for number, record in json_lines(path):
            yield f"{path}, line {number}", record
        return
    try:
        records = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}).") from None
    for number, record in enumerate(records, start=1):
        yield f"{path}, record {number}", record


def _reference_turn(turn: Any, where: str) -> dict[str, Any]:
    if not isinstance(turn, dict):
        raise DataError(f"{where}: expected an object with role, utterance_ko and label, got {turn!r:.80}.")
    values = {name: value for name, value in turn.items() if value is not None}
    role = str(values.get("role", "")).strip().lower()
    values["role"] = ROLE_NAMES.get(role, role)
    label = str(values.pop("label", "")).strip()
    if values["role"] == "client":
        return values | ({"talk": label.lower()} if label else {})
    names = {name.lower(): name for name in codes.THERAPIST_LABELS}
    return values | ({"label": names.get(label.lower(), label)} if label else {})


def _category(name: Any, where: str) -> str:
    """The stored name of a category written in Korean or English, e.g. "Ego·Personality"."""
    words = _words(str(name))
    for code in codes.CATEGORIES.values():
        if words in (_words(code.name), _words(code.en)):
            return code.name
    if not words:
        return ""
    known = [f"{code.name} ({code.en})" for code in codes.CATEGORIES.values()]
    raise DataError(f"{where}: field 'category' is {name!r:.60}; allowed are {allowed(known)}.")


def _words(name: str) -> list[str]:
    return [word for word in re.findall(r"\w+", name.lower()) if word != "and"]


def _transcript_blocks(text: str, where: str) -> list[list[tuple[str, str]]]:
    """Role and text of each turn, in the blocks that blank lines part."""
    blocks: list[list[tuple[str, str]]] = [[]]
    for number, line in enumerate(text.split("\n"), start=1):
        line = line.strip()
        found = SPEAKER.match(line)
        if not line:
            blocks.append([])
        elif found:
            blocks[-1].append((ROLE_NAMES[found[1].lower()], found[2]))
        elif blocks[-1]:
            role, said = blocks[-1][-1]
            blocks[-1][-1] = (role, f"{said} {line}".strip())
        else:
            raise DataError(
                f"{where}, line {number}: expected a line opening with a speaker ({allowed(ROLE_NAMES)}) and a colon, "
                f"got {line!r:.60}."
            )
    return [block for block in blocks if block]


def _transcript_turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "utterance_ko" if HANGUL.search(text) else "utterance_en": text}


def _opening(path: Path) -> str:
    """The first line that holds something and is no comment of the notation; "" in an empty file."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            lines = (line.strip() for line in file)
            return next((line for line in lines if line and not line.startswith("//")), "")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}).", "Save it as UTF-8.") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}).", "Save it as UTF-8.") from None
