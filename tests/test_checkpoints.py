import pytest

from kmi import checkpoints
from kmi.checkpoints import checkpoint_source, shipped_checkpoint
from kmi.errors import ConfigError


def source(name):
    return checkpoint_source(name, ("config.json",), "test", "Train one.")


def test_a_whole_folder_and_a_repository_are_taken(tmp_path):
    (tmp_path / "config.json").touch()
    assert source(tmp_path) == source(str(tmp_path)) == str(tmp_path)
    assert source("user/name") == "user/name"


@pytest.mark.parametrize("name", ["absent", "a/b/c", "./absent folder"])
def test_anything_else_is_a_mistake(name):
    with pytest.raises(ConfigError, match=r"Expected a test checkpoint in .*, found no config.json. Train one."):
        source(name)


def test_a_folder_without_its_files_is_named(tmp_path):
    with pytest.raises(ConfigError, match="found no config.json"):
        source(tmp_path)


def test_the_installed_checkpoint_comes_before_the_checkout_s(monkeypatch, tmp_path):
    monkeypatch.setattr(checkpoints, "files", lambda package: tmp_path / "kmi")
    assert shipped_checkpoint("kmi-coder") == tmp_path / "model_cards" / "kmi-coder"
    bundled = tmp_path / "kmi" / "_bundle" / "models" / "kmi-coder"
    bundled.mkdir(parents=True)
    assert shipped_checkpoint("kmi-coder") == bundled
