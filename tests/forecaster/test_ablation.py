"""Hiding a group of features."""

import numpy as np
import pytest

from kmi.forecaster.ablation import HIDDEN, ablate, is_cue, is_length, without
from kmi.forecaster.features import FEATURE_NAMES
from kmi.forecaster.training import examples_from


def test_every_feature_belongs_to_one_part():
    parts = ("therapist labels", "client talk", "position", "lengths", "surface cues of the text")
    for name in FEATURE_NAMES:
        assert sum(HIDDEN[part](name) for part in parts) == 1, name
        assert (is_length(name) or is_cue(name)) == HIDDEN["lengths and cues (all of the text)"](name)


def test_hidden_columns_are_0_and_the_rest_stays(sessions, recipe):
    examples = examples_from(sessions, recipe)
    hidden = without(examples, "client talk")
    columns = np.array([name.startswith("talk ") for name in FEATURE_NAMES])
    assert not hidden.views[:, :, columns].any() and examples.views[:, :, columns].any()
    assert np.array_equal(hidden.views[:, :, ~columns], examples.views[:, :, ~columns])


def test_what_carries_the_rule_is_missed(sessions, recipe):
    """In these sessions the client's talk decides the label."""
    examples, folds = examples_from(sessions, recipe), np.arange(20) % 2
    assert ablate(examples, folds, "nothing", recipe)["accuracy"] > 0.9
    assert ablate(examples, folds, "client talk", recipe)["accuracy"] < 0.7
    with pytest.raises(KeyError):
        ablate(examples, folds, "weather", recipe)
