"""Each fault alone, on a staged copy of a repository that has none."""

import shutil

import pytest

from kmi.publishing.checks import faults, stale
from kmi.publishing.repositories import Target, repositories
from kmi.publishing.staging import Staged, stage

TOKEN_LIKE = "hf_" + "aB3" * 10


@pytest.fixture(scope="module")
def whole(repository, tmp_path_factory):
    """Every repository, staged, by name; the Space is "space"."""
    scratch = tmp_path_factory.mktemp("staged")
    wheel = scratch / "kmi-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    found = repositories(repository)
    return {"space" if one.kind == "space" else one.name: stage(one, Target("mi-lab"), wheel, scratch / one.kind / one.name) for one in found}


def test_what_the_checkout_holds_has_no_fault(whole):
    assert len(whole) == 11
    assert {name: faults(staged) for name, staged in whole.items()} == {name: [] for name in whole}


def replace(name, old, new):
    def change(folder):
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def write(name, content):
    return lambda folder: (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("kmi-coder", write("model.pkl", b"x"), "model.pkl: expected one of"),
        ("kmi-coder", write("modeling.py", b"x"), "it may run code when loaded"),
        ("kmi-coder", write("model.safetensors", b"torn"), "no whole safetensors file"),
        ("kmi-coder", write("notes.txt", TOKEN_LIKE.encode()), "looks like an access key"),
        ("kmi-coder", replace("README.md", "license: apache-2.0", "license: gpl-3.0"), "expected license: apache-2.0, got 'gpl-3.0'"),
        ("kmi-coder", replace("README.md", "  results:", "  resulted:"), "the metadata cannot be read"),
        ("kmi-coder", replace("README.md", "library_name: transformers\n", ""), "library_name is missing"),
        ("kmi-coder", lambda folder: (folder / "config.json").unlink(), "config.json is missing; from_pretrained needs it"),
        ("kmi-coder", lambda folder: (folder / "link.json").symlink_to(folder / "config.json"), "link.json is a link"),
        ("kmi", replace("README.md", "path: data/chat/test", "path: data/chat/tset"), "data/chat/tset-00000-of-00001.parquet is declared in configs and not there"),
        ("kmi", replace("README.md", "num_examples: 800", "num_examples: 801"), "the sizes of 'dialogues' are not those of its files"),
        ("kmi", replace("README.md", "version: 0.1.", "version: 9.1."), "has the version of other Parquet files"),
        ("kmi", lambda folder: shutil.rmtree(folder / "dist"), "expected one wheel of at most 60 MB"),
        ("space", replace("README.md", "sdk: gradio", "sdk: tkinter"), "expected sdk: gradio, got 'tkinter'"),
        ("space", replace("README.md", "colorTo: blue", "colorTo: teal"), "expected colorTo among"),
        ("space", replace("README.md", "short_description: ", "short_description: " + "길" * 60), "characters; the Hub takes 60"),
        ("space", lambda folder: (folder / "app.py").unlink(), "app.py is missing; the Space would not start"),
        ("mi_fidelity", write("requirements.txt", b"kmi[metrics]\n"), "asks PyPI for kmi"),
        ("mi_fidelity", replace("README.md", "title:", "name:"), "title is missing from the metadata"),
        ("mi_fidelity", replace("README.md", "language:\n- ko", "language: [ko"), "the metadata cannot be read"),
    ],
)
def test_a_fault_is_named(whole, tmp_path, name, change, said):
    staged = whole[name]
    copy = Staged(staged.repository, shutil.copytree(staged.folder, tmp_path / "copy", ignore=shutil.ignore_patterns("source"), symlinks=True))
    change(copy.folder)
    found = faults(copy)
    assert any(said in fault and fault.startswith(f"{staged.repository.name}: ") for fault in found), found


def test_the_checkout_s_cards_and_figures_are_current(repository):
    assert stale(repository) == []


def test_figures_of_other_weights_are_stale(repository, tmp_path):
    for name in ("model_cards", "loading_script", "kmi/corpus"):
        shutil.copytree(repository / name, tmp_path / name)
    shutil.copyfile(repository / "kmi" / "__init__.py", tmp_path / "kmi" / "__init__.py")
    shutil.copyfile(repository / "kmi" / "README.md", tmp_path / "kmi" / "README.md")
    weights = tmp_path / "model_cards/kmi-forecaster/model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    assert stale(tmp_path) == ["model_cards/kmi-forecaster/report.json was not measured on these weights; run: accelerate launch scripts/train_forecaster.py"]
