import json

import pytest

from kmi.corpus.sources import merge_packet, read_batch, read_run, read_sources
from kmi.dialogue import Forecast, write_jsonl
from kmi.errors import ConfigError, DataError

TEXT = """\
#{"packet": "p1"}
CTX 글쓴이가 지은 글
== engaging
T GE | 어서 오세요.
C neutral | 네.
T CR>SR | 그렇군요.
"""
PACKET = {
    "id": "p1",
    "category": "가족",
    "split": "test",
    "arc": "flat",
    "ending": "none",
    "profile": {"occupation": "간호사", "risk": ""},
    "context": "",
    "provenance": {"writer": "large language model", "mode": "plan", "seed": 4},
    "turns": [
        {"role": "therapist", "process": "engaging", "label": "General"},
        {"role": "client", "process": "engaging", "talk": "sustain"},
        {
            "role": "therapist",
            "process": "evoking",
            "label": "Complex Reflection",
            "forecast": [{"label": "Complex Reflection", "probability": 0.4}],
            "reason": "예측 1순위",
        },
    ],
}
SECOND = {"id": "p1", "codes": [{"turn": 1, "talk_second": "sustain"}, {"turn": 2, "label_second": "Affirm"}]}


class Batch:
    """A source folder with one batch, whose files a test writes."""

    def __init__(self, folder):
        self.root = folder
        self.text_path = folder / "family" / "batch-001.txt"
        self.text_path.parent.mkdir(parents=True)

    def write(self, text=TEXT, packets=(PACKET,), seconds=()):
        self.text_path.write_text(text, encoding="utf-8")
        for suffix, records in ((".packets.jsonl", packets), (".second.jsonl", seconds)):
            if records:
                lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
                self.text_path.with_suffix(suffix).write_text("".join(lines), encoding="utf-8")

    def error(self):
        with pytest.raises(DataError) as caught:
            read_sources(self.root)
        return str(caught.value)


@pytest.fixture
def batch(tmp_path):
    return Batch(tmp_path / "source")


def test_text_packet_and_second_codes_make_one_dialogue(batch):
    batch.write(seconds=[SECOND])
    (dialogue,) = read_batch(batch.text_path)
    assert (dialogue.id, dialogue.category, dialogue.split) == ("p1", "가족", "test")
    assert (dialogue.arc, dialogue.ending, dialogue.profile.occupation) == ("flat", "none", "간호사")
    assert (dialogue.provenance.writer, dialogue.provenance.seed) == ("large language model", 4)
    assert dialogue.context == "글쓴이가 지은 글"
    opening, client, reflection = dialogue.utterances
    assert (opening.label, opening.planned_label) == ("General", "General")
    assert (client.talk, client.talk_second) == ("neutral", "sustain")  # the text says what was realised
    assert (reflection.label, reflection.planned_label) == ("Simple Reflection", "Complex Reflection")
    assert reflection.forecast == (Forecast("Complex Reflection", 0.4),)
    assert (reflection.decision_reason, reflection.label_second) == ("예측 1순위", "Affirm")
    assert reflection.process == "engaging"  # of the text, not of the plan


def test_a_post_in_the_packet_stands_as_it_is(batch):
    batch.write(packets=[{**PACKET, "context": "진짜 글"}])
    assert next(read_batch(batch.text_path)).context == "진짜 글"


def test_processes_come_from_the_packet_where_the_text_has_none(batch):
    batch.write(TEXT.replace("== engaging\n", ""))
    assert [turn.process for turn in next(read_batch(batch.text_path)).utterances] == [
        "engaging",
        "engaging",
        "evoking",
    ]


def test_unwritten_packets_simply_remain(batch):
    batch.write(packets=[PACKET, {**PACKET, "id": "p2"}])
    assert [dialogue.id for dialogue in read_sources(batch.root)] == ["p1"]


def test_dialogues_come_sorted_by_id_over_all_folders(batch):
    batch.write('#{"id": "z", "split": "train"}\nT GE | 네.\n#{"id": "b", "split": "train"}\nT GE | 네.\n', packets=())
    (batch.root / "career").mkdir()
    (batch.root / "career" / "x.txt").write_text('#{"id": "m", "split": "train"}\nT GE | 네.\n', encoding="utf-8")
    found = read_sources(batch.root)
    assert [(dialogue.id, dialogue.category) for dialogue in found] == [
        ("b", "가족"),
        ("m", "취업·진로"),
        ("z", "가족"),
    ]
    assert found[0].utterances[0].planned_label is None


def without(record, field):
    return {name: value for name, value in record.items() if name != field}


