import json
import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kmi import codes
from kmi.dialogue import (
    ClientProfile,
    Dialogue,
    Forecast,
    Provenance,
    Utterance,
    json_lines,
    read_jsonl,
    to_line,
    validate,
    write_jsonl,
)
from kmi.errors import DataError, KmiError

REFERENCE = {
    "id": 17,
    "category": "가족",
    "context": "형과 다섯 해째 말을 안 합니다.",
    "turns": 2,
    "dialogue": [
        {"role": "therapist", "utterance_ko": "어서 오세요.", "utterance_en": "Welcome.", "label": "General"},
        {"role": "client", "utterance_ko": "네.", "utterance_en": "Yes."},
    ],
}


def full_dialogue():
    """Every field of every record set to something that is not its default."""
    therapist = Utterance(
        "therapist", "술을 줄이고 싶으세요?", "Do you want to drink less?", "Closed Question", "evoking",
        planned_label="Open Question", decision_reason="rank 2", label_second="Open Question",
        forecast=(Forecast("Open Question", 0.5), Forecast("Affirm", 0.0), Forecast("General", 1)),
    )  # fmt: skip
    client = Utterance("client", "네, 줄일게요.", "", None, "planning", "change", "commitment", True, talk_second="sustain")
    return Dialogue(
        "d-1", "중독·집착", "글 \u2028 둘째 줄\n셋째 줄 \"따옴표\" 😀", (therapist, client),
        ClientProfile(*(f"값 {n}" for n in range(11))), "relapse", "partial", "validation",
        Provenance("openai", "m", "turn", 3, "abc", "0.1.0"),
    )  # fmt: skip


def problem(record):
    with pytest.raises(DataError) as caught:
        Dialogue.from_dict(record, where="a.jsonl, line 4")
    return str(caught.value)


def changed(path, value):
    """The full record with one value replaced; `path` is like "dialogue.0.label"."""
    record = json.loads(to_line(full_dialogue().to_dict()))
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = record
    for step in steps:
        place = place[step]
    place[last] = value
    return record


def test_every_field_survives_the_json_form():
    dialogue = full_dialogue()
    assert Dialogue.from_dict(json.loads(to_line(dialogue.to_dict()))) == dialogue


def test_the_json_form_has_the_reference_fields_first_and_every_key():
    record = full_dialogue().to_dict()
    assert list(record)[:5] == ["id", "category", "context", "turns", "dialogue"]
    assert record["turns"] == 2
    bare = Dialogue.from_dict(REFERENCE).to_dict()
    assert set(bare) == set(record) and set(bare["dialogue"][0]) == set(record["dialogue"][0])
    assert bare["arc"] is None and bare["dialogue"][1]["label"] is None


def test_a_record_of_the_reference_release_is_enough():
    dialogue = Dialogue.from_dict(REFERENCE)
    assert (dialogue.id, dialogue.turns, dialogue.utterances[0].label) == ("17", 2, "General")
    assert dialogue.profile == ClientProfile() and dialogue.provenance == Provenance()


def test_text_falls_back_on_english():
    assert Utterance("client", "", "Yes.").text == "Yes."
    assert Utterance("client", "네.", "Yes.").text == "네."


