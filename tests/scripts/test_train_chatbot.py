import json

import pytest
import yaml

from kmi.errors import ConfigError


@pytest.fixture(scope="module")
def train_chatbot(load_script):
    return load_script("train_chatbot")


@pytest.fixture
def recipe(repository, tmp_path):
    values = yaml.safe_load((repository / "scripts/recipes/chatbot.yaml").read_text(encoding="utf-8"))
    tiny = {"vocabulary": 700, "hidden_size": 16, "layers": 1, "heads": 2, "epochs": 1, "batch_size": 2}
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump({**values, **tiny}), encoding="utf-8")
    return path


def test_help(train_chatbot, capsys):
    with pytest.raises(SystemExit) as stop:
        train_chatbot.main(["--help"])
    assert stop.value.code == 0 and "chatbot_lora_fsdp.yaml" in capsys.readouterr().out


def test_a_trial_writes_a_checkpoint_and_what_the_training_was(train_chatbot, recipe, tmp_path, capsys):
    out = tmp_path / "out"
    assert train_chatbot.main(["--recipe", str(recipe), "--steps", "1", "--seed", "3", "--out", str(out)]) == 0
    training = json.loads((out / "training.json").read_text(encoding="utf-8"))
    assert training["steps"] == 1 and training["recipe"]["seed"] == 3 and training["parameters"] > 700 * 16
    assert training["bytes"] == sum(path.stat().st_size for path in out.iterdir() if path.name != "training.json")
    assert "800 sessions" in capsys.readouterr().err


def test_what_does_not_fit_together_is_refused_before_any_work(train_chatbot, recipe, repository):
    with pytest.raises(ConfigError, match="--base is for LoRA"):
        train_chatbot.main(["--recipe", str(recipe), "--base", "x"])
    with pytest.raises(ConfigError, match="--out FOLDER"):
        train_chatbot.main(["--recipe", str(repository / "scripts/recipes/chatbot_lora.yaml")])
