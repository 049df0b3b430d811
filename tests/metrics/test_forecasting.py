import numpy as np
import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.forecaster.evaluation import table
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


def test_table_is_markdown():
    scores = forecasting.Scores(accuracy=0.3, macro_f1=0.2, recall_at_3=0.7, perplexity=5.317, ece=0.02)
    assert table([("ours", scores)]).splitlines()[-1] == "| ours | 0.300 | 0.200 | 0.700 | 5.32 | 0.020 |"
