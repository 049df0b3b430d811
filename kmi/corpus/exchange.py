"""Dialogues in the formats of chat training and back: TRL's conversational rows and ShareGPT; and what every export shares.

An export holds one language. With each turn go its annotations, all fields of `Utterance` but the forecast; with each
dialogue its category, context, arc, ending and split. `kmi.corpus.readers.read_dialogues` knows the files by their content.

Chat templates such as Gemma's demand that user and assistant take turns and the user begins, while a counsellor often opens
the session. Such a session gets a greeting by the user in front; the annotations, one a turn, tell the reader that it is none.

Not covered: other formats (`kmi.corpus.spreadsheet`, `kmi.corpus.convokit`); profile, provenance and forecasts, which KMI JSONL
and ConvoKit keep; chat templates that refuse a system message or two turns of one speaker running.
"""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from kmi.corpus.tables import Row, chat_rows, system_prompt, validated
from kmi.dialogue import Dialogue, Utterance, to_line
from kmi.errors import ConfigError, DataError, allowed
from kmi.whole_files import whole

TEXTS = {"ko": "utterance_ko", "en": "utterance_en"}
DIALOGUE_FIELDS = ("category", "context", "arc", "ending", "split")
ANNOTATIONS = tuple(item.name for item in fields(Utterance) if item.name not in ("role", *TEXTS.values(), "forecast"))
GREETINGS = {"ko": "안녕하세요. 상담을 받고 싶어요.", "en": "Hello. I would like to talk with a counsellor."}
SPEAKERS = {"assistant": "therapist", "gpt": "therapist", "user": "client", "human": "client"}
SHAREGPT_NAMES = {"assistant": "gpt", "user": "human"}
HANGUL = re.compile("[가-힣]")


def trl_chat(dialogues: Iterable[Dialogue], language: str = "ko") -> Iterator[Row]:
    """Yields a row a dialogue in TRL's conversational format, for `SFTTrainer`; the therapist is the assistant.

    The system message is that of the dataset's chat table; in English it goes without the client's post, which is Korean.

    Raises:
        ConfigError, DataError: as `in_language`.
    """
    for dialogue in in_language(dialogues, language):
        (row,) = chat_rows(dialogue)
        system, *said = row["messages"]
        if language == "en":
            system = {**system, "content": system_prompt("en")}
        if said[0]["role"] == "assistant":
            said.insert(0, {"role": "user", "content": GREETINGS[language]})
        noted = [annotations(turn) for turn in dialogue.utterances]
        yield {**dialogue_fields(dialogue), "language": language, "messages": [system, *said], "annotations": noted}


def sharegpt(dialogues: Iterable[Dialogue], language: str = "ko") -> Iterator[Row]:
    """Yields a row a dialogue in ShareGPT's format: the client is "human", the therapist "gpt", the system text apart.

    Raises:
        ConfigError, DataError: as `in_language`.
    """
    for row in trl_chat(dialogues, language):
        system, *said = row.pop("messages")
        conversations = [{"from": SHAREGPT_NAMES[message["role"]], "value": message["content"]} for message in said]
        yield {**row, "system": system["content"], "conversations": conversations}


def write_trl(dialogues: Iterable[Dialogue], path: str | Path, language: str = "ko") -> int:
    """Writes the rows of `trl_chat` as JSON lines and returns how many; errors as there and in `appearing`."""
    return _write_lines(trl_chat(dialogues, language), Path(path))


def write_sharegpt(dialogues: Iterable[Dialogue], path: str | Path, language: str = "ko") -> int:
    """Writes the rows of `sharegpt` as JSON lines and returns how many; errors as there and in `appearing`."""
    return _write_lines(sharegpt(dialogues, language), Path(path))


