import json
import logging
from itertools import islice

import mlcroissant
import pytest

from kmi.corpus import croissant
from kmi.corpus.build import build_dataset


def test_the_file_in_the_repository_is_current(repository):
    folder = repository / "loading_script"
    assert (folder / croissant.NAME).read_text(encoding="utf-8") == croissant.dumps(folder), "run: python scripts/build_dataset.py"


def test_it_is_valid_and_its_records_are_those_of_the_tables(repository, caplog):
    with caplog.at_level(logging.WARNING):
        dataset = mlcroissant.Dataset(jsonld=repository / "loading_script" / croissant.NAME)
    issues = dataset.metadata.ctx.issues
    assert not issues.errors and all("datePublished" in warning for warning in issues.warnings)
    assert {record_set.name for record_set in dataset.metadata.record_sets} == {
        f"{table}-{split}" for table in ("dialogues", "utterances", "chat", "forecasting") for split in ("train", "validation", "test")
    }
    for table, column in (("utterances", "utterance_ko"), ("chat", "messages"), ("dialogues", "dialogue"), ("forecasting", "window")):
        (record,) = islice(dataset.records(f"{table}-test"), 1)
        assert record[f"{table}-test/{column}"], table


def test_a_changed_file_is_found_out_by_its_digest(repository, tmp_path, dialogues):
    build_dataset(dialogues, tmp_path / "loading_script")
    path = tmp_path / "loading_script" / croissant.NAME
    told = json.loads(path.read_text(encoding="utf-8"))
    assert {file["contentUrl"] for file in told["distribution"]} >= {"data/dialogues/train-00000-of-00001.parquet"}
    (tmp_path / "loading_script/data/utterances/train-00000-of-00001.parquet").write_bytes(b"PAR1 other")
    with pytest.raises(mlcroissant.GenerationError):
        list(mlcroissant.Dataset(jsonld=path).records("utterances-train"))


def test_each_shard_is_a_file_and_a_record_set(tmp_path, dialogues, monkeypatch):
    monkeypatch.setattr("kmi.corpus.build.ROWS_PER_GROUP", dict.fromkeys(("dialogues", "utterances", "chat", "forecasting"), 2))
    monkeypatch.setattr("kmi.corpus.build.ROWS_PER_SHARD", 2)
    build_dataset(dialogues, tmp_path / "loading_script")
    dataset = mlcroissant.Dataset(jsonld=tmp_path / "loading_script" / croissant.NAME)
    names = {record_set.name for record_set in dataset.metadata.record_sets}
    assert {"utterances-train-00000", "utterances-train-00001", "utterances-train-00002", "utterances-test"} <= names
    assert len(list(dataset.records("utterances-train-00002"))) == 1  # of five rows
