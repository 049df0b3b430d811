"""The classifier: parts, features, and that the weights fit the patterns."""

import numpy as np
import pytest
from safetensors import safe_open
from scipy.sparse import csr_matrix

from kmi.chatbot.guard_classifier import BUCKETS, VOTE, WEIGHTS, WINDOW, Classifier, features, parts, windows
from kmi.chatbot.guard_neighbours import Neighbours
from kmi.chatbot.guard_patterns import KINDS
from kmi.chatbot.guard_training import digest


def test_a_window_covers_every_place_of_a_long_text():
    text = "".join(chr(0xAC00 + i % 3000) for i in range(3 * WINDOW + 17))
    found = windows(text)
    assert windows("짧아요") == ["짧아요"] and max(map(len, found)) == WINDOW
    for start in range(0, len(text) - WINDOW // 2):
        assert any(text[start : start + WINDOW // 2] in part for part in found)


def test_parts_hold_no_reading_twice():
    assert parts("배고파요") == ["배고파요"]
    assert len(parts("죽 고 싶 다")) == len(set(parts("죽 고 싶 다"))) > 1


def test_features_are_of_unit_length_beside_patterns_and_length():
    buckets, values = features("안녕하세요")
    assert buckets.max() < BUCKETS and len(buckets) == len(values)
    grams = values[:-1]
    assert np.isclose((grams**2).sum(), 1.0) and values[-1] == 0.5
    assert len(features("죽고 싶어요")[0]) > len(features("먹고 싶어요")[0])


def test_spacing_changes_little():
    shipped = Classifier.shipped()
    assert shipped.danger("죽고 싶어요")[0] > 0.5 and shipped.danger("죽고싶어요")[0] > 0.5


def test_the_shipped_weights_fit_the_patterns_and_hold_every_kind(repository):
    with safe_open(str(repository / "kmi/chatbot" / WEIGHTS), "np") as stored:
        assert stored.metadata()["patterns"] == digest(), "run: python scripts/train_guard.py"
        assert stored.get_tensor("weights").shape == (1 + len(KINDS), BUCKETS)
    assert 0 < Classifier.shipped().threshold < 0.5


def test_three_opinions_are_added_by_hand():
    buckets, values = features("위험")
    weights = np.zeros((1 + len(KINDS), BUCKETS), dtype=np.float32)
    weights[0, buckets[0]], weights[3, buckets[0]] = 2.0, 1.0
    known = csr_matrix((np.ones(1), ([0], [buckets[0]])), shape=(30, BUCKETS))
    neighbours = Neighbours.of(known, np.array([True] * 30))
    probability, kind = Classifier(weights, np.array([-1.0] + [0.0] * len(KINDS), dtype=np.float32), neighbours, 0.5).danger("위험")
    # Danger -1 + 2 v, the kinds together log(4 + e^v), and the only near message is dangerous.
    value = float(values[0])
    log_odds = (-1 + 2 * value + np.log(4 + np.exp(value))) / 2 + VOTE
    assert probability == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-4) and kind == KINDS[2]