def test_jsonl_keeps_order_and_content_and_counts(tmp_path):
    dialogues = [replace(full_dialogue(), id=f"d-{n}") for n in range(5)]
    path = tmp_path / "d.jsonl"
    assert write_jsonl(iter(dialogues), path) == 5
    assert list(read_jsonl(path)) == dialogues
    assert "술을 줄이고" in path.read_text(encoding="utf-8")  # readable, not \u escapes
    assert len(path.read_bytes().splitlines()) == 5
    assert [file.name for file in tmp_path.iterdir()] == ["d.jsonl"]  # nothing half-written is left beside it


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "d.jsonl"
    write_jsonl([full_dialogue()], path)
    before = path.read_bytes()

    def breaking():
        yield replace(full_dialogue(), id="other")
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError):
        write_jsonl(breaking(), path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("id", "  ", ["'id'"]),
        ("category", "직장", ["'category'", "'직장'", "정신건강", "가족"]),
        ("category", None, ["'category'", "None"]),
        ("category", ["가족"], ["'category'", "가족"]),
        ("context", 5, ["'context'", "5"]),
        ("context", None, ["'context'", "None"]),
        ("arc", "growth", ["'arc'", "'growth'", "steady_growth", "open_ambivalence"]),
        ("ending", "good", ["'ending'", "'good'", "commitment, partial, none"]),
        ("split", "dev", ["'split'", "'dev'", "train, validation, test"]),
        ("turns", 3, ["'turns'", "3", "2 utterances"]),
        ("dialogue", [], ["'turns'", "0 utterances"]),
        ("dialogue", {}, ["'dialogue'", "{}"]),
        ("dialogue", "text", ["'dialogue'", "'text'"]),
        ("dialogue.1", "네.", ["turn 1", "role", "'네.'"]),
        ("dialogue.1.role", "patient", ["turn 1", "'role'", "'patient'", "therapist, client"]),
        ("dialogue.0.label", "CR", ["turn 0", "'label'", "'CR'", "Complex Reflection"]),
        ("dialogue.0.planned_label", "Question", ["turn 0", "'planned_label'", "'Question'", "Open Question"]),
        ("dialogue.0.label_second", 1, ["turn 0", "'label_second'", "1"]),
        ("dialogue.1.talk", "positive", ["turn 1", "'talk'", "'positive'", "change, sustain, neutral"]),
        ("dialogue.1.talk_second", "Change", ["turn 1", "'talk_second'", "'Change'"]),
        ("dialogue.1.talk_subtype", "hope", ["turn 1", "'talk_subtype'", "'hope'", "desire", "taking_steps"]),
        ("dialogue.1.process", "closing", ["turn 1", "'process'", "'closing'", "engaging"]),
        ("dialogue.1.talk", "sustain", ["turn 1", "'talk_subtype'", "'commitment'", "only change talk"]),
        ("dialogue.1.label", "Affirm", ["turn 1", "client", "'Affirm'", "'talk'"]),
        ("dialogue.1.planned_label", "Affirm", ["turn 1", "client", "'Affirm'"]),
        ("dialogue.0.talk", "change", ["turn 0", "therapist", "'change'", "'label'"]),
        ("dialogue.0.utterance_ko", 3, ["turn 0", "'utterance_ko'", "3"]),
        ("dialogue.0.utterance_en", None, ["turn 0", "'utterance_en'", "None"]),
        ("dialogue.1.utterance_ko", " \n", ["turn 1", "both empty"]),
        ("dialogue.0.forecast", "Affirm", ["turn 0", "'forecast'", "'Affirm'"]),
        ("dialogue.0.forecast.0", ["Affirm", 0.2], ["turn 0", "forecast"]),
        ("dialogue.0.forecast.0.label", "AF", ["turn 0", "'forecast.label'", "'AF'"]),
        ("dialogue.0.forecast.1.probability", 1.01, ["turn 0", "between 0 and 1", "1.01"]),
        ("dialogue.0.forecast.1.probability", -1e-9, ["turn 0", "between 0 and 1", "-1e-09"]),
        ("dialogue.0.forecast.1.probability", float("nan"), ["turn 0", "between 0 and 1", "nan"]),
        ("dialogue.0.forecast.1.probability", "0.5", ["turn 0", "between 0 and 1", "'0.5'"]),
        ("dialogue.0.forecast.1", {"label": "Affirm"}, ["turn 0, forecast", "probability"]),
        ("profile", "adult", ["profile", "'adult'"]),
        ("profile", {"age": "30"}, ["profile", "'age'", "age_band"]),
        ("provenance", {"seeds": 1}, ["provenance", "'seeds'", "seed"]),
        ("dialogue.0.text", "x", ["turn 0", "'text'", "utterance_ko"]),
        ("score", 1, ["'score'", "dialogue"]),
    ],
)  # fmt: skip
def test_messages_name_place_field_value_and_what_is_allowed(path, value, words):
    message = problem(changed(path, value))
    assert message.startswith("a.jsonl, line 4")
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize("field", ["id", "dialogue"])
def test_a_missing_field_is_named(field):
    record = {name: value for name, value in REFERENCE.items() if name != field}
    assert f"'{field}' is missing" in problem(record)


def test_a_turn_without_role_is_named():
    assert "turn 0" in problem({**REFERENCE, "dialogue": [{"utterance_ko": "네."}]})
    assert "role" in problem({**REFERENCE, "dialogue": [{"utterance_ko": "네."}]})


def test_an_empty_dialogue_is_refused():
    assert "'dialogue' is empty" in problem({"id": "x", "dialogue": []})


WRONG_TYPES = [
    ("id", None),
    ("id", {"a": 1}),
    ("profile.occupation", 3),
    ("provenance.seed", "abc"),
    ("provenance.writer", ["x"]),
    ("dialogue.0.decision_reason", 7),
    ("dialogue.1.corrects_reflection", "yes"),
]


