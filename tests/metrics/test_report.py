import json

import numpy as np
import pytest

from kmi.errors import DataError
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import TITLES, as_html, as_json, as_text, report
from kmi.metrics.scores import NO_INTERVALS
from kmi.metrics.sensitivity import cliffs_delta, effects, table, with_table

TEXTS = ("OQ neutral SR sustain CR change/need AF", "CQ change CR change CR", "GE - OQ sustain GI")


def test_every_figure_has_a_title_and_both_languages(coded):
    found = report(coded(*TEXTS), NO_INTERVALS)
    assert list(found.scores) == list(TITLES)
    assert all(any("가" <= letter <= "힣" for letter in title) and any(letter.isascii() and letter.isalpha() for letter in title) for title in TITLES.values())


def test_permuting_dialogues_changes_nothing(coded):
    assert report(coded(*TEXTS)).to_dict() == report(coded(*TEXTS[::-1])).to_dict()


def test_duplicating_the_corpus_changes_no_figure(coded):
    once, twice = report(coded(*TEXTS), NO_INTERVALS), report(coded(*TEXTS, *TEXTS), NO_INTERVALS)
    for name, score in once.scores.items():
        assert twice.scores[name].value == pytest.approx(score.value), name


def test_shares_stay_between_0_and_1(coded, session_of):
    rng = np.random.default_rng(0)
    therapist, client = ["SR", "CR", "OQ", "CQ", "AF", "GI", "AD", "GE", "?"], ["change/need", "sustain", "neutral", "-", "change/commitment"]
    for _ in range(30):
        texts = [" ".join(rng.choice(therapist if i % 2 == 0 else client) for i in range(rng.integers(1, 12))) for _ in range(rng.integers(1, 6))]
        found = report(coded(*texts), NO_INTERVALS)
        for name, score in found.scores.items():
            if score.value is not None and name not in ("reflection_to_question", "slope"):
                assert 0 <= score.value <= 1, (name, texts)


@pytest.mark.parametrize("texts", [(), ("GE",), ("-",), ("OQ OQ OQ",), ("change change",)])
def test_one_sided_input_prints_in_every_form(coded, texts):
    found = report(coded(*texts))
    assert "sessions" in as_text(found) and json.loads(as_json(found))["fidelity"]["dialogues"] == len(texts)
    assert "<table>" in as_html(found, "x")


def test_cliffs_delta_by_hand():
    # Pairs: 1>0, 1<2, 3>0, 3>2: (3 - 1) / 4.
    assert cliffs_delta(np.array([1.0, 3.0]), np.array([0.0, 2.0])) == 0.5
    assert cliffs_delta(np.array([1.0]), np.array([1.0])) == 0


def test_effects_tell_the_groups_apart(session_of):
    high, low = [session_of("OQ change CR change SR change", str(i)) for i in range(4)], [session_of("CQ sustain CQ sustain SR neutral", str(i)) for i in range(3)]
    found = effects(high, low)
    assert found["reflection_to_question"].delta == 1 and found["reflection_to_question"].separates
    assert found["reflection_to_question"].sessions == (4, 3)
    assert "| 1.00 [1.00, 1.00] |" in table(found, "mi_fidelity")


def test_a_cards_table_is_replaced_between_its_marks():
    card = "a\n<!-- sensitivity: scripts/measure_sensitivity.py -->\nold\n<!-- /sensitivity -->\nb\n"
    assert with_table(with_table(card, "new"), "newer") == card.replace("old", "newer")
    with pytest.raises(DataError, match="marks"):
        with_table("no marks", "new")


def test_english_only_dialogues_are_measured_too(session_of):
    assert report(from_dialogues([session_of("OQ change")]), NO_INTERVALS).fidelity.dialogues == 1
