import numpy as np
import pytest

from kmi.errors import ConfigError
from kmi.forecaster.crossval import FoldResult
from kmi.forecaster.kept import Kept, digest

RESULT = FoldResult(2, np.array([3, 5]), {"forecaster, no words (plan)": np.full((2, 8), 0.125), "prior": np.eye(8)[:2]})


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "state", {"seed": 0})


def test_results_come_back_in_another_run(kept):
    assert kept.fold(2) is None and kept.row("lengths") is None
    kept.put_fold(RESULT)
    kept.put_row("lengths and cues (all of the text)", {"recall_at_3": 0.7})
    again = Kept(kept.folder, {"seed": 0})
    found = again.fold(2)
    assert found.fold == 2 and found.where.tolist() == [3, 5] and list(found.probabilities) == list(RESULT.probabilities)
    assert all(np.array_equal(found.probabilities[name], rows) for name, rows in RESULT.probabilities.items())
    assert again.row("lengths and cues (all of the text)") == {"recall_at_3": 0.7} and again.row("nothing") is None
    assert not list(kept.folder.glob("*.partial"))


def test_the_last_model_counts_only_as_it_was_saved(kept, tmp_path):
    weights = tmp_path / "model.safetensors"
    assert not kept.has_final(weights)
    weights.write_bytes(b"whole")
    assert not kept.has_final(weights)
    kept.put_final(weights)
    assert kept.has_final(weights)
    weights.write_bytes(b"torn")
    assert not kept.has_final(weights)


def test_another_training_is_refused_and_an_end_removes_all(kept):
    with pytest.raises(ConfigError, match="begun with other settings"):
        Kept(kept.folder, {"seed": 1})
    kept.remove()
    assert not kept.folder.exists()


def test_data_has_a_name():
    one, other = np.arange(4.0), np.arange(4.0)[::-1]
    assert digest([one, None]) == digest([one.copy(), None]) != digest([other, None]) != digest([other])