@pytest.mark.parametrize(("path", "value"), WRONG_TYPES)
def test_wrong_types_are_refused_everywhere(path, value):
    assert path.rpartition(".")[2] in problem(changed(path, value))


def test_validate_names_the_dialogue_where_no_place_is_given():
    with pytest.raises(DataError, match="dialogue 'd-1', turn 1: field 'talk' is 'x'"):
        broken = full_dialogue()
        validate(replace(broken, utterances=(broken.utterances[0], replace(broken.utterances[1], talk="x", talk_subtype=None))))


def test_json_lines_counts_lines_skips_blanks_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes('\ufeff{"a": 1}\r\n\n   \n["\u2028"]\n'.encode())
    assert list(json_lines(path)) == [(1, {"a": 1}), (4, ["\u2028"])]


def test_json_lines_names_file_line_and_column(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n{"a": }\n')
    with pytest.raises(DataError, match=r"x\.jsonl, line 2: not valid JSON .* at column 7"):
        list(json_lines(path))


def test_json_lines_of_nothing_wrong_encoding_and_deep_nesting(tmp_path):
    with pytest.raises(DataError, match="found none"):
        list(json_lines(tmp_path / "none.jsonl"))
    with pytest.raises(DataError, match="found none"):
        list(json_lines(tmp_path))
    path = tmp_path / "x.jsonl"
    path.write_bytes('{"a": 1}\n"한글"\n'.encode("cp949"))
    with pytest.raises(DataError, match="not UTF-8"):
        list(json_lines(path))
    path.write_text("[" * 200_000 + "\n")
    with pytest.raises(DataError, match="line 1: .*deep"):
        list(json_lines(path))


def test_read_jsonl_names_file_and_line(tmp_path):
    path = tmp_path / "d.jsonl"
    path.write_text(to_line(REFERENCE) + "\n" + to_line({**REFERENCE, "split": "dev"}), encoding="utf-8")
    reader = read_jsonl(path)
    assert next(reader).id == "17"
    with pytest.raises(DataError, match=r"d\.jsonl, line 3: field 'split'"):
        next(reader)


def test_a_number_too_long_to_parse_is_a_data_error(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": ' + "1" * 5000 + "}\n")
    with pytest.raises(KmiError):
        list(json_lines(path))


def test_half_a_character_is_refused_before_it_breaks_a_later_write():
    assert "'utterance_ko'" in problem(changed("dialogue.0.utterance_ko", "반쪽 \ud83d 글자"))


JSON_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JSON_LEAVES |= st.sampled_from([*codes.THERAPIST_LABELS, *codes.TALK_TYPES, *codes.ROLES, *codes.ARCS, *codes.CATEGORIES])
JSON_VALUES = st.recursive(JSON_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3), max_leaves=6)


def keyed(names, values=JSON_VALUES):
    return st.dictionaries(st.sampled_from(names), values, max_size=len(names))


UTTERANCES = keyed(["role", "utterance_ko", "label", "talk", "talk_subtype", "process", "forecast", "corrects_reflection", "x"])
RECORDS = keyed(
    ["id", "category", "context", "turns", "dialogue", "profile", "arc", "ending", "split", "provenance", "x"],
    JSON_VALUES | st.lists(UTTERANCES | JSON_VALUES, max_size=3) | keyed(["occupation", "seed"]),
)


@given(RECORDS | JSON_VALUES)
@example({"id": "a", "dialogue": [{"role": "therapist", "utterance_ko": "네.", "forecast": [[]]}]})
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_json_value_is_a_dialogue_or_a_data_error(record):
    try:
        dialogue = Dialogue.from_dict(record)
    except DataError as error:
        assert str(error).startswith("record")
    else:
        assert Dialogue.from_dict(json.loads(to_line(dialogue.to_dict()))) == dialogue


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_json_lines_or_a_data_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "bytes.jsonl"
    path.write_bytes(data)
    try:
        numbers = [number for number, _ in json_lines(path)]
    except DataError as error:
        assert re.search(r"bytes\.jsonl(, line \d+)?: ", str(error))
    else:
        assert numbers == sorted(set(numbers))


def test_an_id_or_reason_that_no_file_could_hold_is_refused():
    assert "'id' holds half a character" in problem(changed("id", "\ud83d"))
    assert "'decision_reason' should be text" in problem(changed("dialogue.0.decision_reason", 0))
