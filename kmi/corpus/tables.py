"""The four tables of the dataset: their columns, and the rows one dialogue gives to each.

- dialogues: a dialogue a row, the record as it is.
- utterances: an utterance a row.
- chat: a dialogue a row, as system, user and assistant messages; the therapist is the assistant.
- forecasting: a therapist turn a row: the utterances before it, and its label as target.

All share the dialogue's `id`; `turn` counts utterances from 0. Codes are ClassLabels in the
order of `kmi.codes`; what is unknown is null. `read_parquet` is the way back.

Not covered: writing the files (`kmi.corpus.build`), loading them as a user (`kmi.corpus.load`).
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.dialogue import ClientProfile, Dialogue, validate
from kmi.errors import DataError

WINDOW = 6  # utterances a forecast looks back on, as in the reference system
WINDOW_FIELDS = ("role", "utterance_ko", "utterance_en", "label", "talk", "talk_subtype")
SYSTEM_PROMPTS = {"ko": "chat_system.txt", "en": "chat_system_en.txt"}
POST_MARK = "\n\n내담자가 상담 게시판에 올린 글:\n"
"""What stands before the client's post in a system message of the chat table."""

Row = dict[str, Any]


@cache
def features() -> dict[str, Any]:
    """The `datasets.Features` of each table, the default table first."""
    from datasets import ClassLabel, Features, List, Value

    text, label, talk = (
        Value("string"),
        ClassLabel(names=[*codes.THERAPIST_LABELS]),
        ClassLabel(names=[*codes.TALK_TYPES]),
    )
    category = ClassLabel(names=[*codes.CATEGORIES])
    utterance = {
        "role": ClassLabel(names=[*codes.ROLES]),
        "utterance_ko": text,
        "utterance_en": text,
        "label": label,
        "process": ClassLabel(names=[*codes.PROCESSES]),
        "talk": talk,
        "talk_subtype": ClassLabel(names=[*codes.TALK_SUBTYPES]),
        "corrects_reflection": Value("bool"),
        "planned_label": label,
        "decision_reason": text,
        "forecast": List({"label": label, "probability": Value("float64")}),
        "label_second": label,
        "talk_second": talk,
    }
    dialogues = {
        "id": text,
        "category": category,
        "context": text,
        "turns": Value("int32"),
        "dialogue": List(utterance),
        "profile": {field.name: text for field in fields(ClientProfile)},
        "arc": ClassLabel(names=[*codes.ARCS]),
        "ending": ClassLabel(names=[*codes.ENDINGS]),
        "split": text,
        "provenance": {
            "writer": text,
            "model": text,
            "mode": text,
            "seed": Value("int64"),
            "forecaster_revision": text,
            "package_version": text,
        },
    }
    place = {"id": text, "turn": Value("int32"), "category": category}
    window = List({name: utterance[name] for name in WINDOW_FIELDS})
    chat = {"id": text, "category": category, "messages": List({"role": text, "content": text}), "labels": List(label)}
    tables = {
        "dialogues": dialogues,
        "utterances": {**place, **utterance},
        "chat": chat,
        "forecasting": {**place, "window": window, "label": label},
    }
    return {name: Features(columns) for name, columns in tables.items()}


def dialogue_rows(dialogue: Dialogue) -> Iterator[Row]:
    """The dialogue itself, field names as in its JSON form."""
    yield {**dialogue.to_dict(), "category": dialogue.category or None}


def utterance_rows(dialogue: Dialogue) -> Iterator[Row]:
    """Every utterance with its place in the dialogue."""
    for i, turn in enumerate(dialogue.utterances):
        yield {**_place(dialogue, i), **asdict(turn)}


def chat_rows(dialogue: Dialogue) -> Iterator[Row]:
    """The dialogue as chat messages; `labels` runs beside them, null where no therapist speaks."""
    system = system_prompt() + (POST_MARK + dialogue.context if dialogue.context else "")
    messages = [{"role": "system", "content": system}]
    for turn in dialogue.utterances:
        messages.append({"role": "assistant" if turn.role == "therapist" else "user", "content": turn.text})
    labels = [None, *(turn.label for turn in dialogue.utterances)]
    yield {"id": dialogue.id, "category": dialogue.category or None, "messages": messages, "labels": labels}


def forecasting_rows(dialogue: Dialogue) -> Iterator[Row]:
    """Every labelled therapist turn but an opening one, with up to `WINDOW` utterances before it, oldest first."""
    for i, turn in enumerate(dialogue.utterances):
        if i and turn.role == "therapist" and turn.label:
            before = dialogue.utterances[max(0, i - WINDOW) : i]
            window = [{name: getattr(earlier, name) for name in WINDOW_FIELDS} for earlier in before]
            yield {**_place(dialogue, i), "window": window, "label": turn.label}


ROWS: dict[str, Callable[[Dialogue], Iterator[Row]]] = {
    "dialogues": dialogue_rows,
    "utterances": utterance_rows,
    "chat": chat_rows,
    "forecasting": forecasting_rows,
}
"""The tables, the default first; each maps a dialogue to its rows, codes still by name."""


def validated(dialogues: Iterable[Dialogue], unique: str) -> Iterator[Dialogue]:
    """Yields the dialogues; raises `DataError` for an invalid one, or at an id that comes twice, with `unique` to say where it must not."""
    seen: set[str] = set()
    for dialogue in dialogues:
        validate(dialogue)
        if dialogue.id in seen:
            raise DataError(f"dialogue {dialogue.id!r} comes twice; {unique}.")
        seen.add(dialogue.id)
        yield dialogue


@cache
def system_prompt(language: str = "ko") -> str:
    """What the system message of the chat table says before the client's post; "en" is for exports of the translation."""
    return Path(__file__).with_name(SYSTEM_PROMPTS[language]).read_text(encoding="utf-8").strip()


def read_parquet(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a Parquet file of the dialogues table, a row group at a time."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:  # else it holds a whole shard
            columns = _columns(file.schema_arrow.metadata)
            if "dialogue" not in columns:
                raise DataError(
                    f"{path}: expected the dialogues table, got columns {', '.join(file.schema_arrow.names)}."
                )
            for batch in file.iter_batches(batch_size=100):
                for row in batch.to_pylist():
                    where = f"{path}, {row.get('id')!r:.80}"
                    yield Dialogue.from_dict(_record(row, columns, where), where=where)
    except (OSError, pyarrow.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a readable Parquet file ({' '.join(str(error).split())}).") from None


def _place(dialogue: Dialogue, turn: int) -> Row:
    return {"id": dialogue.id, "turn": turn, "category": dialogue.category or None}


def _columns(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    """The features that the datasets library stores in a Parquet schema; {} where there are none."""
    try:
        return dict(json.loads((metadata or {}).get(b"huggingface", b"{}"))["info"]["features"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return {}


def _record(row: Row, columns: Row, where: str) -> Row:
    """The JSON form of a row."""
    try:
        record = {name: _decoded(value, columns[name]) for name, value in row.items()}
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise DataError(f"{where}: the values do not fit the columns that the file declares ({error!r}).") from None
    return {**record, "category": record.get("category") or ""}


def _decoded(value: Any, feature: dict[str, Any]) -> Any:
    """Turns class numbers back into names, at any depth."""
    kind = feature.get("_type")
    if value is None or kind == "Value":
        return value
    if kind == "ClassLabel":
        return feature["names"][value]
    if kind == "List":
        return [_decoded(item, feature["feature"]) for item in value]
    return {name: _decoded(item, feature[name]) for name, item in value.items()}
