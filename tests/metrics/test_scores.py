import numpy as np
import pytest

from kmi.errors import ConfigError
from kmi.metrics.scores import NO_INTERVALS, Resampling, Score, ratio, score


def share(pooled):
    return ratio(pooled[..., 0], pooled[..., 1])


COUNTS = np.array([[1, 2], [3, 4], [0, 4], [2, 2]])


def test_the_value_is_that_of_pooled_counts():
    assert score(COUNTS, share, "none").value == 6 / 12  # 1+3+0+2 over 2+4+4+2


def test_the_interval_is_that_of_resampled_dialogues():
    found = score(COUNTS, share, "none", Resampling(2000))
    rng = np.random.default_rng(1)
    by_hand = [share(COUNTS[rng.integers(4, size=4)].sum(0)) for _ in range(2000)]
    assert found.low == pytest.approx(np.quantile(by_hand, 0.025), abs=0.03)
    assert found.high == pytest.approx(np.quantile(by_hand, 0.975), abs=0.03)


def test_the_order_of_dialogues_does_not_matter():
    assert score(COUNTS, share, "none") == score(COUNTS[[2, 0, 3, 1]], share, "none")


def test_the_seed_decides_the_interval():
    assert score(COUNTS, share, "none", Resampling(50, 1)) == score(COUNTS, share, "none", Resampling(50, 1))
    assert score(COUNTS, share, "none", Resampling(50, 1)) != score(COUNTS, share, "none", Resampling(50, 2))


def test_undefined_is_none_with_its_reason():
    for counts in (np.zeros((3, 2)), np.zeros((0, 2))):
        assert score(counts, share, "no turns") == Score(None, reason="no turns")


def test_one_dialogue_has_no_interval():
    found = score(COUNTS[:1], share, "none")
    assert (found.value, found.low) == (0.5, None) and "two dialogues" in found.reason


def test_a_rare_figure_has_no_interval():
    rare = np.zeros((10, 2))
    rare[0] = 1
    found = score(rare, share, "none")
    assert found.value == 1 and found.low is None and "rare" in found.reason


def test_without_resamples_there_is_just_the_value():
    assert score(COUNTS, share, "none", NO_INTERVALS) == Score(0.5)


@pytest.mark.parametrize("resamples", [-1, 2.5, "many"])
def test_resamples_are_checked(resamples):
    with pytest.raises(ConfigError, match="0 or more resamples"):
        Resampling(resamples)


def test_a_score_prints_and_goes_to_json():
    assert str(Score(0.5, 0.25, 0.75)) == "0.50 [0.25, 0.75]"
    assert str(Score(None, reason="no questions")) == "-"
    assert Score(None, reason="no questions").to_dict() == {"value": None, "low": None, "high": None, "reason": "no questions"}
