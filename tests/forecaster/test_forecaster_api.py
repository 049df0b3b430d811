import json
import shutil
import time

import numpy as np
import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.errors import ConfigError
from kmi.forecaster import Forecaster, Turn, api

TURNS = [
    Turn("therapist", label="Open Question", text="요즘 술은 어떠세요?"),
    Turn("client", talk="sustain", text="그거라도 없으면 하루를 어떻게 버팁니까."),
]


@pytest.fixture(scope="module")
def forecaster():
    return Forecaster.from_pretrained()


@pytest.fixture
def checkpoint(tmp_path):
    return shutil.copytree(api.default_checkpoint(), tmp_path / "checkpoint")


def test_ranks_all_labels(forecaster):
    forecast = forecaster.forecast(TURNS)
    probabilities = [option.probability for option in forecast]
    assert {option.label for option in forecast} == set(THERAPIST_LABELS)
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1)
    assert forecaster.forecast(TURNS) == forecast


@pytest.mark.parametrize(
    "turns",
    [
        [],
        [turn._replace(text=None) for turn in TURNS],
        [turn._replace(label=None, talk=None) for turn in TURNS],
        TURNS * 300,
        [Turn("client", talk="change", text="")],
        [Turn("therapist", "Advise")] * 4,
    ],
    ids=["start", "plan", "uncoded", "very long", "empty text", "therapist only"],
)
def test_any_history_gives_a_distribution(forecaster, turns):
    probabilities = forecaster.probabilities([turns])
    assert probabilities.shape == (1, 8)
    assert np.isfinite(probabilities).all()
    assert probabilities.sum() == pytest.approx(1, abs=1e-5)


def test_a_batch_equals_one_by_one(forecaster):
    histories = [TURNS[:1], TURNS, TURNS * 3]
    batch = forecaster.probabilities(histories)
    assert np.allclose(batch, np.concatenate([forecaster.probabilities([turns]) for turns in histories]), atol=1e-6)
    assert forecaster.probabilities([]).shape == (0, 8)


def test_labels_matter(forecaster):
    asked = forecaster.probabilities([[*TURNS, Turn("therapist", "Closed Question"), TURNS[1]]])
    told = forecaster.probabilities([[*TURNS, Turn("therapist", "Give Information"), TURNS[1]]])
    information = THERAPIST_LABELS.index("Give Information")
    assert told[0, information] > asked[0, information]


def test_a_forecast_takes_at_most_2_ms(forecaster):
    turns = TURNS * 15

    def seconds():
        start = time.perf_counter()
        forecaster.forecast(turns)
        return time.perf_counter() - start

    # The best of many: other work on the machine must not fail this.
    assert min(seconds() for _ in range(50)) < 0.002


def test_revision_follows_the_weights(forecaster, checkpoint):
    same = Forecaster.from_pretrained(checkpoint)
    assert same.revision == forecaster.revision
    assert len(same.revision) == 12
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    (checkpoint / "config.json").write_text(json.dumps({**config, "temperature_with_text": 3.0}), encoding="utf-8")
    assert Forecaster.from_pretrained(str(checkpoint)).revision != same.revision


def test_installed_checkpoint_comes_before_the_checkout(monkeypatch, tmp_path):
    monkeypatch.setattr(api, "files", lambda package: tmp_path / "kmi")
    assert api.default_checkpoint() == tmp_path / "model_cards" / "kmi-forecaster"
    bundled = tmp_path / "kmi" / "_bundle" / "models" / "kmi-forecaster"
    bundled.mkdir(parents=True)
    assert api.default_checkpoint() == bundled


def test_absent_checkpoint_says_what_to_type(tmp_path):
    with pytest.raises(ConfigError, match=r"found no config.json. Train one with: accelerate launch"):
        Forecaster.from_pretrained(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="found no config.json"):
        Forecaster.from_pretrained("nowhere")


def test_checkpoint_without_weights(checkpoint):
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"found no model.safetensors"):
        Forecaster.from_pretrained(checkpoint)


def test_damaged_weights(checkpoint):
    weights = checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ConfigError, match="could not load it"):
        Forecaster.from_pretrained(checkpoint)


@pytest.mark.parametrize(("field", "value"), [("hidden_size", 7), ("feature_names", ["a"])])
def test_config_that_does_not_fit_the_weights(checkpoint, field, value):
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    (checkpoint / "config.json").write_text(json.dumps({**config, field: value}), encoding="utf-8")
    with pytest.raises(ConfigError, match="could not load it"):
        Forecaster.from_pretrained(checkpoint)


def test_other_features_are_refused(checkpoint):
    config = json.loads((checkpoint / "config.json").read_text(encoding="utf-8"))
    config["feature_names"][0] = "label of the moon"
    (checkpoint / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ConfigError, match="2 differ, first: label lag1=Simple Reflection"):
        Forecaster.from_pretrained(checkpoint)
