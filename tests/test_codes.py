import re

import pytest

from kmi import codes
from kmi.errors import DataError

SCHEMES = ("miti", "misc", "annomi")
# Every table with its size and its values in order: both are what stored data and probability vectors rely on.
TABLES = {
    "THERAPIST": (
        "Simple Reflection", "Complex Reflection", "Open Question", "Closed Question", "Affirm", "Give Information", "Advise", "General",
    ),
    "TALK": ("change", "sustain", "neutral"),
    "SUBTYPES": ("desire", "ability", "reason", "need", "commitment", "activation", "taking_steps"),
    "PROCESSES": ("engaging", "focusing", "evoking", "planning"),
    "CATEGORIES": ("정신건강", "대인관계", "자아·성격", "취업·진로", "학업·고시", "중독·집착", "가족"),
    "ARCS": (
        "steady_growth", "relapse", "early_readiness", "flat", "misattuned_repair", "argument", "mandated", "crisis", "open_ambivalence",
    ),
    "ENDINGS": ("commitment", "partial", "none"),
}  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_tables_hold_their_values_in_order(table):
    assert tuple(getattr(codes, table)) == TABLES[table]


def test_the_sizes_are_8_3_7_4_7_9_3():
    assert [len(getattr(codes, table)) for table in TABLES] == [8, 3, 7, 4, 7, 9, 3]
    assert codes.THERAPIST_LABELS == TABLES["THERAPIST"]


@pytest.mark.parametrize("table", [name for name in TABLES if name != "CATEGORIES"])
def test_every_code_has_both_names_and_definitions(table):
    for code in getattr(codes, table).values():
        assert re.search("[가-힣]", code.ko), code.name
        assert re.search("[가-힣]", code.definition_ko), code.name
        assert re.search("[a-z]", code.definition_en) and not re.search("[가-힣]", code.definition_en), code.name


@pytest.mark.parametrize("table", ["THERAPIST", "TALK", "SUBTYPES"])
def test_codes_of_utterances_have_one_example_in_both_languages(table):
    for code in getattr(codes, table).values():
        assert re.search("[가-힣]", code.example_ko) and re.search("[a-z]", code.example_en), code.name


def test_definitions_and_examples_are_all_different():
    texts = [
        text for table in TABLES for code in getattr(codes, table).values()
        for text in (code.definition_ko, code.definition_en, code.example_ko, code.example_en) if text
    ]  # fmt: skip
    assert len(texts) > 80
    assert len(set(texts)) == len(texts)


def test_abbreviations_are_the_two_letters_of_the_notation():
    assert list(codes.ABBREVIATIONS) == ["SR", "CR", "OQ", "CQ", "AF", "GI", "AD", "GE"]
    assert {codes.label_of(short) for short in codes.ABBREVIATIONS} == set(codes.THERAPIST_LABELS)


def test_kinds_part_reflections_questions_and_the_rest():
    assert codes.REFLECTIONS == {"Simple Reflection", "Complex Reflection"}
    assert codes.QUESTIONS == {"Open Question", "Closed Question"}
    assert {code.kind for code in codes.THERAPIST.values()} == {"reflection", "question", "other"}


def test_darn_is_preparatory_and_cat_mobilising():
    mobilising = [code.name for code in codes.SUBTYPES.values() if code.mobilising]
    assert mobilising == ["commitment", "activation", "taking_steps"]


def test_categories_have_english_names_and_folder_slugs():
    slugs = [code.slug for code in codes.CATEGORIES.values()]
    assert slugs == ["mental_health", "relationships", "self_personality", "career", "academic", "addiction", "family"]
    assert len({code.en for code in codes.CATEGORIES.values()}) == 7


@pytest.mark.parametrize("wrong", ["cr", "XX", "", "Complex Reflection", "CR "])
def test_unknown_abbreviations_are_refused_by_name(wrong):
    with pytest.raises(DataError, match=re.escape(repr(wrong))) as caught:
        codes.label_of(wrong)
    assert "SR, CR, OQ, CQ, AF, GI, AD, GE" in str(caught.value)


@pytest.mark.parametrize(
    ("code", "parts"),
    [("change", ("change", None)), ("sustain", ("sustain", None)), ("neutral", ("neutral", None))]
    + [(f"change/{name}", ("change", name)) for name in TABLES["SUBTYPES"]],
)
def test_talk_splits_into_type_and_subtype(code, parts):
    assert codes.split_talk(code) == parts


@pytest.mark.parametrize("wrong", ["", "Change", "change/hope", "sustain/desire", "neutral/need", "desire", "change/desire/need", "change /desire", "/desire"])
def test_other_talk_is_refused_by_name(wrong):
    with pytest.raises(DataError, match=re.escape(repr(wrong))):
        codes.split_talk(wrong)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_label_appears_in_each_crosswalk_and_every_value_is_known(scheme):
    there, back = codes.crosswalk(scheme, to_kmi=False), codes.crosswalk(scheme, to_kmi=True)
    assert tuple(there) == codes.THERAPIST_LABELS
    assert {label for labels in back.values() for label in labels} <= set(codes.THERAPIST_LABELS)
    assert {code for found in there.values() for code in found} <= set(back)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_crosswalks_agree_in_both_directions(scheme):
    there, back = codes.crosswalk(scheme, to_kmi=False), codes.crosswalk(scheme, to_kmi=True)
    lost = [(label, code) for label, found in there.items() for code in found if label not in back[code]]
    assert not lost


@pytest.mark.parametrize(
    ("scheme", "code", "labels"),
    [
        ("miti", "Question", ["Open Question", "Closed Question"]),  # MITI 4.2.1 no longer parts open from closed
        ("miti", "Confront", []),
        ("miti", "Persuade with Permission", ["Advise"]),
        ("misc", "Emphasize Control", ["Closed Question", "General"]),
        ("misc", "Complex Reflection", ["Complex Reflection"]),
        ("annomi", "other", ["General", "Affirm"]),
        ("annomi", "therapist_input/advice", ["Advise"]),
    ],
)
def test_golden_crosswalk_entries(scheme, code, labels):
    assert codes.crosswalk(scheme, to_kmi=True)[code] == labels


def test_the_ten_miti_counts_are_all_there():
    assert len(codes.crosswalk("miti", to_kmi=True)) == 10


@pytest.mark.parametrize("scheme", ["misc", "annomi"])
def test_client_crosswalks_give_talk_that_can_be_split(scheme):
    found = {codes.split_talk(talk)[0] for talk in codes.talk_crosswalk(scheme).values()}
    assert found == set(codes.TALK_TYPES)


def test_misc_change_language_gives_each_subtype_once():
    talk = codes.talk_crosswalk("misc")
    plus = [codes.split_talk(value) for code, value in talk.items() if code.endswith("+")]
    assert sorted(subtype for _, subtype in plus if subtype) == sorted(codes.TALK_SUBTYPES)
    assert all(talk_type == "change" for talk_type, _ in plus)
    assert {value for code, value in talk.items() if code.endswith("-")} == {"sustain"}


def test_unknown_schemes_are_refused():
    with pytest.raises(DataError, match="'mitii'.*"):
        codes.crosswalk("mitii", to_kmi=True)
    with pytest.raises(DataError, match="misc, annomi, got 'miti'"):
        codes.talk_crosswalk("miti")
