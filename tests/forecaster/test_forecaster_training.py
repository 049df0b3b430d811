from dataclasses import replace

import numpy as np
import pytest
import torch

from kmi.codes import THERAPIST_LABELS
from kmi.errors import ConfigError
from kmi.forecaster.api import Forecaster, content_hash
from kmi.forecaster.features import TEXT_COLUMNS
from kmi.forecaster.training import COMPLETE, INCOMPLETE, WORDLESS, Recipe, examples_from, fit
from kmi.metrics.forecasting import score


@pytest.fixture(scope="module")
def examples(sessions, recipe):
    return examples_from(sessions, recipe)


@pytest.fixture(scope="module")
def model(examples, recipe):
    return fit(examples.where(examples.sessions < 15), recipe)


def test_each_labelled_turn_after_the_first_once(sessions, examples):
    assert len(examples.labels) == 20 * 12
    assert examples.views.shape[:2] == (3, 240)
    assert np.bincount(examples.sessions).tolist() == [12] * 20
    first = [THERAPIST_LABELS.index(u.label) for u in sessions[0].utterances if u.role == "therapist"]
    assert examples.labels[:12].tolist() == first[1:]
    assert examples.previous[:12].tolist() == first[:-1]


def test_views(examples):
    text = list(TEXT_COLUMNS)
    others = [i for i in range(examples.views.shape[2]) if i not in set(text)]
    assert not examples.views[WORDLESS][:, text].any()
    assert np.array_equal(examples.views[WORDLESS][:, others], examples.views[COMPLETE][:, others])
    assert not np.array_equal(examples.views[INCOMPLETE][:, others], examples.views[COMPLETE][:, others])


def test_learns_the_rule_for_sessions_it_has_not_seen(model, examples):
    held_out = examples.where(examples.sessions >= 15)
    forecaster = Forecaster(model)
    for view in (COMPLETE, WORDLESS):
        assert score(forecaster.probabilities_of_features(held_out.views[view]), held_out.labels).accuracy > 0.9
    # Where talk types are hidden the rule cannot be applied; a model that still could would be peeking.
    assert score(forecaster.probabilities_of_features(held_out.views[INCOMPLETE]), held_out.labels).accuracy < 0.9


def test_same_seed_same_weights_and_the_caller_s_generator_untouched(model, examples, recipe):
    train = examples.where(examples.sessions < 15)
    torch.manual_seed(5)
    undisturbed = torch.rand(1)
    torch.manual_seed(5)
    again = fit(train, recipe)
    assert torch.equal(torch.rand(1), undisturbed)
    assert content_hash(again) == content_hash(model)
    assert content_hash(fit(train, replace(recipe, seed=1))) != content_hash(model)


def test_korean_sessions_teach_the_korean_ensemble_only(model, examples, recipe):
    train = examples.where(examples.sessions < 15)
    with_korean = fit(train, recipe, examples.where(examples.sessions >= 15))
    for name, tensor in model.professional.state_dict().items():
        assert torch.equal(tensor, with_korean.professional.state_dict()[name])
        assert torch.equal(tensor, model.korean.state_dict()[name])
    assert not torch.equal(with_korean.korean.weight_in, model.korean.weight_in)


def test_no_sessions_is_an_error(recipe):
    with pytest.raises(ConfigError, match="got none"):
        examples_from([], recipe)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("members", 0, "members to be a whole number of 1 or more, got 0"),
        ("epochs", 2.5, "got 2.5"),
        ("dropout", 1.5, "dropout to be between 0 and 1, got 1.5"),
        ("wordless_share", 0.95, "at most 1"),
    ],
)
def test_recipe_quotes_the_bad_value(recipe, field, value, message):
    with pytest.raises(ConfigError, match=message):
        replace(recipe, **{field: value})


def test_shipped_recipe_is_read_and_a_wrong_one_refused(pytestconfig, tmp_path):
    shipped = pytestconfig.rootpath / "scripts" / "recipes" / "forecaster.yaml"
    assert Recipe.from_yaml(shipped).members == 32
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(shipped.read_text(encoding="utf-8") + "layers: 2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="'layers' is missing or unknown"):
        Recipe.from_yaml(wrong)
    with pytest.raises(ConfigError, match="Expected a recipe at"):
        Recipe.from_yaml(tmp_path / "none.yaml")
