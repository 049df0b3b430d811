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


def test_the_table_holds_counts_ratios_and_bands(file):
    done = evaluate(file, "--resamples", "0")
    assert done.returncode == 0
    assert done.stdout.startswith("1 sessions, 2 therapist turns, 1 client turns")
    lines = {line[:48].strip(): line[48:].split() for line in reversed(done.stdout.splitlines())}  # the first of a name counts
    assert lines["Open Question"] == ["1", "0.500"]
    assert lines["reflection_to_question"] == ["1.00", "1.02", "0.22", "1.27"]  # then AnnoMI high and low, the reference
    assert lines["change_share"][0] == "1.00"
    assert "cannot be told" in done.stdout and "MITI 4.2.1 reflection_to_question: fair" in done.stdout


def test_json_holds_the_report(file):
    report = json.loads(evaluate(file, "--json").stdout)
    assert report["fidelity"]["counts"]["Complex Reflection"] == 1
    assert report["fidelity"]["open_share"]["value"] == 1.0
    assert report["change_talk"]["kinds"]["need"]["value"] == 1.0


def test_html_is_one_page_that_shows_a_file_name_as_text(tmp_path):
    named = tmp_path / "<b>a.txt"
    named.write_text(SESSION, encoding="utf-8")
    assert evaluate(named, "--html", tmp_path / "report.html").returncode == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;a.txt" in page and "<b>a" not in page
    assert "복합 반영" in page and "1.00" in page
    assert "http" not in page and "<script" not in page


def test_bad_input_is_one_line_and_exit_2(tmp_path):
    done = evaluate(tmp_path / "absent.jsonl")
    assert done.returncode == 2
    assert done.stderr.startswith("error: Expected a file or folder at")
    assert done.stderr.count("\n") == 1


def test_help_explains_itself():
    assert "--json" in evaluate("--help").stdout
