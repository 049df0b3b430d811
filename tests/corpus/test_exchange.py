"""Round trips of all four exports, what they share, and the chat formats; see test_spreadsheet and test_convokit for the others."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmi.corpus.convokit import write_convokit
from kmi.corpus.exchange import appearing, in_language, sharegpt, trl_chat, write_sharegpt, write_trl
from kmi.corpus.readers import read_dialogues
from kmi.corpus.spreadsheet import write_csv
from kmi.corpus.tables import system_prompt
from kmi.dialogue import ClientProfile, Dialogue, Provenance, Utterance
from kmi.errors import ConfigError, DataError

WRITERS = {"trl": write_trl, "sharegpt": write_sharegpt, "csv": write_csv, "convokit": write_convokit}
KEEPS_EVERYTHING = {"convokit"}


def kept(dialogue, name):
    """What an export in one language keeps of it."""
    if name in KEEPS_EVERYTHING:
        return dialogue
    turns = tuple(replace(turn, forecast=()) for turn in dialogue.utterances)
    return replace(dialogue, utterances=turns, profile=ClientProfile(), provenance=Provenance())


@pytest.fixture
def bilingual(dialogues):
    """The first uses every field; the second is opened by the client."""
    rich, plain, _ = dialogues
    rich = replace(rich, utterances=tuple(replace(turn, utterance_en=turn.utterance_en or "OK.") for turn in rich.utterances))
    turns = (Utterance("client", "OK.", "끊을래요", talk="sustain"), Utterance("therapist", "네.", "Yes."), Utterance("therapist", "그래요.", "I see."))
    return [rich, replace(plain, utterances=turns)]


@pytest.mark.parametrize("language", ["ko", "en"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_was_exported_is_read_back(tmp_path, bilingual, name, language):
    assert WRITERS[name](iter(bilingual), tmp_path / "out", language) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    found = list(read_dialogues(tmp_path / "out"))
    assert found == [kept(dialogue, name) for dialogue in in_language(bilingual, language)]
    # The law above would hold for exports that lose both texts and codes.
    texts = [["어서 오세요.", "네, 왔어요."], ["OK.", "네."]] if language == "ko" else [["Welcome.", "I'm here."], ["끊을래요", "Yes."]]
    assert [[turn.text for turn in dialogue.utterances[:2]] for dialogue in found] == texts
    assert [(turn.label, turn.planned_label, turn.talk, turn.talk_subtype) for turn in found[0].utterances[2:4]] == [
        ("Simple Reflection", "Complex Reflection", None, None),
        (None, None, "change", "desire"),
    ]


NASTY = st.sampled_from([*"=+-@'\"`,;|:{}[]#/\\%<>&\t\r\n ＝＋－＠가a1", "\r\n", "//", "#{", "\u2028", "\x85", "\ufeff", "\x1f", "</s>", "😀"])
TEXT = st.lists(NASTY | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12).map("".join).filter(str.strip)


@pytest.mark.parametrize("name", WRITERS)
@settings(deadline=None, max_examples=60)
@given(ids=st.lists(TEXT, min_size=1, max_size=3, unique=True), texts=st.lists(TEXT, min_size=1, max_size=5), context=TEXT)
def test_no_text_is_too_nasty(name, ids, texts, context):
    turns = tuple(Utterance(("therapist", "client")[i % 2], text, decision_reason=text) for i, text in enumerate(texts))
    dialogues = [Dialogue(id_, "", context, turns) for id_ in ids]
    with TemporaryDirectory() as folder:
        WRITERS[name](dialogues, Path(folder) / "out")
        assert list(read_dialogues(Path(folder) / "out")) == dialogues


def test_an_export_holds_one_language(bilingual):
    (turn, *_), (english, *_) = (next(in_language(bilingual, language)).utterances for language in ("ko", "en"))
    assert (turn.utterance_ko, turn.utterance_en) == ("어서 오세요.", "")
    assert (english.utterance_ko, english.utterance_en) == ("", "Welcome.")


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize(
    ("change", "language", "error", "words"),
    [
        (lambda dialogues: dialogues, "en", DataError, "dialogue 'a', turn 3: expected text in utterance_en, got none. .*--language"),
        (lambda dialogues: dialogues, "ko", DataError, "dialogue 'c', turn 1: expected text in utterance_ko"),
        (lambda dialogues: dialogues[:1] * 2, "ko", DataError, "'a' comes twice"),
        (lambda dialogues: [], "ko", DataError, "at least one dialogue .*--split"),
        (lambda dialogues: [replace(dialogues[0], context="\ud800")], "ko", DataError, "dialogue 'a': field 'context'"),
        (lambda dialogues: dialogues, "fr", ConfigError, "among ko, en, got 'fr'"),
    ],
)
def test_what_cannot_be_exported_is_named_and_leaves_nothing_behind(tmp_path, dialogues, name, change, language, error, words):
    with pytest.raises(error, match=words):
        WRITERS[name](change(dialogues), tmp_path / "out", language)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path, bilingual):
    (tmp_path / "out").write_text("mine", encoding="utf-8")
    for write in WRITERS.values():
        with pytest.raises(ConfigError, match="exists already .* --out, or remove it"):
            write(bilingual, tmp_path / "out")
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
    with pytest.raises(ConfigError, match="Cannot open .*Name another --out"):
        write_trl(bilingual, tmp_path / "out" / "below-a-file")


def test_folders_above_are_made_and_an_export_that_fails_leaves_nothing(tmp_path, bilingual):
    write_convokit(bilingual, tmp_path / "new" / "out")
    with pytest.raises(RuntimeError), appearing(tmp_path / "file") as partial:
        partial.touch()
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


def test_the_user_begins_and_the_therapist_is_the_assistant(bilingual):
    therapist_first, client_first = trl_chat(bilingual)
    system, greeting, *said = therapist_first["messages"]
    assert system == {"role": "system", "content": system_prompt() + "\n\n내담자가 상담 게시판에 올린 글:\n명절이 무섭습니다."}
    assert greeting["role"] == "user" and greeting["content"] not in bilingual[0].to_dict().values()
    assert [message["role"] for message in said] == ["assistant", "user", "assistant", "user", "assistant"]
    assert [note["label"] for note in therapist_first["annotations"]] == ["General", "", "Simple Reflection", "", "Simple Reflection"]
    assert [message["content"] for message in client_first["messages"][1:]] == ["OK.", "네.", "그래요."]


def test_english_rows_have_an_english_setting(bilingual):
    for row in trl_chat(bilingual, "en"):
        assert row["messages"][0]["content"] == system_prompt("en") and "109" in system_prompt("en")
        assert row["messages"][1]["content"].isascii() or row["id"] == "b"
    assert next(sharegpt(bilingual, "en"))["system"] == system_prompt("en")


def test_sharegpt_has_human_and_gpt_only(bilingual):
    rows = list(sharegpt(bilingual))
    assert [turn["from"] for turn in rows[0]["conversations"]] == ["human", "gpt", "human", "gpt", "human", "gpt"]
    assert rows[1]["conversations"][0] == {"from": "human", "value": "OK."}
    assert "messages" not in rows[0]


def types(value):
    """Names and types at any depth, as a columnar loader infers them."""
    if isinstance(value, dict):
        return {name: types(item) for name, item in value.items()}
    return [types(item) for item in value[:1]] if isinstance(value, list) else type(value)


def test_all_rows_have_the_same_columns_of_the_same_types(dialogues):
    for rows in (list(trl_chat(dialogues[:2])), list(sharegpt(dialogues[:2]))):
        assert types(rows[0]) == types(rows[1])
        assert {types(note)["label"] for row in rows for note in row["annotations"]} == {str}
        assert "labels" not in rows[0]  # SFTTrainer would take them for token ids


# As Gemma 3's and Mistral's: a system message, then user and assistant by turns.
ALTERNATING = """{% for message in messages %}{% if loop.index0 == 0 %}{{ message['content'] }}
{% elif (message['role'] == 'user') != (loop.index0 % 2 == 1) %}{{ raise_exception('must alternate') }}{% else %}<{{ message['role'] }}> {{ message['content'] }}
{% endif %}{% endfor %}"""


def test_trl_takes_the_rows_even_with_a_template_that_wants_the_user_first(dialogues):
    trl = pytest.importorskip("trl")
    from tokenizers import Tokenizer, models
    from trl.data_utils import is_conversational

    tokenizer = pytest.importorskip("transformers").PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel()), chat_template=ALTERNATING)
    (row,) = trl_chat(dialogues[:1])
    assert is_conversational(row)
    text = trl.apply_chat_template(row, tokenizer)["text"]
    assert text.splitlines()[-4:-2] == ["<user> 네, 왔어요.", "<assistant> 명절이 다가오면 숨이 막히시고요."]
    with pytest.raises(Exception, match="must alternate"):
        trl.apply_chat_template({"messages": row["messages"][:1] + row["messages"][2:]}, tokenizer)


FOREIGN = {
    "list.json": [{"conversations": [{"from": "system", "value": "Be kind."}, {"from": "human", "value": "I can't."}, {"from": "gpt", "value": "힘드시군요."}]}],
    "lines.jsonl": {"id": "x", "source": "web", "messages": [{"role": "user", "content": "I can't."}, {"role": "assistant", "content": "힘드시군요."}]},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_chat_rows_of_others_are_read(tmp_path, name):
    (tmp_path / name).write_text(json.dumps(FOREIGN[name]), encoding="utf-8")
    (found,) = read_dialogues(tmp_path / name)
    assert found == Dialogue("x" if name == "lines.jsonl" else "1", "", "", (Utterance("client", "", "I can't."), Utterance("therapist", "힘드시군요.")))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"messages": "hi"}, "line 2: expected an object with a list of messages"),
        ({"messages": ["hi"]}, "line 2: expected an object with a list of messages"),
        (["hi"], "line 2: expected an object with a list of messages"),
        ({"messages": []}, "line 2: field 'dialogue' is empty"),
        ({"messages": [{"role": "tool", "content": "1"}]}, "line 2, turn 0: field 'role' is 'tool'"),
        ({"messages": [{"role": ["user"], "content": "1"}]}, "line 2, turn 0: field 'role'"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "line 2, turn 0: field 'utterance_en'"),
        ({"messages": [{"role": "user", "content": "1"}], "annotations": [{}, {}]}, "line 2: expected a list of annotations"),
        ({"messages": [{"role": "user", "content": "1"}], "annotations": ["x"]}, "line 2: expected a list of annotations"),
        ({"messages": [{"role": "user", "content": "1"}], "annotations": [{"talk": "yes"}]}, "line 2, turn 0: field 'talk' is 'yes'"),
    ],
)
def test_a_chat_row_that_does_not_hold_is_named(tmp_path, row, words):
    lines = [FOREIGN["lines.jsonl"], row]
    (tmp_path / "chat.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    with pytest.raises(DataError, match=words):
        list(read_dialogues(tmp_path / "chat.jsonl"))
