import csv
import json

import pytest

from kmi.dialogue import write_jsonl
from kmi.errors import DataError
from kmi.metrics.coded import from_turns
from kmi.metrics.inputs import plain_dialogues, turns_of

TURNS = [{"role": "therapist", "label": "Open Question"}, {"role": "client", "talk": "change", "talk_subtype": "need"}, {"role": "therapist", "label": "Affirm"}]
SAME = [("therapist", "Open Question", "", ""), ("client", "", "change", "need"), ("therapist", "Affirm", "", "")]


def codes(plain):
    return [tuple(turn[name] for name in ("role", "label", "talk", "talk_subtype")) for turn in plain["dialogue"]]


def test_turns_records_and_dialogues(session_of, tmp_path):
    dialogue = session_of("OQ change/need AF", "d1")
    write_jsonl([dialogue], tmp_path / "d.jsonl")
    for given in ([TURNS], [{"id": "d1", "dialogue": TURNS}], [dialogue], [dialogue.to_dict()], tmp_path / "d.jsonl", str(tmp_path / "d.jsonl")):
        (plain,) = plain_dialogues(given)
        assert codes(plain) == SAME
    assert plain["id"] == "d1"


def test_a_datasets_split_with_class_numbers(session_of, tmp_path, fresh_cache):
    from datasets import load_dataset

    from kmi.corpus.build import build_dataset

    build_dataset([session_of("OQ change/need AF", "d1"), session_of("SR sustain GE", "d2")], tmp_path / "out")
    split = load_dataset(str(tmp_path / "out"), "dialogues", split="train")
    first, second = plain_dialogues(split)
    assert codes(first) == SAME and second["id"] == "d2"
    rows = load_dataset(str(tmp_path / "out"), "utterances", split="train")
    assert plain_dialogues(rows) == [first, second]


def test_the_references_and_annomis_json():
    reference = {"id": 3, "dialogue": [{"role": "Therapist", "utterance_ko": "네?", "label": "closed question"}, {"role": "client", "label": "Change"}]}
    assert codes(plain_dialogues([reference])[0]) == [("therapist", "closed question", "", ""), ("client", "", "change", "")]
    annomi = {"dialogue_id": 7, "dialogue": [{"speaker": "therapist", "utterance": "Mm.", "label": "Other"}, {"speaker": "client", "label": "Not Change"}]}
    (plain,) = plain_dialogues([annomi])
    assert plain["id"] == "7" and codes(plain) == [("therapist", "General", "", ""), ("client", "", "", "")]


def test_rows_of_annomis_table():
    rows = [
        {"transcript_id": "0", "utterance_id": "0", "interlocutor": "therapist", "main_therapist_behaviour": "question", "question_subtype": "open", "reflection_subtype": "", "client_talk_type": "n/a"},
        {"transcript_id": "0", "utterance_id": "0", "interlocutor": "therapist", "main_therapist_behaviour": "other", "client_talk_type": "n/a"},
        {"transcript_id": "0", "utterance_id": "1", "interlocutor": "client", "main_therapist_behaviour": "n/a", "client_talk_type": "sustain"},
        {"transcript_id": "1", "utterance_id": "0", "interlocutor": "therapist", "main_therapist_behaviour": "other", "client_talk_type": "n/a"},
    ]  # fmt: skip
    plain = plain_dialogues(rows)
    assert [codes(dialogue) for dialogue in plain] == [[("therapist", "question/open", "", ""), ("client", "", "sustain", "")], [("therapist", "other", "", "")]]
    assert from_turns(turns_of(plain), "annomi").label.tolist() == [2, -1, 8]


@pytest.mark.annomi
def test_annomis_table_and_json_are_read_whole(annomi_folder):
    with (annomi_folder / "AnnoMI-full.csv").open(encoding="utf-8") as file:
        rows = plain_dialogues(list(csv.DictReader(file)))
    assert len(rows) == 133 and sum(len(dialogue["dialogue"]) for dialogue in rows) == 9699
    from_turns(turns_of(rows), "annomi")
    sessions = json.loads((annomi_folder / "annomi_kmi8_high.json").read_text(encoding="utf-8"))
    assert from_turns(turns_of(plain_dialogues(sessions))).role.size == 8837


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (3, "Expected dialogues"),
        ([3], "dialogue 0: expected a record with 'dialogue', or a list of turns"),
        ([{"id": "a", "dialogue": [{"role": "robot"}]}], "dialogue 'a', turn 0: role is 'robot'; allowed are therapist, client"),
        ([["hello"]], "dialogue '0', turn 0: expected an object"),
        ("absent.jsonl", "Expected a file or folder"),
    ],
)
def test_bad_input_is_named(given, said):
    with pytest.raises(DataError, match=said):
        plain_dialogues(given)
