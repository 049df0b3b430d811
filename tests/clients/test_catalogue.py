import re
from collections import Counter

import pytest

from kmi.clients.catalogue import FOLDER, age_of, axes, subtopics
from kmi.codes import CATEGORIES

BANDS = [f"{decade}0대 {part}" for decade in range(1, 7) for part in ("초반", "중반", "후반")] + ["70대", "80대"]
HANGUL = re.compile("[가-힣]")
LISTS = ("age_bands", "genders", "occupations", "problems", "ambivalence", "targets")


def texts(entry):
    return [entry.ko, *entry.occupations, *entry.problems, *entry.ambivalence, *entry.targets, entry.mandated_by]


def test_there_is_one_file_per_category_and_the_axes():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {code.slug for code in CATEGORIES.values()} | {"axes"}


def test_every_category_has_at_least_25_subtopics():
    counts = Counter(entry.category for entry in subtopics())
    assert list(counts) == list(CATEGORIES)
    assert min(counts.values()) >= 25


def test_ids_and_names_are_unique_and_share_a_prefix_per_category():
    assert len({entry.id for entry in subtopics()}) == len(subtopics())
    assert len({entry.ko for entry in subtopics()}) == len(subtopics())
    prefixes = {(entry.category, entry.id.split("_")[0]) for entry in subtopics()}
    assert len(prefixes) == len({prefix for _, prefix in prefixes}) == 7
    assert all(re.fullmatch("[a-z0-9]+(_[a-z0-9]+)+", entry.id) for entry in subtopics())


def test_lists_are_long_enough_and_hold_no_doubles():
    least = {"age_bands": 1, "genders": 1, "occupations": 4, "problems": 4, "ambivalence": 3, "targets": 3}
    for entry in subtopics():
        for name in LISTS:
            values = getattr(entry, name)
            assert len(values) >= least[name], (entry.id, name)
            assert len(set(values)) == len(values), (entry.id, name)


def test_problems_are_told_once_in_the_whole_catalogue():
    problems = Counter(problem for entry in subtopics() for problem in entry.problems)
    assert [problem for problem, count in problems.items() if count > 1] == []


def test_bands_and_genders_are_known_and_in_order():
    for entry in subtopics():
        assert set(entry.age_bands) <= set(BANDS), entry.id
        assert list(entry.age_bands) == sorted(entry.age_bands, key=BANDS.index), entry.id
        assert set(entry.genders) <= {"여성", "남성", "미상"}, entry.id


def test_texts_are_korean_sentences_without_edges():
    for entry in subtopics():
        for text in texts(entry):
            assert text == text.strip() and "\n" not in text, entry.id
            assert not text or HANGUL.search(text), (entry.id, text)
        assert re.search("[a-z]", entry.en) and not HANGUL.search(entry.en), entry.id


def test_each_ambivalence_holds_two_sides():
    turn = re.compile("하지만|지만|그런데|그래도|면서도|데도?[ ,.]|[은는]데|만,|반면|한편|그러나|동시에|또 ")
    one_sided = [(entry.id, text) for entry in subtopics() for text in entry.ambivalence if not turn.search(text)]
    assert one_sided == []


def test_risk_and_mandate_are_there_for_enough_lives():
    """The corpus needs crisis and mandated sessions from every category that can give them."""
    for category in CATEGORIES:
        own = [entry for entry in subtopics() if entry.category == category]
        assert 3 <= sum(entry.risk_plausible for entry in own) < len(own), category
        assert sum(bool(entry.mandated_by) for entry in own) >= 3, category


def test_all_of_life_is_covered():
    ages = [age_of(band) for entry in subtopics() for band in entry.age_bands]
    assert min(ages) <= 15 and max(ages) >= 85
    assert len({occupation for entry in subtopics() for occupation in entry.occupations}) > 500


def test_no_personal_data_methods_or_retired_number():
    from kmi.clients.contexts import personal_data

    for entry in subtopics():
        for text in texts(entry):
            assert personal_data(text) == [], entry.id
            assert not re.search("1393|번개탄|투신|목을 매|손목을 긋", text), (entry.id, text)


@pytest.mark.parametrize("axis", ["speech_style", "resistance_style", "readiness"])
def test_weights_of_each_axis_sum_to_100(axis):
    assert sum(entry["weight"] for entry in axes()[axis]) == 100
    names = [entry["ko"] for entry in axes()[axis]]
    assert len(set(names)) == len(names) >= 4


def test_there_are_speech_styles_for_every_age():
    for age in range(13, 90):
        fitting = [style for style in axes()["speech_style"] if style["age_bands_min"] <= age <= style["age_bands_max"]]
        assert len(fitting) >= (4 if 17 <= age <= 80 else 2), age


def test_readiness_is_the_stages_of_change():
    assert [entry["id"] for entry in axes()["readiness"]] == ["precontemplation", "contemplation", "preparation", "action"]
