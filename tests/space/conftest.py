"""The Space's engine with the shipped forecaster and coder, and a writer over a few sessions."""

import csv
import io
import json
import shutil
from itertools import islice

import pytest

from kmi.codes import QUESTIONS, REFLECTIONS
from kmi.corpus.annomi import COLUMNS
from kmi.corpus.load import shipped_dialogues
from kmi.space.engine import Engine
from kmi.writers.retrieval import RetrievalWriter


@pytest.fixture(scope="session")
def engine():
    return Engine(RetrievalWriter(list(islice(shipped_dialogues("train"), 40))))


@pytest.fixture(scope="session")
def transcripts(tmp_path_factory, repository):
    """The same few sessions in every format that the page takes."""
    folder = tmp_path_factory.mktemp("transcripts")
    dialogues = list(islice(shipped_dialogues("test"), 3))
    records = [dialogue.to_dict() for dialogue in dialogues]
    reference = [{"id": r["id"], "category": r["category"], "context": r["context"], "turns": r["turns"], "dialogue": [{"role": t["role"], "utterance_ko": t["utterance_ko"], "label": t["label"] or t["talk"]} for t in r["dialogue"]]} for r in records]
    texts = {
        "jsonl": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records),
        "json": json.dumps(reference, ensure_ascii=False),
        "txt": "\n".join(f"{'상담자' if turn.role == 'therapist' else '내담자'}: {turn.text}" for turn in dialogues[0].utterances),
        "csv": annomi_table(dialogues),
    }
    paths = {kind: folder / f"sessions.{kind}" for kind in (*texts, "parquet")}
    for kind, text in texts.items():
        paths[kind].write_text(text, encoding="utf-8")
    shutil.copy(next((repository / "loading_script/data/dialogues").glob("validation-*.parquet")), paths["parquet"])
    return {kind: str(path) for kind, path in paths.items()}


def annomi_table(dialogues):
    """Sessions as rows of AnnoMI's table, written for the purpose: its own text is never in the repository."""
    file = io.StringIO()
    rows = csv.DictWriter(file, COLUMNS, restval="n/a")
    rows.writeheader()
    for number, dialogue in enumerate(dialogues):
        for place, turn in enumerate(dialogue.utterances):
            row = {"mi_quality": "high", "transcript_id": number, "topic": "drinking", "utterance_id": place, "interlocutor": turn.role, "utterance_text": turn.utterance_en, "annotator_id": 1}
            if turn.role == "client":
                row["client_talk_type"] = turn.talk
            elif turn.label in QUESTIONS:
                row |= {"main_therapist_behaviour": "question", "question_subtype": turn.label.split()[0].lower()}
            elif turn.label in REFLECTIONS:
                row |= {"main_therapist_behaviour": "reflection", "reflection_subtype": turn.label.split()[0].lower()}
            else:
                row["main_therapist_behaviour"] = "other"
            rows.writerow(row)
    return file.getvalue()