def with_turn(index, **values):
    turns = [{**turn, **values} if i == index else turn for i, turn in enumerate(PACKET["turns"])]
    return {**PACKET, "turns": turns}


@pytest.mark.parametrize(
    ("text", "packet", "words"),
    [
        (TEXT, with_turn(1, role="therapist", label="Affirm"), ["line 5", "client speaks", "'therapist'"]),
        (
            TEXT,
            with_turn(2, label="Open Question"),
            ["line 6", "'Complex Reflection'", "'Open Question'", "PLANNED>REALISED"],
        ),
        (TEXT, with_turn(2, label="Nod"), ["line 6", "'Nod'", "Affirm"]),
        (TEXT, with_turn(2, forecast=["Affirm"]), ["line 6", "forecast"]),
        (TEXT, with_turn(2, forecast=[{"label": "Affirm", "probability": 7}]), ["turn 2", "between 0 and 1"]),
        (TEXT, {**PACKET, "turns": PACKET["turns"][:2]}, ["line 1", "3 turns", "plans 2"]),
        (TEXT, without(PACKET, "turns"), ["line 1", "'turns'"]),
        (TEXT, {**PACKET, "id": "p9"}, ["line 1", "'p1' is not in", "packets.jsonl"]),
        (TEXT, {**PACKET, "category": "정신건강"}, ["line 1", "'정신건강'", "folder", "'가족'"]),
        (TEXT, without(PACKET, "split"), ["line 1", "no split", "train"]),
        (TEXT, {**PACKET, "split": "dev"}, ["line 1", "'dev'", "validation"]),
        (TEXT.replace('"p1"', '"p1", "arc": "crisis"'), PACKET, ["line 1", "'arc'", "'crisis'", "'flat'"]),
        (TEXT.replace('"p1"', '"p1", "profile": {"risk": "x"}'), PACKET, ["line 1", "'profile'"]),
        (TEXT + "T XX | 가\n", PACKET, ["line 7", "'XX'"]),
    ],
)
def test_contradictions_name_file_and_line(batch, text, packet, words):
    batch.write(text, [packet])
    message = batch.error()
    assert str(batch.text_path) in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"id": "p1"}, ["'codes'"]),
        ({"id": "p1", "codes": [{"turn": 3, "label_second": "Affirm"}]}, ["between 0 and 2"]),
        ({"id": "p1", "codes": ["Affirm"]}, ["between 0 and 2"]),
        ({"id": "p1", "codes": [{"turn": 1, "label_second": "Affirm"}]}, ["turn 1", "'talk_second'"]),
        ({"id": "p1", "codes": [{"turn": 2, "label_second": "Nod"}]}, ["turn 2", "'label_second'", "Affirm"]),
        ({"id": "p7", "codes": []}, ["'p7'", "not in batch-001.txt"]),
        ({"codes": []}, ["'id'"]),
    ],
)
def test_a_wrong_second_coding_names_file_and_line(batch, second, words):
    batch.write(seconds=[second])
    message = batch.error()
    assert f"{batch.text_path.with_suffix('.second.jsonl')}, line 1" in message
    for word in words:
        assert word in message


def test_ids_are_unique(batch):
    batch.write(packets=[PACKET, PACKET])
    assert "packets.jsonl, line 2: id 'p1' stands in this file twice" in batch.error()
    batch.write(TEXT + TEXT)
    batch.text_path.with_suffix(".packets.jsonl").write_text(json.dumps(PACKET))
    assert "id 'p1' is already used" in batch.error()


def test_nothing_in_the_folder_is_overlooked(batch):
    batch.write()
    stray = batch.root / "notes.txt"
    stray.write_text("x")
    assert "expected source texts in a category folder" in batch.error()
    stray.unlink()
    (batch.root / "family" / "lost.second.jsonl").write_text("")
    assert "second codes without a text" in batch.error()


def test_missing_folders_are_a_config_error(tmp_path):
    with pytest.raises(ConfigError, match="--source"):
        read_sources(tmp_path / "absent")
    with pytest.raises(ConfigError, match="--run"):
        read_run(tmp_path / "absent")


def test_a_run_gives_its_finished_sessions(tmp_path, dialogues):
    write_jsonl(dialogues, tmp_path / "dialogues.jsonl")
    assert list(read_run(tmp_path)) == dialogues


def test_a_packet_merges_without_files(batch):
    batch.write()
    written = next(read_batch(batch.text_path))
    with pytest.raises(DataError, match="answer, turn 0: the therapist speaks"):
        merge_packet(written, with_turn(0, role="client"), where="answer")
