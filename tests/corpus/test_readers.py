import json

import pytest

from kmi.corpus.notation import write_notation
from kmi.corpus.readers import read_dialogues, read_reference_json, read_transcript
from kmi.dialogue import Dialogue, Utterance, write_jsonl
from kmi.errors import ConfigError, DataError

RECORD = {
    "id": 17,
    "category": "Ego·Personality",
    "context": "제 성격이 싫어요.",
    "turns": 1,
    "dialogue": [
        {"role": "Therapist", "utterance_ko": "어서 오세요.", "utterance_en": "Welcome.", "label": "General"},
        {"role": "Client", "utterance_ko": "네.", "utterance_en": "Yes.", "label": ""},
        {"role": "therapist", "utterance_ko": "무엇이 싫으세요?", "utterance_en": None, "label": "open question"},
    ],
}
DIALOGUE = Dialogue(
    "17",
    "자아·성격",
    "제 성격이 싫어요.",
    (
        Utterance("therapist", "어서 오세요.", "Welcome.", label="General"),
        Utterance("client", "네.", "Yes."),
        Utterance("therapist", "무엇이 싫으세요?", label="Open Question"),
    ),
)


def as_file(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return path


def test_the_reference_release_is_read_as_list_and_as_lines(tmp_path):
    as_list = as_file(tmp_path, "list.json", [RECORD])
    as_lines = as_file(tmp_path, "lines.jsonl", json.dumps(RECORD) + "\n\n")
    for path in (as_list, as_lines):
        assert list(read_reference_json(path)) == [DIALOGUE]
        assert list(read_dialogues(path)) == [DIALOGUE]


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("정신건강", "정신건강"),
        ("Mental Health", "정신건강"),
        ("Career·Employment", "취업·진로"),
        ("Career/Employment", "취업·진로"),
        ("academic and examination", "학업·고시"),
        ("중독/집착", "중독·집착"),
        ("Interpersonal Relationships", "대인관계"),
        ("Family", "가족"),
        (None, ""),
    ],
)
def test_categories_are_known_in_both_languages(tmp_path, name, stored):
    path = as_file(tmp_path, "r.json", [{**RECORD, "category": name}])
    assert next(read_reference_json(path)).category == stored


def test_a_client_label_is_a_talk_type(tmp_path):
    turns = [{"role": "client", "utterance_ko": "끊고 싶어요.", "label": "Change"}]
    path = as_file(tmp_path, "r.json", [{**RECORD, "dialogue": turns}])
    assert next(read_reference_json(path)).utterances[0].talk == "change"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": "Travel"}, ["record 1", "'category'", "'Travel'", "Mental Health"]),
        ({"dialogue": "none"}, ["record 1", "dialogue"]),
        ({"dialogue": ["hello"]}, ["record 1, turn 0", "'hello'"]),
        ({"dialogue": [{"role": "Dog", "utterance_ko": "멍"}]}, ["turn 0", "'dog'", "therapist"]),
        ({"dialogue": [{"role": "Therapist", "utterance_ko": "네", "label": "Nod"}]}, ["turn 0", "'Nod'", "Affirm"]),
        ({"dialogue": [{"role": "Client", "utterance_ko": "네", "label": "Yes"}]}, ["turn 0", "'yes'", "sustain"]),
        ({"mood": "blue"}, ["record 1", "'mood'"]),
    ],
)
def test_a_wrong_reference_record_is_named(tmp_path, change, words):
    path = as_file(tmp_path, "r.json", [{**RECORD, **change}])
    with pytest.raises(DataError) as caught:
        list(read_reference_json(path))
    assert str(caught.value).startswith(str(path))
    for word in words:
        assert word in str(caught.value)


TRANSCRIPT = """\ufeff상담자: 어서 오세요.
오늘은 어떠세요?
내담자\uff1a 잠을 못 자요.

T: How are you?
client: Tired,
all the time.
"""


def test_a_transcript_has_dialogues_between_blank_lines(tmp_path):
    path = as_file(tmp_path, "talk.txt", TRANSCRIPT)
    korean, english = read_transcript(path)
    assert (korean.id, english.id) == ("talk-1", "talk-2")
    assert korean.utterances == (
        Utterance("therapist", "어서 오세요. 오늘은 어떠세요?"),
        Utterance("client", "잠을 못 자요."),
    )
    assert english.utterances[1] == Utterance("client", "", "Tired, all the time.")
    assert list(read_dialogues(path)) == [korean, english]


