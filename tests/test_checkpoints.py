import pytest
from huggingface_hub import constants

from kmi import checkpoints
from kmi.checkpoints import checkpoint_source, find_checkpoint, weights_digest
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


@pytest.fixture
def package(monkeypatch, tmp_path):
    """A package with no checkpoint anywhere near, and an empty cache."""
    monkeypatch.setattr(checkpoints, "files", lambda package: tmp_path / "kmi")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    for name in ("KMI_NAMESPACE", "SPACE_AUTHOR_NAME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_package_then_checkout_then_cache_then_the_namespace_s_repository(package, monkeypatch):
    monkeypatch.setenv("SPACE_AUTHOR_NAME", "of-the-space")
    assert find_checkpoint("kmi-coder") == "of-the-space/kmi-coder"
    monkeypatch.setenv("KMI_NAMESPACE", "mi-lab")
    assert find_checkpoint("kmi-coder") == "mi-lab/kmi-coder"
    for folder in ("cache/models--mi-lab--kmi-coder/snapshots/abc", "model_cards/kmi-coder", "kmi/_bundle/models/kmi-coder"):
        (package / folder).mkdir(parents=True)
        (package / folder / "model.safetensors").touch()
        assert find_checkpoint("kmi-coder") == package / folder
    assert find_checkpoint("kmi-chatbot") == "mi-lab/kmi-chatbot"  # another name is not taken for it


def test_a_checkpoint_that_is_nowhere_says_what_to_type(package):
    with pytest.raises(ConfigError, match=r"found it in none. Name the one who publishes it: from_pretrained\('ORG/kmi-chatbot'\), or export KMI_NAMESPACE=ORG"):
        find_checkpoint("kmi-chatbot")


def test_weights_are_named_by_their_content(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    assert weights_digest(tmp_path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
