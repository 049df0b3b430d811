"""The benchmark of scale in small: every step does its work, holds little, and costs in proportion; no time is asserted."""

import json
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from kmi.corpus import build
from kmi.corpus.load import shipped_dialogues
from kmi.corpus.sources import read_run
from kmi.corpus.tables import read_parquet

SIZE = 40


@pytest.fixture(scope="module")
def scale(load_script):
    return load_script("benchmark_scale")


@pytest.fixture(scope="module")
def done(scale, tmp_path_factory):
    """Marks of every step and the folder they worked in."""
    folder = tmp_path_factory.mktemp("scale")
    return {name: scale.measure(name, SIZE, folder) for name in scale.STEPS}, folder


def test_every_step_is_measured_on_its_way(done, scale):
    marks, _ = done
    assert list(marks) == ["plan", "ledger", "sessions", "resume", "merge", "build"]
    for name in ("plan", "ledger", "sessions", "build"):
        assert list(marks[name]) == ["4", "20", "40"]
        assert 0 <= marks[name]["4"]["cpu_sec"] <= marks[name]["40"]["cpu_sec"] and marks[name]["40"]["peak_mb"] > 20
    assert list(marks["resume"]) == list(marks["merge"]) == ["40"]


def test_every_step_did_its_work(done):
    folder: Path = done[1]
    ids = [dialogue.id for dialogue in read_run(folder / "run")]
    assert len(set(ids)) == SIZE and ids[0] == f"{next(shipped_dialogues()).id}-0"
    assert len((folder / "packets.jsonl").read_text(encoding="utf-8").splitlines()) == SIZE
    assert sum(1 for path in (folder / "dataset/data/dialogues").iterdir() for _ in read_parquet(path)) == SIZE


def test_a_step_that_finds_less_than_was_done_fails(scale, tmp_path):
    scale.measure("sessions", 3, tmp_path)
    with pytest.raises(RuntimeError, match="4 cases, 3 sessions over, 0 answers; expected 4 of each"):
        scale.measure("resume", 4, tmp_path)


def test_growth_is_the_cost_of_all_to_that_of_the_first_tenth(scale):
    def marks(*seconds):
        return {str(done): {"cpu_sec": value} for done, value in zip((10, 50, 100), seconds, strict=True)}

    assert scale.growth(marks(1, 5, 10)) == 1
    assert scale.growth(marks(1, 25, 100)) == 10  # quadratic
    assert scale.growth({"100": {"cpu_sec": 7}}) == 1


def test_the_command_prints_a_line_a_step(scale, monkeypatch, capsys):
    figures = {"4": (1.0, 2.0, 100.0), "20": (5.0, 6.0, 100.0), "40": (20.0, 21.0, 300.0)}
    marks = {done: dict(zip(("cpu_sec", "seconds", "peak_mb"), values, strict=True)) for done, values in figures.items()}
    monkeypatch.setattr(scale.subprocess, "run", lambda command, **options: scale.subprocess.CompletedProcess(command, 0, json.dumps(marks)))
    assert scale.main(["--size", "40"]) == 0
    lines = capsys.readouterr().out.splitlines()[1:]
    assert len(lines) == 6 and lines[0].split() == ["plan", "40", "1.0", "5.0", "20.0", "2.00", "21.0", "100.0", "300.0"]


def peak(work):
    """Peak of what Python holds while working, in bytes."""
    tracemalloc.start()
    work()
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


@pytest.mark.parametrize("step", ["sessions", "ledger", "merge", "build"])
def test_memory_does_not_follow_the_number_of_sessions(scale, tmp_path, monkeypatch, step):
    """Six times the sessions in nearly the same memory."""
    monkeypatch.setattr(build, "ROWS_PER_GROUP", dict.fromkeys(build.ROWS_PER_GROUP, 10))
    few = list(islice(shipped_dialogues("test"), 10))
    monkeypatch.setattr(scale, "shipped_dialogues", lambda: few)
    for size in (20, 120):
        if step in ("merge", "build"):
            scale.measure("sessions", size, tmp_path / str(size))
        if step == "build":
            scale.measure("merge", size, tmp_path / str(size))
    scale.measure(step, 20, tmp_path / "20")  # imports
    small = peak(lambda: scale.measure(step, 20, tmp_path / "20"))
    large = peak(lambda: scale.measure(step, 120, tmp_path / "120"))
    assert large < 1.5 * small + 500_000
