import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "evaluate_dialogues.py"
SESSION = """\
#{"id": "a"}
T OQ | 무엇이 걸리세요?
C change/need | 끊어야 해요.
T CR | 더는 미룰 수 없으시고요.
"""


def evaluate(*args):
    return subprocess.run([sys.executable, SCRIPT, *args], capture_output=True, text=True, encoding="utf-8")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "session.txt"
    path.write_text(SESSION, encoding="utf-8")
    return path


def test_the_table_holds_counts_and_ratios(file):
    done = evaluate(file)
    assert done.returncode == 0
    assert done.stdout.startswith("1 sessions, 3 utterances (2 therapist, 1 client)")
    lines = {line[:40].strip(): line[40:].split() for line in done.stdout.splitlines()}
    assert lines["Open Question"] == ["1", "0.500"]
    assert lines["reflections : questions"] == ["1.00"]
    assert lines["change talk, share of client turns"] == ["1.00"]


def test_json_holds_the_report(file):
    report = json.loads(evaluate(file, "--json").stdout)
    assert report["counts"]["labels"]["Complex Reflection"] == 1
    assert report["open_share"] == 1.0


def test_bad_input_is_one_line_and_exit_2(tmp_path):
    done = evaluate(tmp_path / "absent.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected a file or folder at")
    assert done.stderr.count("\n") == 1


def test_help_explains_itself():
    assert "--json" in evaluate("--help").stdout
