import csv
from collections import defaultdict

import numpy as np
import pytest

from kmi.errors import DataError
from kmi.metrics import agreement
from kmi.metrics.scores import NO_INTERVALS

# Two coders, six utterances: agree on a a b b, differ on the last two.
TWO = [("a", "a"), ("a", "a"), ("b", "b"), ("b", "b"), ("a", "b"), ("b", "a")]


def test_cohen_by_hand():
    found = agreement.cohen(agreement.codings(TWO), NO_INTERVALS)
    # Agreed 4/6; both coders use a and b three times each: expected 1/2; (2/3 - 1/2) / (1/2) = 1/3.
    assert found["overall"].value == pytest.approx(1 / 3)
    assert found["a"].value == pytest.approx(1 / 3)  # with two codes, each against the rest is the same table
    assert agreement.raw_agreement(agreement.codings(TWO), NO_INTERVALS).value == pytest.approx(4 / 6)
    assert agreement.confusion(agreement.codings(TWO)).tolist() == [[2, 1], [1, 2]]


def test_cohen_per_code_by_hand():
    codes = agreement.codings([("a", "a"), ("b", "b"), ("c", "c"), ("c", "b")])
    # c against the rest: both 1, first only 1, second only 0, neither 2. Agreed 3/4; expected (2*1 + 2*3)/16 = 1/2.
    assert agreement.cohen(codes, NO_INTERVALS)["c"].value == pytest.approx(1 / 2)


def test_fleiss_by_hand():
    codes = agreement.codings([("a", "a", "a"), ("a", "a", "b"), ("b", "b", "b")])
    # Agreement 1, 1/3, 1: mean 7/9. Shares 5/9 and 4/9: expected 41/81. (63/81 - 41/81) / (40/81) = 22/40.
    assert agreement.fleiss(codes, NO_INTERVALS)["overall"].value == pytest.approx(22 / 40)
    assert agreement.fleiss(codes, NO_INTERVALS)["b"].value == pytest.approx(22 / 40)


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(3)
    truth = rng.integers(4, size=200)
    codes = np.where(rng.random((200, 3)) < 0.7, truth[:, None], rng.integers(4, size=(200, 3)))
    return codes, agreement.codings([[f"c{code}" for code in row] for row in codes], [i // 20 for i in range(200)])


def test_the_libraries_give_the_same(many):
    krippendorff = pytest.importorskip("krippendorff")
    from sklearn.metrics import cohen_kappa_score
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    codes, found = many
    assert agreement.fleiss(found, NO_INTERVALS)["overall"].value == pytest.approx(fleiss_kappa(aggregate_raters(codes)[0]))
    ours = agreement.alpha(found, NO_INTERVALS)["overall"].value
    assert ours == pytest.approx(krippendorff.alpha(reliability_data=codes.T.astype(float), level_of_measurement="nominal"))
    two = agreement.Codings(found.names, found.codes[:, :2], found.dialogue)
    assert agreement.cohen(two, NO_INTERVALS)["overall"].value == pytest.approx(cohen_kappa_score(codes[:, 0], codes[:, 1]))
    against = agreement.cohen(two, NO_INTERVALS)["c2"].value
    assert against == pytest.approx(cohen_kappa_score(codes[:, 0] == 2, codes[:, 1] == 2))


def test_silent_coders_leave_the_utterance_to_the_others(many):
    krippendorff = pytest.importorskip("krippendorff")
    _, found = many
    silent = found.codes.copy()
    silent[::7, 1] = -1
    data = np.where(silent < 0, np.nan, silent.astype(float)).T
    ours = agreement.alpha(agreement.Codings(found.names, silent, found.dialogue), NO_INTERVALS)["overall"].value
    assert ours == pytest.approx(krippendorff.alpha(reliability_data=data, level_of_measurement="nominal"))


def test_intervals_hold_the_value(many):
    for scores in (agreement.fleiss(many[1]), agreement.alpha(many[1])):
        assert scores["overall"].low < scores["overall"].value < scores["overall"].high


@pytest.mark.parametrize("rows", [[], [("a", None)], [("a", "a"), ("a", "a")], [(None, None)]])
def test_no_or_one_code_is_undefined(rows):
    found = agreement.codings(rows, names=("a", "b"))
    for scores in (agreement.fleiss(found), agreement.alpha(found)):
        assert scores["overall"].value is None and scores["overall"].reason


def test_bad_input_is_named():
    with pytest.raises(DataError, match="utterance 1: expected the codes of 2 coders"):
        agreement.codings([("a", "b"), ("a",)])
    with pytest.raises(DataError, match="utterance 0, coder 1: code 'x' is unknown; allowed are a, b"):
        agreement.codings([("a", "x")], names=("a", "b"))
    with pytest.raises(DataError, match="two coders, got 3"):
        agreement.cohen(agreement.codings([("a", "b", "b")]))
    with pytest.raises(DataError, match="a dialogue for each of 6 utterances, got 2"):
        agreement.codings(TWO, ["d", "d"])


@pytest.mark.annomi
@pytest.mark.parametrize(
    ("speaker", "column", "published"),
    [("therapist", "main_therapist_behaviour", 0.74), ("client", "client_talk_type", 0.47)],
)
def test_annomi_annotators_agree_as_computed_before(annomi_folder, speaker, column, published):
    votes = defaultdict(dict)
    with (annomi_folder / "AnnoMI-full.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["interlocutor"] == speaker:
                votes[row["transcript_id"], row["utterance_id"]].setdefault(row["annotator_id"], row[column])
    shared = {place: codes for place, codes in votes.items() if len(codes) == 10}
    assert len({transcript for transcript, _ in shared}) == 7
    found = agreement.codings([list(codes.values()) for codes in shared.values()], [transcript for transcript, _ in shared])
    assert agreement.fleiss(found)["overall"].value == pytest.approx(published, abs=0.01)
