"""Dialogues as a ConvoKit corpus (Chang et al., SIGDIAL 2020) and back: a folder that `convokit.Corpus(filename=...)` loads.

A dialogue is a conversation under its own id. Utterance metadata is all that KMI knows of a turn beside its words, null where
unknown, conversation metadata all it knows of the dialogue, so that nothing but the other language is lost. Each session has
its own two speakers, for every client is another person; their metadata is their role. Timestamps count turns, as
ConvoKit sorts by them.

Not covered: vectors; using ConvoKit, which is not needed here; other exports (`kmi.corpus.exchange`, `kmi.corpus.spreadsheet`).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from kmi.corpus.exchange import DIALOGUE_FIELDS, TEXTS, appearing, in_language, text_field
from kmi.corpus.tables import Row
from kmi.dialogue import Dialogue, Utterance, json_lines
from kmi.errors import DataError

UTTERANCES = "utterances.jsonl"
UTTERANCE_META = tuple(item.name for item in fields(Utterance) if item.name not in ("role", *TEXTS.values()))
CONVERSATION_META = (*DIALOGUE_FIELDS, "profile", "provenance")
# ConvoKit names the type of each metadata field in its index; what is not listed here is text.
TYPES = {"corrects_reflection": bool, "forecast": list, "profile": dict, "provenance": dict}


def write_convokit(dialogues: Iterable[Dialogue], folder: str | Path, language: str = "ko") -> int:
    """Writes the corpus folder and returns how many dialogues it holds; `read_convokit` is the way back.

    Raises:
        ConfigError, DataError: as `kmi.corpus.exchange.in_language` and `appearing`.
    """
    speakers: Row = {}
    conversations: Row = {}
    with appearing(Path(folder)) as partial:
        partial.mkdir()
        with (partial / UTTERANCES).open("w", encoding="utf-8") as file:
            for dialogue in in_language(dialogues, language):
                record = dialogue.to_dict()
                # ConvoKit opens files in the platform's encoding, so they are ASCII, as its own are.
                file.writelines(json.dumps(utterance) + "\n" for utterance in _utterances(record, TEXTS[language]))
                conversations[dialogue.id] = _with_meta({name: record[name] for name in CONVERSATION_META})
                speakers |= {_speaker(record, turn): _with_meta({"role": turn["role"]}) for turn in record["dialogue"]}
        files = {"speakers": speakers, "conversations": conversations, "corpus": {"language": language}, "index": _index()}
        for name, content in files.items():
            (partial / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    return len(conversations)


def read_convokit(folder: str | Path) -> Iterator[Dialogue]:
    """Yields the conversations of a ConvoKit corpus between a therapist and a client, turns in the order of the file.

    A speaker's role is the metadata field "role", or else the speaker's id. Metadata that KMI has no field for is left out;
    where `corpus.json` names no language, a text with Hangul is Korean, else English.

    Raises:
        DataError: if a file is missing or damaged, naming file and line or conversation and turn.
    """
    folder = Path(folder)
    speakers, conversations, corpus = (_json_object(folder / f"{name}.json") for name in ("speakers", "conversations", "corpus"))
    turns: dict[str, list[Row]] = {}
    for number, utterance in json_lines(folder / UTTERANCES):
        try:
            speaker, text, meta = utterance["speaker"], utterance["text"], _meta(utterance, UTTERANCE_META)
            role = _meta(speakers.get(speaker, {}), ("role",)).get("role", speaker)
            turns.setdefault(utterance["conversation_id"], []).append({**meta, "role": role, text_field(corpus.get("language"), text): text})
        except (KeyError, TypeError, AttributeError):
            raise DataError(f"{folder / UTTERANCES}, line {number}: expected id, speaker, conversation_id, text; got {utterance!r:.80}.") from None
    for id_, dialogue in turns.items():
        where = f"{folder}, conversation {id_!r}"
        try:
            meta = _meta(conversations.get(id_, {}), CONVERSATION_META)
        except AttributeError:
            raise DataError(f"{where}: expected an object of metadata, got {conversations[id_]!r:.80}.") from None
        yield Dialogue.from_dict({"id": id_, **meta, "dialogue": dialogue}, where=where)


def _utterances(record: Row, text_name: str) -> Iterator[Row]:
    """A dialogue's turns as lines of the utterance file, each a reply to the one before."""
    ids = [f"{record['id']}_{i}" for i in range(record["turns"])]
    for i, turn in enumerate(record["dialogue"]):
        yield {
            "id": ids[i],
            "conversation_id": record["id"],
            "text": turn[text_name],
            "speaker": _speaker(record, turn),
            **_with_meta({name: turn[name] for name in UTTERANCE_META}),
            "reply-to": ids[i - 1] if i else None,
            "timestamp": i,
        }


def _speaker(record: Row, turn: Row) -> str:
    return f"{record['id']}_{turn['role']}"


def _with_meta(meta: Row) -> Row:
    return {"meta": meta, "vectors": []}


def _index() -> Row:
    names = {"utterances": UTTERANCE_META, "speakers": ("role",), "conversations": CONVERSATION_META, "overall": ("language",)}
    types = {f"{kind}-index": {name: [str(TYPES.get(name, str))] for name in meta} for kind, meta in names.items()}
    return {**types, "version": 1, "vectors": []}


def _meta(component: Row, names: Iterable[str]) -> Row:
    """Those of the metadata fields that are there; older corpora keep speakers and conversations as metadata alone."""
    meta = component.get("meta", component) or {}
    return {name: meta[name] for name in names if meta.get(name) is not None}


def _json_object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise DataError(f"Expected {path.name} of a ConvoKit corpus at {path}, found none.", "Export the corpus again.") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}).") from None
    if not isinstance(found, dict):
        raise DataError(f"{path}: expected a JSON object, got {found!r:.80}.")
    return found
