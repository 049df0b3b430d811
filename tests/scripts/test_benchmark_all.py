"""The table of all benchmarks measures what it says beside its alternatives; no time is asserted."""

import json
import subprocess

import pytest

from kmi.errors import ConfigError

MODELS = {"forecast_ms": 2.0, "t5_base_ms": 3000.0}
WAYS = {"ways": {"turn": {"sessions_per_hour": 7200, "sessions": 64}, "reference": {"sessions_per_hour": 36, "sessions": 2}}}


@pytest.fixture(scope="module")
def benchmark(load_script):
    """The script with few repeats; the other scripts, which have tests of their own, answer at once."""
    module = load_script("benchmark_all")
    module.REPEATS = module.REPLIES = 1
    module.DIALOGUES, module.TURNS = 2, 2
    module.SIZES = {"num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 16}
    module.script = lambda command: MODELS if command == module.MODELS else WAYS
    return module


def test_one_table_and_its_figures(benchmark, tmp_path, capsys, fresh_cache):
    assert benchmark.main(["--json", str(tmp_path / "new" / "b.json")]) == 0
    figures = json.loads((tmp_path / "new" / "b.json").read_text(encoding="utf-8"))
    assert list(dict.fromkeys(row["part"] for row in figures["rows"])) == ["loading", "building", "forecasting", "coding", "metrics", "chat", "generation"]
    for row in figures["rows"]:
        assert row["seconds"] > 0 and row["alternative"] and row["ratio"] == row["alternative_seconds"] / row["seconds"]
    of_part = {row["part"]: row for row in figures["rows"]}
    assert of_part["forecasting"]["ratio"] == 1500  # 3000 / 2
    assert (of_part["generation"]["seconds"], of_part["generation"]["ratio"]) == (0.5, 200)  # 3600 / 7200; 7200 / 36
    assert figures["machine"]["cores"] >= 1 and figures["machine"]["cpu"]
    lines = capsys.readouterr().out.strip().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(figures["rows"]) and {line.count("|") for line in table} == {7}
    assert "| 0.5 s |" not in table[-1] and "| 500 ms |" in table[-1]
    assert f"{figures['machine']['cores']} cores" in lines[-1] and "load average" in lines[-1]


def test_the_other_scripts_print_what_is_read_here(load_script, monkeypatch):
    """Their own sources say so; running them takes minutes."""
    module = load_script("benchmark_all")
    for command, names in ((module.MODELS, MODELS), (module.GENERATION, WAYS["ways"]["turn"])):
        source = (module.SCRIPTS / command[0]).read_text(encoding="utf-8")
        assert [name for name in names if f'"{name}"' not in source] == []


def test_a_script_that_fails_is_named(load_script, monkeypatch):
    module = load_script("benchmark_all")
    monkeypatch.setattr(module.subprocess, "run", lambda *args, **options: subprocess.CompletedProcess(args, 1, ""))
    with pytest.raises(ConfigError, match=r"benchmark_generation.py failed with exit code 1. Run it alone: python scripts/benchmark_generation.py --json"):
        module.script(module.GENERATION)
