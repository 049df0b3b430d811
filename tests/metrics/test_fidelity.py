from dataclasses import replace

import numpy as np
import pytest

from kmi.errors import DataError
from kmi.metrics.bands import band, js_distance, label_shares
from kmi.metrics.coded import from_dialogues, from_turns
from kmi.metrics.fidelity import fidelity, verdicts
from kmi.metrics.scores import NO_INTERVALS, Score

SESSIONS = ("OQ neutral SR sustain CR change AF", "CQ change CR change CR")


def values(found):
    return {name: score.value for name, score in found.ratios.items()}


def test_counts_and_ratios_by_hand(coded):
    found = fidelity(coded(*SESSIONS))
    assert (found.dialogues, found.turns) == (2, 7)
    assert found.counts == {
        "Simple Reflection": 1, "Complex Reflection": 3, "Open Question": 1, "Closed Question": 1,
        "Affirm": 1, "Give Information": 0, "Advise": 0, "General": 0,
    }  # fmt: skip
    assert found.ratios["reflection_to_question"].value == 4 / 2  # SR 1 + CR 3 over OQ 1 + CQ 1
    assert found.ratios["complex_share"].value == 3 / 4
    assert found.ratios["open_share"].value == 1 / 2
    assert found.shares["Affirm"].value == 1 / 7


def test_plans_do_not_count(session_of):
    dialogues = [session_of(text, str(i)) for i, text in enumerate(SESSIONS)]
    planned = [replace(d, utterances=tuple(replace(t, planned_label="Advise") for t in d.utterances)) for d in dialogues]
    assert fidelity(from_dialogues(planned)) == fidelity(from_dialogues(dialogues))


def test_what_eight_labels_cannot_tell_is_unknown_not_zero(coded):
    found = fidelity(coded("AD - AF"))
    for name in ("miti_4_2_1.adherent_share", "miti_4_2_1.non_adherent_share", "miti_3_1.adherent_share", "misc_2_5.consistent_share"):
        assert found.ratios[name].value is None
        assert "cannot be told" in found.ratios[name].reason and "confrontation" in found.ratios[name].reason


def turns(*labels):
    return [("d", [{"role": "therapist", "label": label} for label in labels])]


def test_misc_codes_give_misc_and_miti_3_1_shares():
    codes = ("Open Question", "Simple Reflection", "Advise without Permission", "Warn", "Closed Question", "Support", "Emphasize Control", "Affirm")
    found = fidelity(from_turns(turns(*codes), "misc"))
    # Consistent: open question, reflection, support, emphasize control, affirm. Inconsistent: advice, warning.
    assert found.ratios["misc_2_5.consistent_share"].value == 5 / 7
    # MITI 3.1 adherent: support, emphasize control, affirm; non-adherent: advice without permission.
    assert found.ratios["miti_3_1.adherent_share"].value == 3 / 4
    assert found.ratios["miti_4_2_1.adherent_share"].value is None
    assert found.distance_to_annomi_high.value is None


def test_miti_4_codes_give_totals_but_no_open_share():
    found = fidelity(from_turns(turns("Question", "Question", "Complex Reflection", "Affirm", "Confront", "Persuade", "Emphasizing Autonomy"), "miti"))
    assert found.ratios["reflection_to_question"].value == 1 / 2
    assert found.ratios["miti_4_2_1.adherent_share"].value == 2 / 4
    assert found.ratios["miti_4_2_1.non_adherent_share"].value == 2 / 4
    assert found.ratios["open_share"].value is None


def test_verdicts_name_the_level_reached():
    scores = {"reflection_to_question": Score(1.0), "complex_share": Score(0.39), "open_share": Score(0.7), "miti_3_1.adherent_share": Score(None)}
    assert verdicts(scores) == {
        "MITI 4.2.1": {"reflection_to_question": "fair", "complex_share": "below"},
        "MITI 3.1": {"reflection_to_question": "beginner", "complex_share": "below", "open_share": "competent", "miti_3_1.adherent_share": None},
    }


def test_js_distance_by_hand():
    # Half and half against all in one: divergence 1 - (3/4) log2(3) + (1/2) ... = 0.3113 bits, distance its root.
    p, q = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    middle = (p + q) / 2
    by_hand = 0.5 * sum(p * np.log2(p / middle)) + 0.5 * (1 * np.log2(1 / 0.75))
    assert js_distance(np.array([7, 7]), q) == pytest.approx(by_hand**0.5)
    assert js_distance(np.array([5, 0]), q) == pytest.approx(0)
    assert js_distance(np.array([0, 5]), q) == pytest.approx(1)
    assert np.isnan(js_distance(np.array([0, 0]), q))


def test_bands_are_the_published_figures():
    assert {name: round(band("annomi_high")[name], 2) for name in ("reflection_to_question", "complex_share", "open_share", "change_share")} == {
        "reflection_to_question": 1.02, "complex_share": 0.49, "open_share": 0.58, "change_share": 0.25,
    }  # fmt: skip
    reference = band("kmi_reference")
    assert (round(reference["reflection_to_question"], 2), round(reference["complex_share"], 2), round(reference["open_share"], 2)) == (1.27, 0.71, 0.97)
    assert reference["change_share"] is None
    assert label_shares("annomi_low").sum() == pytest.approx(1)
    with pytest.raises(DataError, match="annomi_high"):
        band("annomi")


@pytest.mark.annomi
@pytest.mark.parametrize(("quality", "published"), [("high", (1.02, 0.49, 0.58)), ("low", (0.22, 0.42, 0.67))])
def test_annomi_gives_the_figures_computed_before(annomi_folder, quality, published):
    from kmi.corpus.annomi import load_annomi

    ratios = fidelity(from_dialogues(load_annomi(annomi_folder, quality)), NO_INTERVALS).ratios
    measured = tuple(round(ratios[name].value, 2) for name in ("reflection_to_question", "complex_share", "open_share"))
    assert measured == published
    assert tuple(round(band(f"annomi_{quality}")[name], 2) for name in ("reflection_to_question", "complex_share", "open_share")) == published
