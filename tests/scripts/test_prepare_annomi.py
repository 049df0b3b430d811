import json
import os
from pathlib import Path

import pytest

from kmi.corpus.annomi import CSV_NAME, load_annomi
from kmi.dialogue import read_jsonl
from kmi.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def prepare_annomi(load_script):
    return load_script("prepare_annomi")


def test_help(prepare_annomi, capsys):
    with pytest.raises(SystemExit) as stop:
        prepare_annomi.main(["--help"])
    assert stop.value.code == 0
    assert "--source" in capsys.readouterr().out


def test_unreachable_address_says_what_to_do(prepare_annomi, tmp_path):
    with pytest.raises(ConfigError, match=r"Could not fetch .* add --source FOLDER"):
        prepare_annomi.fetch("http://127.0.0.1:9/AnnoMI-full.csv", "0" * 64, tmp_path / "a.csv")


def test_changed_file_is_refused(prepare_annomi, tmp_path):
    published = tmp_path / "published.csv"
    published.write_text("other", encoding="utf-8")
    with pytest.raises(DataError, match=r"expected SHA-256 000000000000"):
        prepare_annomi.fetch(published.as_uri(), "0" * 64, tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_incomplete_source_is_named(prepare_annomi, tmp_path):
    (tmp_path / CSV_NAME).write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"annomi_kmi8_high.json is missing"):
        prepare_annomi.main(["--source", str(tmp_path), "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


@pytest.mark.annomi
def test_converts_the_published_files(prepare_annomi, tmp_path):
    source = Path(os.environ.get("KMI_ANNOMI", ""))
    if not (source / CSV_NAME).is_file():
        pytest.skip("AnnoMI's published files ARE ABSENT: set KMI_ANNOMI to their folder to check the conversion.")
    assert prepare_annomi.main(["--source", str(source), "--out", str(tmp_path)]) == 0
    dialogues = list(read_jsonl(tmp_path / "annomi_high.jsonl"))
    assert dialogues == load_annomi(source) == load_annomi(tmp_path)
    assert len(list(read_jsonl(tmp_path / "annomi_low.jsonl"))) == 23
    assert len(json.loads((tmp_path / "folds.json").read_text(encoding="utf-8"))) == 110
