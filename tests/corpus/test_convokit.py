"""The folder is written as ConvoKit 5 writes it (convokit/model/corpus_helpers.py, ConvoKitIndex.to_dict)."""

import json

import pytest

from kmi.corpus.convokit import read_convokit, write_convokit
from kmi.corpus.readers import read_dialogues
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import DataError


@pytest.fixture
def corpus(tmp_path, dialogues):
    write_convokit(dialogues[:2], tmp_path / "corpus")
    return tmp_path / "corpus"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def lines(corpus):
    return [json.loads(line) for line in (corpus / "utterances.jsonl").read_text(encoding="utf-8").splitlines()]


def test_the_folder_has_the_five_files_in_ascii(corpus):
    assert sorted(path.name for path in corpus.iterdir()) == ["conversations.json", "corpus.json", "index.json", "speakers.json", "utterances.jsonl"]
    assert all(path.read_bytes().isascii() for path in corpus.iterdir())


def test_an_utterance_replies_to_the_one_before(corpus):
    found = lines(corpus)
    assert [(line["id"], line["reply-to"], line["timestamp"]) for line in found[:3]] == [("a_0", None, 0), ("a_1", "a_0", 1), ("a_2", "a_1", 2)]
    assert [line["reply-to"] for line in found if line["conversation_id"] == "b"] == [None, "b_0"]
    assert set(found[0]) == {"id", "conversation_id", "text", "speaker", "meta", "reply-to", "timestamp", "vectors"}
    assert found[3]["speaker"] == "a_client" and found[3]["text"] == "막히는 건 아니고, 안 가고 싶어요."
    assert found[2]["meta"]["forecast"][0] == {"label": "Complex Reflection", "probability": 0.5}


def test_speakers_and_conversations_carry_metadata(corpus):
    speakers, conversations = load(corpus / "speakers.json"), load(corpus / "conversations.json")
    assert {line["speaker"] for line in lines(corpus)} == set(speakers)
    assert speakers["a_client"] == {"meta": {"role": "client"}, "vectors": []}
    assert list(conversations) == ["a", "b"]
    assert conversations["a"]["meta"]["profile"]["occupation"] == "간호사"
    assert load(corpus / "corpus.json") == {"language": "ko"}


def test_the_index_names_every_metadata_field_and_its_type(corpus):
    index = load(corpus / "index.json")
    assert set(index) == {"utterances-index", "speakers-index", "conversations-index", "overall-index", "version", "vectors"}
    components = {
        "utterances": [line["meta"] for line in lines(corpus)],
        "speakers": [speaker["meta"] for speaker in load(corpus / "speakers.json").values()],
        "conversations": [conversation["meta"] for conversation in load(corpus / "conversations.json").values()],
        "overall": [load(corpus / "corpus.json")],
    }
    for kind, metas in components.items():
        for meta in metas:
            assert set(meta) == set(index[f"{kind}-index"])
            assert all(index[f"{kind}-index"][name] == [str(type(value))] for name, value in meta.items() if value is not None)


def a_corpus_of_others(folder, speakers, utterances):
    folder.mkdir()
    for name, content in {"speakers": speakers, "conversations": {"c": {"rating": 3}}, "corpus": {}, "index": {}}.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    (folder / "utterances.jsonl").write_text("\n".join(map(json.dumps, utterances)), encoding="utf-8")
    return folder


@pytest.mark.parametrize("speakers", [{"x": {"role": "client", "age": 3}}, {"x": {"meta": {"role": "client"}, "vectors": []}, "therapist": {}}])
def test_the_corpus_of_another_is_read(tmp_path, speakers):
    said = [("x", "힘들어요."), ("therapist", "Tell me more.")]
    utterances = [{"id": str(i), "conversation_id": "c", "speaker": speaker, "text": text, "meta": {"words": 2}} for i, (speaker, text) in enumerate(said)]
    folder = a_corpus_of_others(tmp_path / "corpus", speakers, utterances)
    assert list(read_dialogues(folder)) == [Dialogue("c", "", "", (Utterance("client", "힘들어요."), Utterance("therapist", "", "Tell me more.")))]


@pytest.mark.parametrize(
    ("utterance", "words"),
    [
        ({"id": "1"}, "utterances.jsonl, line 1: expected id, speaker"),
        (["1"], "utterances.jsonl, line 1: expected id, speaker"),
        ({"speaker": "ann", "text": "Hi", "conversation_id": "c"}, "conversation 'c', turn 0: field 'role' is 'ann'; allowed are therapist, client"),
        ({"speaker": "client", "text": "Hi", "conversation_id": "c", "meta": {"talk": "x"}}, "conversation 'c', turn 0: field 'talk'"),
        ({"speaker": "client", "text": None, "conversation_id": "c"}, "conversation 'c', turn 0: field 'utterance_en'"),
    ],
)
def test_an_utterance_that_does_not_hold_is_named(tmp_path, utterance, words):
    with pytest.raises(DataError, match=words):
        list(read_convokit(a_corpus_of_others(tmp_path / "corpus", {}, [utterance])))


@pytest.mark.parametrize("name", ["speakers.json", "conversations.json", "corpus.json"])
def test_a_missing_or_damaged_file_is_named(corpus, name):
    for content, words in (("{", "not valid JSON"), ("[]", "expected a JSON object")):
        (corpus / name).write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match=rf"{name}.*{words}"):
            list(read_convokit(corpus))
    (corpus / name).unlink()
    with pytest.raises(DataError, match=f"Expected {name} .*found none"):
        list(read_convokit(corpus))


def test_metadata_that_is_no_object_names_its_conversation(tmp_path, dialogues):
    write_convokit([dialogues[1]], tmp_path / "corpus")
    (tmp_path / "corpus" / "conversations.json").write_text('{"b": "note"}')
    with pytest.raises(DataError, match=r"corpus, conversation 'b': expected an object of metadata, got 'note'"):
        list(read_convokit(tmp_path / "corpus"))
