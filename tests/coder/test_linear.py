import numpy as np
import pytest

from kmi.coder.evaluation import calibration_error, ceiling, compare, evaluate
from kmi.coder.linear import characters, majority, teacher, words
from kmi.coder.text import COLUMNS, LABELS, Example
from kmi.dialogue import Dialogue, Utterance


def example(label, text="말", role=None):
    index = LABELS.index(label)
    return Example(role or ("therapist" if index < 8 else "client"), text, "", index)


def test_majority_knows_each_speakers_shares():
    rows = majority([example("Affirm"), example("Affirm"), example("General"), example("change")])([example("Advise"), example("neutral")])
    assert rows[0, LABELS.index("Affirm")] == pytest.approx(2 / 3) and rows[1, LABELS.index("change")] == 1
    assert rows[0, COLUMNS["therapist"]].sum() == pytest.approx(1)


@pytest.mark.parametrize("make", [words, characters, lambda training: teacher(training, str.split)])
def test_plain_coders_learn_and_keep_to_the_speakers_columns(turns, make):
    classify = make(turns)
    rows = classify(turns)
    assert np.allclose(rows.sum(1), 1)
    for row, turn in zip(rows, turns, strict=True):
        other = COLUMNS["client" if turn.role == "therapist" else "therapist"]
        assert row[other].sum() == 0
    assert evaluate(classify, turns)["therapist"].accuracy > 0.7  # of what it was fitted on


def test_figures_by_hand():
    truth = [example("Affirm"), example("Affirm"), example("General"), example("change")]
    guess = np.zeros((4, len(LABELS)))
    for row, label in enumerate(("Affirm", "General", "General", "change")):
        guess[row, LABELS.index(label)] = 1.0
    found = evaluate(lambda examples: guess[[truth.index(e) if e is not truth[1] else 1 for e in examples]], truth)
    assert found["therapist"].accuracy == pytest.approx(2 / 3)
    # Affirm: precision 1, recall 1/2, F1 2/3. General: precision 1/2, recall 1, F1 2/3.
    assert found["therapist"].macro_f1 == pytest.approx(2 / 3)
    assert found["client"].f1 == {"change": 1.0}


def test_calibration_error_by_hand():
    # Two of .9, one right: gap .4, weight 2/3. One of .55, right: gap .45, weight 1/3.
    assert calibration_error(np.array([0.9, 0.9, 0.55]), np.array([True, False, True])) == pytest.approx(0.4 * 2 / 3 + 0.45 / 3)


def test_compare_holds_every_method_and_speaker(turns, tiny_coder):
    from kmi.coder.api import Coder

    found = compare(Coder.from_pretrained(tiny_coder), turns, {"test_ko": turns[:80]})
    assert set(found["test_ko"]) == {"majority", "TF-IDF, words", "TF-IDF, characters", "kmi-coder"}
    assert all(set(of) == {"therapist", "client"} for of in found["test_ko"].values())


def test_ceiling_by_hand():
    def turn(role, first, second):
        names = ("label", "label_second") if role == "therapist" else ("talk", "talk_second")
        return Utterance(role, "말", **dict(zip(names, (first, second), strict=True)))

    turns = (turn("therapist", "Affirm", "Affirm"), turn("client", "change", "neutral"), turn("therapist", "General", "Affirm"), turn("client", "change", None))
    found = ceiling([Dialogue("a", "", "", turns)])
    # Two of three pairs are the therapist's, one agrees; F1 of Affirm 2/3, of General 0.
    assert found["therapist"] == {"turns": 2, "accuracy": 0.5, "macro_f1": pytest.approx(1 / 3)}
    assert found["client"] == {"turns": 1, "accuracy": 0.0, "macro_f1": 0.0}
    assert ceiling([]) == {}
