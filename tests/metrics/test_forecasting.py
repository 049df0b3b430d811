import numpy as np
import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.errors import DataError
from kmi.metrics import forecasting

GENERAL = THERAPIST_LABELS.index("General")


def rows(*pairs):
    """One probability vector per dict of label index to probability; the rest shares what is left."""
    table = []
    for given in pairs:
        rest = (1 - sum(given.values())) / (8 - len(given))
        table.append([given.get(i, rest) for i in range(8)])
    return np.array(table)


def test_scores_by_hand():
    # First label right with .6, third right with .15, beyond the third with .04.
    probabilities = rows({0: 0.6, 1: 0.2}, {0: 0.5, 1: 0.2, 2: 0.15}, {0: 0.4, 1: 0.2, 2: 0.2, 3: 0.04})
    labels = np.array([0, 2, 3])
    scores = forecasting.score(probabilities, labels)
    assert scores.accuracy == pytest.approx(1 / 3)
    assert scores.recall_at_3 == pytest.approx(2 / 3)
    # Label 0: precision 1/3, recall 1, F1 .5; no other label is ever first: mean over 8.
    assert scores.macro_f1 == pytest.approx(0.5 / 8)
    assert scores.perplexity == pytest.approx((0.6 * 0.15 * 0.04) ** (-1 / 3))
    # Bins .6, .5 and .4 hold one forecast each: |1 - .6|, |0 - .5|, |0 - .4|.
    assert scores.ece == pytest.approx((0.4 + 0.5 + 0.4) / 3)


def test_uniform_guess_has_perplexity_8():
    assert forecasting.score(np.full((5, 8), 1 / 8), np.arange(5)).perplexity == pytest.approx(8)


def test_ties_keep_the_order_of_the_labels():
    assert forecasting.ranks_of(np.full((3, 8), 1 / 8), np.array([0, 2, 7])).tolist() == [0, 2, 7]


def test_without_general_drops_it_as_target_and_as_option():
    probabilities, labels = forecasting.without_general(rows({GENERAL: 0.5, 0: 0.25}, {GENERAL: 0.9}), np.array([0, GENERAL]))
    assert labels.tolist() == [0]
    assert probabilities[0, GENERAL] == 0
    assert probabilities[0, 0] == pytest.approx(0.5)


def test_baselines_by_hand():
    labels = np.array([0, 0, 1, 2])
    assert forecasting.prior(labels, 2)[1].tolist() == [0.5, 0.25, 0.25, 0, 0, 0, 0, 0]
    previous = np.array([-1, 3, 3, 0])
    after = forecasting.bigram(previous, labels, np.array([3, 5, -1]))
    assert after[0].tolist() == pytest.approx([0.2, 0.2, *[0.1] * 6])  # counts 1 and 1, add-one over 8
    assert after[1].tolist() == pytest.approx([1 / 8] * 8)  # label 5 never came before
    assert after[2, 0] == pytest.approx(2 / 9)


def test_per_label_counts():
    by_label = {row["label"]: row for row in forecasting.per_label(rows({0: 0.6}, {0: 0.6}), np.array([0, 1]))}
    first = by_label[THERAPIST_LABELS[0]]
    assert (first["count"], first["ranked_first"], first["precision"], first["recall"]) == (1, 2, 0.5, 1.0)
    assert by_label[THERAPIST_LABELS[1]]["recall"] == 0


def test_figures_with_intervals_and_baselines_by_hand():
    names = THERAPIST_LABELS
    training = [[names[0], names[1], names[0]], [names[1], names[0]]]
    found = forecasting.forecasting(rows({0: 0.6, 1: 0.2}, {1: 0.5, 0: 0.2}), np.array([0, 0]), ["a", "b"], training=training)
    assert found["forecast"]["accuracy"].value == 0.5 and found["forecast"]["recall_at_3"].value == 1
    assert found["forecast"]["log_loss"].value == pytest.approx(-(np.log(0.6) + np.log(0.2)) / 2)
    assert found["forecast"]["perplexity"].value == pytest.approx(np.exp(found["forecast"]["log_loss"].value))
    # Training pairs: 0->1, 1->0, 1->0. The prior knows label 0 with 2/3.
    assert found["prior"]["log_loss"].value == pytest.approx(-np.log(2 / 3))
    # Both forecasts open their dialogue, and no training pair follows nothing: uniform by smoothing.
    assert found["bigram"]["perplexity"].value == pytest.approx(8)
    assert found["forecast"]["accuracy"].low == 0 and found["forecast"]["accuracy"].high == 1


def test_the_label_before_is_the_forecast_before_in_the_same_dialogue():
    names = THERAPIST_LABELS
    found = forecasting.forecasting(np.full((3, 8), 1 / 8), np.array([3, 5, 5]), ["a", "a", "b"], training=[[names[3], names[5]]])
    # After label 3 the bigram knows 5 with (1 + 1) / (1 + 8); the two openings are uniform.
    assert found["bigram"]["log_loss"].value == pytest.approx(-(np.log(2 / 9) + 2 * np.log(1 / 8)) / 3)


def test_macro_f1_and_labels_agree_with_scikit_learn():
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(8), 300), rng.integers(8, size=300)
    found = forecasting.forecasting(probabilities, labels, list(range(300)))["forecast"]
    assert found["macro_f1"].value == pytest.approx(f1_score(labels, probabilities.argmax(1), average="macro"))
    each = f1_score(labels, probabilities.argmax(1), average=None)
    assert [found[f"f1/{name}"].value for name in THERAPIST_LABELS] == pytest.approx(each)


def test_forecasts_are_checked():
    with pytest.raises(DataError, match="forecast 1: expected 8 probabilities"):
        forecasting.forecasting(np.array([[1 / 8] * 8, [0.5] * 8]), np.array([0, 1]), ["a", "a"])
    with pytest.raises(DataError, match="8 probabilities in the order Simple Reflection"):
        forecasting.vector([0.5, 0.5], "forecast 0")
    with pytest.raises(DataError, match="two labels or more"):
        forecasting.forecasting(np.full((1, 8), 1 / 8), np.array([0]), ["a"], training=[["Affirm"]])
    with pytest.raises(DataError, match="at least one forecast"):
        forecasting.score(np.zeros((0, 8)), np.zeros(0, dtype=int))


def test_nothing_to_score_is_undefined():
    found = forecasting.forecasting(np.zeros((0, 8)), np.zeros(0, dtype=int), [])
    assert {score.value for score in found["forecast"].values()} == {None}


def test_reliability_by_hand():
    # Sureness .6 twice (first label right once), .9 once (right): two bins; ECE = (2·|.5 - .6| + 1·|1 - .9|) / 3 = .1.
    probabilities, labels = rows({0: 0.6}, {0: 0.6}, {1: 0.9}), np.array([0, 1, 1])
    found = forecasting.reliability(probabilities, labels)
    assert [(round(row["probability"], 6), row["right"], row["count"]) for row in found] == [(0.6, 0.5, 2), (0.9, 1.0, 1)]
    assert forecasting.score(probabilities, labels).ece == pytest.approx(0.1)
