import csv
import json

import pytest

from kmi.corpus import annomi
from kmi.errors import ConfigError, DataError

BLANK = dict.fromkeys(annomi.COLUMNS, "n/a")


def therapist(utterance, text, behaviour, annotator="1", **subtypes):
    return {
        **BLANK, "mi_quality": "high", "transcript_id": "7", "topic": "smoking cessation", "utterance_id": utterance,
        "interlocutor": "therapist", "utterance_text": text, "annotator_id": annotator,
        "main_therapist_behaviour": behaviour, **subtypes,
    }  # fmt: skip


def client(utterance, text, talk, annotator="1"):
    row = therapist(utterance, text, "n/a", annotator)
    return {**row, "interlocutor": "client", "client_talk_type": talk}


ROWS = [
    therapist(0, "How are [unintelligible 00:01] you?", "question", question_subtype="open"),
    client(1, "I smoke.", "sustain", "1"),
    client(1, "I smoke.", "change", "2"),
    client(1, "I smoke.", "neutral", "3"),
    client(1, "I smoke.", "neutral", "4"),
    therapist(2, "[unintelligible 00:02]", "other"),
    client(3, "I want to stop.", "change", "1"),
    client(3, "I want to stop.", "sustain", "2"),
    therapist(4, "You could try gum .", "therapist_input", therapist_input_subtype="options"),
]
KMI8 = [
    {
        "dialogue_id": 7,
        "dialogue": [
            {"speaker": "therapist", "utterance": "How are  you?", "label": "Other"},
            {"speaker": "client", "utterance": "I smoke.", "label": "Not Change"},
            {"speaker": "client", "utterance": "I want to stop.", "label": "Change"},
            {"speaker": "therapist", "utterance": "You could try gum.", "label": "Advise"},
        ],
    }
]


@pytest.fixture
def folder(tmp_path):
    write_table(tmp_path / annomi.CSV_NAME, ROWS)
    (tmp_path / annomi.KMI8_NAMES["high"]).write_text(json.dumps(KMI8), encoding="utf-8")
    return tmp_path


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, annomi.COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def codes(dialogue):
    return [turn.label or turn.talk for turn in dialogue.utterances]


def test_table_gives_one_vote_per_utterance(folder):
    (dialogue,) = annomi.read_annomi_csv(folder / annomi.CSV_NAME)
    # neutral has two votes of four; change and sustain tie and the annotator listed first decides.
    assert codes(dialogue) == ["Open Question", "neutral", "General", "change", "Advise"]
    assert (dialogue.id, dialogue.category, dialogue.context) == ("annomi-7", "", "smoking cessation")
    assert dialogue.provenance.mode == "high"
    assert [turn.utterance_ko for turn in dialogue.utterances] == [""] * 5
    assert dialogue.utterances[1].utterance_en == "I smoke."


@pytest.mark.parametrize(
    ("row", "label"),
    [
        (therapist(0, "x", "reflection", reflection_subtype="simple"), "Simple Reflection"),
        (therapist(0, "x", "reflection", reflection_subtype="complex"), "Complex Reflection"),
        (therapist(0, "x", "question", question_subtype="closed"), "Closed Question"),
        (therapist(0, "x", "therapist_input", therapist_input_subtype="information"), "Give Information"),
        (therapist(0, "x", "therapist_input", therapist_input_subtype="negotiation"), "Advise"),
        # The main behaviour lacks its subtype: the other behaviour in the row counts.
        (therapist(0, "x", "therapist_input", question_subtype="closed"), "Closed Question"),
        (therapist(0, "x", "reflection"), "General"),
    ],
)
def test_behaviours_become_labels(tmp_path, row, label):
    write_table(tmp_path / "a.csv", [row])
    (dialogue,) = annomi.read_annomi_csv(tmp_path / "a.csv")
    assert codes(dialogue) == [label]


def test_reference_json_alone_knows_two_kinds_of_talk(folder):
    (dialogue,) = annomi.read_annomi_kmi8(folder / annomi.KMI8_NAMES["high"])
    assert codes(dialogue) == ["General", None, "change", "Advise"]


def test_join_takes_labels_from_the_json_and_talk_from_the_table(folder):
    (dialogue,) = annomi.load_annomi(folder)
    assert codes(dialogue) == ["General", "neutral", "change", "Advise"]
    assert dialogue.context == "smoking cessation"


def test_join_refuses_other_words(folder):
    changed = json.loads(json.dumps(KMI8))
    changed[0]["dialogue"][1]["utterance"] = "I vape."
    (folder / annomi.KMI8_NAMES["high"]).write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(DataError, match="annomi-7: the AnnoMI table and the JSON do not hold the same utterances"):
        annomi.load_annomi(folder)


def test_bad_input_is_named(folder, tmp_path):
    with pytest.raises(ConfigError, match="found neither"):
        annomi.load_annomi(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="got 'middling'"):
        annomi.load_annomi(folder, "middling")
    with pytest.raises(DataError, match="Expected AnnoMI's table at"):
        list(annomi.read_annomi_csv(tmp_path / "none.csv"))
    short = tmp_path / "short.csv"
    short.write_text("mi_quality,transcript_id\n", encoding="utf-8")
    with pytest.raises(DataError, match="column 'topic' is missing"):
        list(annomi.read_annomi_csv(short))
    write_table(short, [client(0, "x", "n/a")])
    with pytest.raises(DataError, match=r"short.csv, transcript '7', utterance 0: expected an AnnoMI client talk type among change, sustain, neutral, got 'n/a'"):
        list(annomi.read_annomi_csv(short))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", "not valid JSON"),
        ('[{"dialogue_id": 1}]', "session 0: expected dialogue_id and dialogue"),
        ('[{"dialogue_id": 1, "dialogue": [{"speaker": "client", "utterance": "a", "label": "Maybe"}]}]', "got 'Maybe'"),
        ('[{"dialogue_id": 1, "dialogue": [{"speaker": "therapist", "utterance": "a", "label": "Hum"}]}]', "got 'Hum'"),
    ],
)
def test_damaged_json_is_named(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        list(annomi.read_annomi_kmi8(path))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.replace(b",1,client", b",one,client"), "line 3: expected a number as utterance_id, got 'one'"),
        (lambda data: data.replace(b"I smoke", b"\xff"), "not UTF-8"),
        (lambda data: data.replace(b"client,I", b"nobody,I"), "transcript '7', utterance 1: expected an AnnoMI behaviour"),
        (lambda data: data.replace(b"therapist,How", b"nobody,How"), "transcript '7', turn 0: field 'role' is 'nobody'"),
        (lambda data: data + b"high,7", "line 11: expected a number as utterance_id, got ''"),
        (lambda data: data + b"x" * 200_000, "line 11: not valid CSV"),
    ],
)
def test_a_damaged_table_is_named_by_line(tmp_path, change, message):
    write_table(tmp_path / "a.csv", ROWS)
    path = tmp_path / "a.csv"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=f"a.csv(, |: ){message}"):
        list(annomi.read_annomi_csv(path))


def test_a_byte_order_mark_does_no_harm(folder):
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(annomi.load_annomi(folder)) == 1


@pytest.mark.parametrize("content", ["null", "3", "{}", "[" * 5000, '[{"dialogue_id": 1, "dialogue": [{"speaker": "x", "utterance": 5, "label": "General"}]}]'])
def test_json_of_another_form_is_named(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError, match="a.json"):
        list(annomi.read_annomi_kmi8(tmp_path / "a.json"))
