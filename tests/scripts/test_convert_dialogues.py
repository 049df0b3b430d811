import json
import subprocess
import sys

import pytest

from kmi.corpus.readers import read_dialogues
from kmi.dialogue import Dialogue, Utterance, write_jsonl
from kmi.errors import ConfigError, DataError

SESSION = '#{"id": "s", "split": "test"}\nT GE | 네. | Yes.\nC change/need | 끊어야 해요. | I have to quit.\n'


@pytest.fixture
def convert(load_script):
    script = load_script("convert_dialogues")
    return lambda *args: script.main([str(arg) for arg in args])


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "session.txt"
    path.write_text(SESSION, encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["trl", "sharegpt", "convokit", "csv"])
def test_every_format_can_be_converted_on(tmp_path, file, convert, capsys, form):
    assert convert(file, "--to", form, "--out", tmp_path / "first", "--language", "en") == 0
    assert capsys.readouterr().out == f"1 dialogues written to {tmp_path / 'first'}\n"
    assert convert(tmp_path / "first", "--to", "csv", "--out", tmp_path / "second.csv", "--language", "en") == 0
    turns = (Utterance("therapist", "", "Yes.", label="General"), Utterance("client", "", "I have to quit.", talk="change", talk_subtype="need"))
    assert list(read_dialogues(tmp_path / "second.csv")) == [Dialogue("s", "", "", turns, split="test")]


def test_each_word_gives_its_own_format(tmp_path, file, convert):
    for form in ("trl", "sharegpt", "convokit", "csv"):
        convert(file, "--to", form, "--out", tmp_path / form)
    assert "messages" in json.loads((tmp_path / "trl").read_text(encoding="utf-8"))
    assert "conversations" in json.loads((tmp_path / "sharegpt").read_text(encoding="utf-8"))
    assert (tmp_path / "convokit" / "index.json").is_file()
    assert (tmp_path / "csv").read_text(encoding="utf-8-sig").startswith("id,")


def test_the_shipped_dataset_goes_by_its_name_and_by_split(tmp_path, convert):
    assert convert("kmi", "--to", "csv", "--out", tmp_path / "kmi.csv", "--split", "test") == 0
    found = list(read_dialogues(tmp_path / "kmi.csv"))
    assert len(found) > 50 and {dialogue.split for dialogue in found} == {"test"}


def test_what_cannot_be_converted_says_why(tmp_path, file, convert):
    with pytest.raises(DataError, match="at least one dialogue to export, got none. Check the input and --split"):
        convert(file, "--to", "trl", "--out", tmp_path / "out", "--split", "train")
    write_jsonl([Dialogue("d", "", "", (Utterance("client", "네."),))], tmp_path / "korean.jsonl")
    with pytest.raises(DataError, match="dialogue 'd', turn 0: expected text in utterance_en"):
        convert(tmp_path / "korean.jsonl", "--to", "trl", "--out", tmp_path / "out", "--language", "en")
    with pytest.raises(ConfigError, match="session.txt exists already"):
        convert(file, "--to", "trl", "--out", file)
    assert file.read_text(encoding="utf-8") == SESSION and not (tmp_path / "out").exists()


def test_bad_input_is_one_line_and_exit_2_and_help_explains(repository, tmp_path):
    script = repository / "scripts" / "convert_dialogues.py"
    options = ["--to", "csv", "--out", tmp_path / "out.csv"]
    done = subprocess.run([sys.executable, script, tmp_path / "absent", *options], capture_output=True, text=True, encoding="utf-8")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("error: Expected a file or folder at")
    assert "--language" in subprocess.run([sys.executable, script, "--help"], capture_output=True, text=True, encoding="utf-8").stdout
