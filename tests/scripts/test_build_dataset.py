import subprocess
import sys
from pathlib import Path

import pytest

from kmi.corpus.tables import read_parquet
from kmi.dialogue import Dialogue, Provenance, Utterance, write_jsonl

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_dataset.py"
TURNS = (Utterance("therapist", "네.", label="General"), Utterance("client", "끊을게요.", talk="change"))


def build(*args):
    return subprocess.run([sys.executable, SCRIPT, *args], capture_output=True, text=True, encoding="utf-8")


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    write_jsonl(
        [Dialogue("r1", "가족", "", TURNS, provenance=Provenance(writer="retrieval"))], folder / "dialogues.jsonl"
    )
    return folder


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source" / "family" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_text('#{"id": "s1", "split": "test"}\nT GE | 네.\n', encoding="utf-8")
    return path.parents[1]


def ids(path):
    return [dialogue.id for dialogue in read_parquet(path)]


def test_sources_and_runs_become_one_dataset(tmp_path, source, run):
    out = tmp_path / "out"
    done = build("--source", source, "--run", run, "--out", out)
    assert done.returncode == 0, done.stderr
    assert "utterances  train 2, test 1" in done.stdout
    assert ids(out / "data/dialogues/train-00000-of-00001.parquet") == ["r1"]
    assert ids(out / "data/dialogues/test-00000-of-00001.parquet") == ["s1"]


def test_runs_alone_need_no_sources(tmp_path, run):
    assert build("--run", run, "--out", tmp_path / "out").returncode == 0
    assert [path.name for path in (tmp_path / "out/data/dialogues").iterdir()] == ["train-00000-of-00001.parquet"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--source", "SOURCE", "--run", "RUN", "--out", "TMP/loading_script"], "retrieval writer"),
        (["--run", "RUN", "--out", "TMP/loading_script"], "always built from its sources"),
        (["--run", "RUN"], "always built from its sources"),
        (["--run", "TMP/absent", "--out", "TMP/out"], "Check --run"),
        (["--source", "TMP/absent", "--out", "TMP/out"], "Check --source"),
        (["--run", "RUN", "--run", "RUN", "--out", "TMP/out"], "'r1' comes twice"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(tmp_path, source, run, args, words):
    places = {"SOURCE": source, "RUN": run, "TMP": tmp_path}
    done = build(*("/".join(str(places.get(part, part)) for part in arg.split("/")) for arg in args))
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out" / "README.md").exists()


def test_help_explains_itself():
    assert "--source" in build("--help").stdout
