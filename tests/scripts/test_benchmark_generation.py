"""The benchmark of generation in a small form: what it counts is asserted, no time is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

# One small run for all tests, which still starts four processes.
pytestmark = pytest.mark.timeout(300)
SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark_generation.py"


@pytest.fixture(scope="module")
def module(load_script):
    return load_script("benchmark_generation")


@pytest.fixture(scope="module")
def found():
    command = [sys.executable, SCRIPT, "--sessions", "2", "--reference-sessions", "1", "--faster", "100", "--json"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_session_is_finished_and_counted(found):
    ways = found["ways"]
    assert {way: (row["sessions"], row["finished"]) for way, row in ways.items()} == {"turn": (2, 2), "plan": (2, 2), "reference": (1, 1)}
    assert all(row["seconds"] > 0 and row["cpu_seconds"] > 0 and row["seconds_to_ideal"] >= 1 for row in ways.values())


def test_a_plan_is_one_request_and_the_reference_asks_twice_a_turn(found):
    ways = found["ways"]
    assert 17 <= ways["turn"]["requests"] <= 35 and 1 <= ways["plan"]["requests"] < 2
    assert ways["reference"]["requests"] >= 34 and ways["reference"]["requests"] % 1 == 0
    # One prompt for a session instead of one for each turn, that grow with the session.
    assert ways["plan"]["prompt_tokens"] < ways["turn"]["prompt_tokens"] / 4
    assert found["turn_to_reference"] == ways["turn"]["sessions_per_hour"] / ways["reference"]["sessions_per_hour"]


def test_two_processes_share_the_sessions(found):
    assert found["processes"] == {"shares": [1, 1], "in_both": 0, "answered_twice": 0}


def test_the_local_writer_is_measured_in_both_ways(found):
    local = found["local"]
    assert local["ratio"] == local["batched_per_second"] / local["alone_per_second"] > 0


def test_the_table_shows_all_of_it(found, module):
    shown = module.table(found)
    for words in ("turn ", "plan ", "reference ", "times the reference's sessions per hour", "local writer, 32 sessions", "1 and 1 sessions, 0 in both, 0 answered twice"):
        assert words in shown


def test_equal_prompts_have_equal_answers_in_either_language_order(module):
    answer = module.CorpusAnswers()
    messages = [{"role": "user", "content": "글\n형식: T OQ | 한국어 | English"}]
    both, korean = (answer({"model": model, "messages": messages}) for model in (module.BOTH, module.KOREAN))
    english = answer({"model": module.TRANSLATOR, "messages": [{"role": "user", "content": korean.partition("| ")[2]}]})
    assert both == f"{korean} | {english}" == answer({"model": module.BOTH, "messages": messages})