def read_chat(records: Iterable[tuple[str, Any]]) -> Iterator[Dialogue]:
    """Yields the dialogues of TRL or ShareGPT rows, KMI's or another's.

    In another's row every message but the system's is a turn, a text with Hangul is Korean, else English, and a row
    without id is called by its number.

    Args:
        records: place, for messages, and value of each row.

    Raises:
        DataError: naming the place, where a row holds no such messages.
    """
    for number, (where, row) in enumerate(records, start=1):
        messages = row.get("messages", row.get("conversations")) if isinstance(row, dict) else None
        if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
            raise DataError(f"{where}: expected an object with a list of messages or conversations, got {row!r:.80}.")
        turns = [message for message in messages if message.get("role", message.get("from")) != "system"]
        noted = row.get("annotations", [{}] * len(turns))
        if not isinstance(noted, list) or not all(isinstance(note, dict) for note in noted) or len(noted) > len(turns):
            raise DataError(f"{where}: expected a list of annotations, one a turn, got {noted!r:.80}.")
        turns = turns[len(turns) - len(noted) :]
        dialogue = [_chat_turn(turn, row.get("language")) | given(ANNOTATIONS, note) for turn, note in zip(turns, noted, strict=True)]
        yield Dialogue.from_dict({"id": row.get("id", number), **given(DIALOGUE_FIELDS, row), "dialogue": dialogue}, where=where)


def in_language(dialogues: Iterable[Dialogue], language: str) -> Iterator[Dialogue]:
    """Yields the dialogues with one language of their texts, as an export holds them.

    Raises:
        ConfigError: if the language is neither "ko" nor "en".
        DataError: if a dialogue is invalid or lacks the language, naming dialogue and turn; if an id comes twice;
            if there is no dialogue at all.
    """
    wanted = TEXTS[known_language(language)]
    others = {name: "" for name in TEXTS.values() if name != wanted}
    empty = True
    for dialogue in validated(dialogues, "in an export ids are unique"):
        empty = False
        for i, turn in enumerate(dialogue.utterances):
            if not getattr(turn, wanted).strip():
                raise DataError(
                    f"dialogue {dialogue.id!r}, turn {i}: expected text in {wanted}, got none.", "Fill it in, or choose another --language."
                )
        yield replace(dialogue, utterances=tuple(replace(turn, **others) for turn in dialogue.utterances))
    if empty:
        raise DataError("Expected at least one dialogue to export, got none.", "Check the input and --split.")


def text_field(language: str | None, text: Any) -> str:
    """The field of `Utterance` that a text belongs in; where the file does not say, Hangul tells."""
    return TEXTS.get(str(language)) or TEXTS["ko" if HANGUL.search(str(text)) else "en"]


def known_language(language: str) -> str:
    """The language, if an export can have it; else `ConfigError`."""
    if language not in TEXTS:
        raise ConfigError(f"Expected a language among {allowed(TEXTS)}, got {language!r}.", "Choose one with --language.")
    return language


def dialogue_fields(dialogue: Dialogue) -> Row:
    """Id and `DIALOGUE_FIELDS` of a dialogue, "" where unknown."""
    return {name: _or_empty(getattr(dialogue, name)) for name in ("id", *DIALOGUE_FIELDS)}


def annotations(turn: Utterance) -> Row:
    """`ANNOTATIONS` of a turn, "" where unknown."""
    return {name: _or_empty(getattr(turn, name)) for name in ANNOTATIONS}


def given(names: Iterable[str], values: Row) -> Row:
    """Those of the named values that are there and not empty, as `Dialogue.from_dict` takes them."""
    return {name: values[name] for name in names if values.get(name) not in ("", None)}


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Gives a path to write a file or folder at, which becomes `path` when all is written and vanishes if that fails.

    Raises:
        ConfigError: if `path` exists already or cannot be written.
    """
    if path.exists():
        raise ConfigError(f"{path} exists already and would be lost.", "Name another --out, or remove it yourself.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as partial:
            yield partial
    except OSError as error:
        raise ConfigError(f"Cannot open {error.filename or path} ({error.strerror}).", "Name another --out.") from None


def _write_lines(rows: Iterable[Row], path: Path) -> int:
    with appearing(path) as partial, partial.open("w", encoding="utf-8") as file:
        return sum(file.write(to_line(row)) > 0 for row in rows)


def _or_empty(value: Any) -> Any:
    # Not null: where the first rows know nothing, a loader takes a column of nulls for one that never holds text.
    return "" if value is None else value


def _chat_turn(message: Row, language: str | None) -> Row:
    speaker = message.get("role", message.get("from"))
    text = message.get("content", message.get("value"))
    return {"role": SPEAKERS.get(str(speaker), speaker), text_field(language, text): text}
