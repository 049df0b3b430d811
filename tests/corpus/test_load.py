import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import kmi
from kmi.corpus import load
from kmi.corpus.build import build_dataset
from kmi.errors import ConfigError

ROOT = Path(__file__).parents[2]
CHECKOUT = pytest.mark.skipif(not (ROOT / "loading_script").is_dir(), reason="runs in a checkout")


@pytest.fixture
def package(tmp_path, dialogues, monkeypatch):
    """A package folder beside a dataset of three dialogues, as in a checkout."""
    (tmp_path / "kmi").mkdir()
    (tmp_path / "kmi" / "__init__.py").touch()
    build_dataset(dialogues, tmp_path / "loading_script")
    monkeypatch.setattr(load, "PACKAGE", tmp_path / "kmi")
    monkeypatch.setattr(load, "BUNDLE", tmp_path / "kmi" / "_bundle" / "dataset" / "kmi")
    return tmp_path / "kmi"


def test_configs_and_splits_load(package, fresh_cache):
    assert list(kmi.load_dataset()) == ["train", "validation", "test"]
    assert kmi.load_dataset("utterances", "validation")["turn"][:] == [0, 1]
    assert kmi.load_dataset("utterances", "train[:2]+test").num_rows == 4
    assert len(list(kmi.load_dataset("chat", "test", streaming=True))) == 1
    assert list(kmi.load_dataset("forecasting")) == ["train"]


@pytest.mark.parametrize(
    ("config", "split", "words"),
    [
        ("dialogue", None, ["'dialogue'", "dialogues, utterances, chat, forecasting"]),
        ("chat", "dev", ["'chat'", "'dev'", "train, validation, test"]),
        ("chat", "train+dev", ["'train+dev'"]),
        ("chat", "", ["''"]),
        ("forecasting", "test", ["'forecasting'", "among train,"]),
    ],
)
def test_unknown_configs_and_splits_name_the_known(package, config, split, words):
    with pytest.raises(ConfigError) as caught:
        kmi.load_dataset(config, split)
    for word in words:
        assert word in str(caught.value)


def test_the_bundled_copy_comes_first(package, dialogues, fresh_cache):
    (package / "_bundle" / "dataset").mkdir(parents=True)
    build_dataset(dialogues[:1], package / "_bundle" / "dataset" / "kmi")
    assert kmi.load_dataset("dialogues", "train")["id"][:] == ["a"]
    assert [dialogue.id for dialogue in load.shipped_dialogues()] == ["a"]


def test_records_load_without_the_datasets_library(package, dialogues):
    assert list(load.shipped_dialogues()) == dialogues
    assert list(load.shipped_dialogues("validation")) == dialogues[1:2]
    with pytest.raises(ConfigError, match="'dev'"):
        list(load.shipped_dialogues("dev"))


def test_a_package_without_data_says_what_to_type(package):
    (package / "README.md").unlink()
    with pytest.raises(ConfigError, match=r"scripts/build_dataset.py"):
        kmi.load_dataset()


LOAD_EVERYTHING = """
from datasets import load_dataset

assert load_dataset("kmi")["train"].features["dialogue"] is not None
for config in ("dialogues", "utterances", "chat", "forecasting"):
    loaded = load_dataset("kmi", config, split="train")
    assert len(loaded) >= 14, config
    assert list(load_dataset("kmi", config, split="train", streaming=True)) == loaded.to_list(), config
"""


def run_python(code, folder, cache):
    env = {**os.environ, "HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


@CHECKOUT
def test_plain_load_dataset_works_in_the_checkout_and_then_anywhere(tmp_path):
    run_python(LOAD_EVERYTHING, ROOT, tmp_path / "hf")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    run_python(
        'from datasets import load_dataset; assert len(load_dataset("kmi", "chat", split="train")) >= 14',
        elsewhere,
        tmp_path / "hf",
    )


def test_tables_are_read_by_path_with_pandas_and_polars(repository):
    import pandas
    import polars

    path = repository / "loading_script/data/utterances/test-00000-of-00001.parquet"
    frame, lazy = pandas.read_parquet(path), polars.scan_parquet(path)
    assert len(frame) == lazy.select(polars.len()).collect().item() == 2450
    assert frame["utterance_ko"].tolist() == lazy.collect()["utterance_ko"].to_list()


def test_dialogues_in_shards_are_all_there(package, dialogues, monkeypatch):
    from kmi.corpus import build

    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 1))
    monkeypatch.setattr(build, "ROWS_PER_SHARD", 1)
    many = [replace(dialogues[0], id=f"d{i}") for i in range(3)]
    build_dataset(many, package.parent / "loading_script")
    assert [dialogue.id for dialogue in load.shipped_dialogues("train")] == ["d0", "d1", "d2"]
