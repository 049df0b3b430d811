from dataclasses import fields

import pytest

from kmi import codes
from kmi.corpus import tables
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import DataError


def rows(table, dialogue):
    """A table's rows as the Parquet stores them and a reader gets them back."""
    features = tables.features()[table]
    return [features.encode_example(row) for row in tables.ROWS[table](dialogue)]


def test_columns_are_those_of_the_record(dialogues):
    features = tables.features()
    assert list(features) == list(tables.ROWS) == ["dialogues", "utterances", "chat", "forecasting"]
    record = dialogues[0].to_dict()
    assert list(features["dialogues"]) == list(record)
    assert list(features["dialogues"]["profile"]) == list(record["profile"])
    assert list(features["dialogues"]["provenance"]) == list(record["provenance"])
    utterance = [field.name for field in fields(Utterance)]
    assert list(features["dialogues"]["dialogue"].feature) == utterance
    assert list(features["utterances"])[3:] == utterance


def test_class_labels_follow_the_codes():
    features = tables.features()["dialogues"]
    turn = features["dialogue"].feature
    for name, values in {
        "label": codes.THERAPIST_LABELS,
        "planned_label": codes.THERAPIST_LABELS,
        "talk": codes.TALK_TYPES,
        "talk_subtype": codes.TALK_SUBTYPES,
        "process": tuple(codes.PROCESSES),
        "role": codes.ROLES,
    }.items():
        assert tuple(turn[name].names) == values
    for name, values in {"category": codes.CATEGORIES, "arc": codes.ARCS, "ending": codes.ENDINGS}.items():
        assert features[name].names == list(values)


def test_the_unknown_is_null_not_minus_one(dialogues):
    (row,) = rows("dialogues", dialogues[2])
    assert row["category"] is None
    assert row["arc"] is None
    assert [turn["label"] for turn in row["dialogue"]] == [None, None]


def test_utterances_keep_their_place(dialogues):
    found = rows("utterances", dialogues[0])
    assert [(row["id"], row["turn"]) for row in found] == [("a", i) for i in range(5)]
    assert found[3]["talk_subtype"] == codes.TALK_SUBTYPES.index("desire")
    assert found[2]["forecast"][0] == {"label": 1, "probability": 0.5}


def test_chat_has_the_therapist_as_assistant_and_labels_beside(dialogues):
    (row,) = rows("chat", dialogues[0])
    assert [message["role"] for message in row["messages"]] == ["system", *["assistant", "user"] * 2, "assistant"]
    assert row["messages"][0]["content"].startswith(tables.system_prompt())
    assert row["messages"][0]["content"].endswith("\n명절이 무섭습니다.")
    assert row["messages"][2]["content"] == "네, 왔어요."
    assert row["labels"] == [None, codes.THERAPIST_LABELS.index("General"), None, 0, None, 0]
    (poor,) = rows("chat", dialogues[2])
    assert poor["messages"][0]["content"] == tables.system_prompt()
    assert poor["messages"][2]["content"] == "Yes."


def long_dialogue():
    turns = [
        Utterance("therapist", f"T{i}", label="Affirm") if i % 2 == 0 else Utterance("client", f"C{i}", talk="sustain")
        for i in range(11)
    ]
    return Dialogue("long", "가족", "", tuple(turns))


def test_forecasting_has_a_window_before_every_therapist_turn_but_the_opening():
    found = rows("forecasting", long_dialogue())
    assert [row["turn"] for row in found] == [2, 4, 6, 8, 10]
    assert [len(row["window"]) for row in found] == [2, 4, 6, 6, 6]
    assert [turn["utterance_ko"] for turn in found[-1]["window"]] == ["T4", "C5", "T6", "C7", "T8", "C9"]
    assert found[-1]["window"][-1]["talk"] == codes.TALK_TYPES.index("sustain")
    assert found[-1]["label"] == codes.THERAPIST_LABELS.index("Affirm")


@pytest.mark.parametrize("secret", ["T10", "planned_label", "decision_reason", "process"])
def test_a_forecasting_row_does_not_hold_the_turn_it_asks_for(secret):
    assert secret not in str(rows("forecasting", long_dialogue())[-1])


def test_unlabelled_therapist_turns_are_no_targets(dialogues):
    assert rows("forecasting", dialogues[2]) == []


@pytest.mark.parametrize("metadata", [b"not json", b"[]", b"{}", b'{"info": {"features": 3}}', b"\xff"])
def test_a_parquet_of_something_else_is_named(tmp_path, metadata):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"id": ["a"]}).replace_schema_metadata({b"huggingface": metadata})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(DataError, match=r"x.parquet: expected the dialogues table, got columns id"):
        list(tables.read_parquet(tmp_path / "x.parquet"))


def test_values_that_do_not_fit_the_declared_columns_are_named(tmp_path):
    import json

    import pyarrow
    import pyarrow.parquet

    declared = {"info": {"features": {"dialogue": {"_type": "ClassLabel", "names": ["a"]}}}}
    table = pyarrow.table({"dialogue": [7]}).replace_schema_metadata({b"huggingface": json.dumps(declared).encode()})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(DataError, match="x.parquet, None: the values do not fit the columns"):
        list(tables.read_parquet(tmp_path / "x.parquet"))
