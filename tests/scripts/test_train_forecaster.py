import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kmi.dialogue import Dialogue, Utterance, write_jsonl
from kmi.errors import ConfigError
from kmi.forecaster import Forecaster
from kmi.forecaster.ablation import HIDDEN
from kmi.forecaster.crossval import FOLD_FILE, METHODS, OURS_CODED

SCRIPT = Path(__file__).parents[2] / "scripts" / "train_forecaster.py"


@pytest.fixture(scope="module")
def train_forecaster(load_script):
    """The script as a module, in this process, where torch is loaded once only."""
    return load_script("train_forecaster")


@pytest.fixture(scope="module")
def annomi(tmp_path_factory):
    """A prepared folder with three made-up sessions per fold under AnnoMI's numbers."""
    folder = tmp_path_factory.mktemp("annomi")
    numbers = json.loads(FOLD_FILE.read_text(encoding="utf-8"))
    chosen = [n for fold in range(5) for n in [n for n, f in numbers.items() if f == fold][:3]]
    write_jsonl([made_up(number) for number in chosen], folder / "annomi_high.jsonl")
    return folder


def made_up(number):
    rng = random.Random(number)
    turns = []
    for _ in range(12):
        turns.append(Utterance("therapist", "", "How so?", label=rng.choice(["Open Question", "General", "Affirm"])))
        turns.append(Utterance("client", "", "It is so.", talk=rng.choice(["change", "neutral"])))
    return Dialogue(f"annomi-{number}", "", "", tuple(turns))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory, pytestconfig):
    values = yaml.safe_load((pytestconfig.rootpath / "scripts/recipes/forecaster.yaml").read_text(encoding="utf-8"))
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    path.write_text(yaml.safe_dump({**values, "members": 2, "hidden_size": 4, "epochs": 1, "batch_size": 16}), encoding="utf-8")
    return path


def test_help(train_forecaster, capsys):
    with pytest.raises(SystemExit) as stop:
        train_forecaster.main(["--help"])
    assert stop.value.code == 0
    assert "KMI_ANNOMI" in capsys.readouterr().out


def test_without_annomi_says_how_to_get_it(train_forecaster, monkeypatch):
    monkeypatch.delenv("KMI_ANNOMI", raising=False)
    with pytest.raises(ConfigError, match=r"neither --annomi nor KMI_ANNOMI.*prepare_annomi.py"):
        train_forecaster.main([])


def test_trains_prints_saves_and_repeats(train_forecaster, annomi, recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("KMI_ANNOMI", str(annomi))

    def run(name, *more):
        out = tmp_path / name
        assert train_forecaster.main(["--recipe", str(recipe), "--dialogues", "10", "--coder", "none", "--out", str(out), *more]) == 0
        return out

    first = run("first", "--folds-out", str(tmp_path / "folds"))
    printed = capsys.readouterr().out
    assert all(f"| {name} |" in printed for name in METHODS if name != OURS_CODED)
    report = json.loads((first / "report.json").read_text(encoding="utf-8"))
    assert report["sessions"] == 15
    assert report["examples"] == 15 * 11
    assert report["revision"] == Forecaster.from_pretrained(first).revision
    assert report["revision"] in printed
    assert f"{report['five_folds']['overall']['forecaster']['recall_at_3']:.4f}" in (first / "README.md").read_text(encoding="utf-8")
    assert sorted(path.name for path in (tmp_path / "folds").iterdir()) == [f"fold-{i}" for i in range(5)]
    assert set(report["ablation"]) == set(HIDDEN)
    again, other = run("again", "--no-ablation"), run("other", "--seed", "1", "--no-ablation")
    weights = [(folder / "model.safetensors").read_bytes() for folder in (first, again, other)]
    assert weights[0] == weights[1] != weights[2]


def test_killed_and_resumed_ends_like_uninterrupted(train_forecaster, annomi, recipe, tmp_path, monkeypatch):
    """Killed in the fourth job: what was done is not done again, and all figures are the same but the time."""
    monkeypatch.setenv("KMI_ANNOMI", str(annomi))
    command = ["--recipe", str(recipe), "--dialogues", "10", "--coder", "none", "--no-ablation", "--out"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train_forecaster.main([*command, str(whole)]) == 0
    run_fold, done = train_forecaster.crossval.run_fold, []

    def counted(*arguments):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(arguments[3])
        return run_fold(*arguments)

    monkeypatch.setattr(train_forecaster.crossval, "run_fold", counted)
    with pytest.raises(KeyboardInterrupt):
        train_forecaster.main([*command, str(broken)])
    assert (broken / "training-state").is_dir() and not (broken / "report.json").exists()
    with pytest.raises(ConfigError, match="begun with other settings"):
        train_forecaster.main([*command, str(broken), "--seed", "5"])
    monkeypatch.setattr(train_forecaster.crossval, "run_fold", lambda *arguments: done.append(arguments[3]) or run_fold(*arguments))
    assert train_forecaster.main([*command, str(broken)]) == 0
    assert sorted(done) == [0, 1, 2, 3, 4] and not (broken / "training-state").exists()
    assert (broken / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    reports = [{**json.loads((folder / "report.json").read_text(encoding="utf-8")), "seconds": 0} for folder in (whole, broken)]
    assert reports[0] == reports[1]


def test_two_processes_give_the_same_weights_and_figures(train_forecaster, annomi, recipe, tmp_path):
    common = ["--annomi", str(annomi), "--recipe", str(recipe), "--dialogues", "10", "--no-ablation", "--coder", "none", "--out"]
    # A free port, so that runs side by side do not meet.
    launcher = ["accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    run = subprocess.run(
        [sys.executable, "-m", *launcher, str(SCRIPT), *common, str(tmp_path / "two")],
        env={**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    assert "2 process(es)" in run.stderr
    assert run.stdout.count("| forecaster |") == 1
    assert train_forecaster.main([*common, str(tmp_path / "one")]) == 0
    one, two = tmp_path / "one", tmp_path / "two"
    assert (one / "model.safetensors").read_bytes() == (two / "model.safetensors").read_bytes()
    reports = [json.loads((folder / "report.json").read_text(encoding="utf-8"))["five_folds"] for folder in (one, two)]
    assert reports[0] == reports[1]