def test_blank_lines_between_all_turns_part_nothing(tmp_path):
    path = as_file(tmp_path, "talk.txt", "상담자: 안녕하세요.\n\n내담자: 네.\n\n\n상담자: 앉으세요.\n")
    (dialogue,) = read_transcript(path)
    assert dialogue.turns == 3


def test_a_line_without_a_speaker_at_the_start_is_named(tmp_path):
    path = as_file(tmp_path, "talk.txt", "상담자: 네.\n\n그냥 글\n")
    with pytest.raises(DataError, match=r"line 3.*speaker.*그냥 글"):
        list(read_transcript(path))


def test_kmi_jsonl_and_notation_and_parquet_are_told_apart(tmp_path):
    labelled = Dialogue("d", "가족", "", (Utterance("therapist", "네.", label="General"),), split="train")
    write_jsonl([labelled], tmp_path / "kmi.jsonl")
    assert list(read_dialogues(tmp_path / "kmi.jsonl")) == [labelled]
    whole_list = as_file(tmp_path, "kmi.json", [labelled.to_dict()])
    assert list(read_dialogues(whole_list)) == [labelled]
    notation = as_file(tmp_path, "some.txt", "// kept by hand\n" + write_notation(labelled))
    assert list(read_dialogues(notation)) == [labelled]

    from kmi.corpus.build import build_dataset

    build_dataset([labelled], tmp_path / "out")
    parquet = tmp_path / "out/data/dialogues/train-00000-of-00001.parquet"
    assert list(read_dialogues(parquet)) == [labelled]
    with pytest.raises(DataError, match="expected the dialogues table"):
        list(read_dialogues(tmp_path / "out/data/chat/train-00000-of-00001.parquet"))


ANNOMI_CSV = """\
mi_quality,transcript_id,topic,utterance_id,interlocutor,utterance_text,annotator_id,therapist_input_subtype,\
reflection_subtype,question_subtype,main_therapist_behaviour,client_talk_type
high,3,smoking,0,therapist,Hello.,1,n/a,n/a,n/a,other,n/a
high,3,smoking,1,client,I want to quit.,1,n/a,n/a,n/a,n/a,change
"""


def test_both_annomi_files_are_known(tmp_path):
    (from_table,) = read_dialogues(as_file(tmp_path, "table.csv", ANNOMI_CSV))
    session = {"dialogue_id": 3, "dialogue": [{"speaker": "client", "utterance": "I want to quit.", "label": "Change"}]}
    (from_json,) = read_dialogues(as_file(tmp_path, "kmi8.json", [session]))
    assert from_table.id == from_json.id == "annomi-3"
    assert from_table.utterances[1].talk == from_json.utterances[0].talk == "change"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "found none"),
        ("\n\n", "found none"),
        ("[]", "found none"),
        ("[1]", "got 1"),
        ("{broken", "line 1: not valid JSON"),
        ("[broken", "not valid JSON"),
        ('{"id": "x", "profile": {}}\n', "'dialogue' is missing"),
        ("just words\n", "line 1.*speaker"),
    ],
)
def test_an_unusable_file_is_refused(tmp_path, content, words):
    with pytest.raises(DataError, match=words):
        list(read_dialogues(as_file(tmp_path, "some.file", content)))


def test_missing_folder_and_undecodable_files_are_refused(tmp_path):
    with pytest.raises(DataError, match="found none"):
        list(read_dialogues(tmp_path / "absent.jsonl"))
    with pytest.raises(ConfigError, match="source texts"):
        list(read_dialogues(tmp_path))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        list(read_dialogues(tmp_path / "bytes"))
    (tmp_path / "half.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="not a readable Parquet"):
        list(read_dialogues(tmp_path / "half.parquet"))


def test_run_and_source_folders_are_read(tmp_path):
    run, source = tmp_path / "run", tmp_path / "source"
    run.mkdir()
    write_jsonl([DIALOGUE], run / "dialogues.jsonl")
    assert list(read_dialogues(run)) == [DIALOGUE]
    (source / "family").mkdir(parents=True)
    as_file(source / "family", "a.txt", '#{"id": "x", "split": "train"}\nT GE | 네.\n')
    assert [dialogue.category for dialogue in read_dialogues(source)] == ["가족"]
