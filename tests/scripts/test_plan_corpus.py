"""Planning the corpus and checking what was written from the plan."""

import json

import pytest

from kmi.clients.lives import draw_lives
from kmi.errors import ConfigError


@pytest.fixture
def plan_corpus(load_script, monkeypatch):
    module = load_script("plan_corpus")
    monkeypatch.setattr(module, "draw_lives", lambda seed: draw_lives(seed, ["가족"])[:6])
    return module


def test_packets_are_written_once_and_kept(plan_corpus, fixed_forecaster, tmp_path, capsys):
    plan_corpus.plan(tmp_path, 2026, fixed_forecaster())
    files = sorted(tmp_path.rglob("*.jsonl"))
    assert [file.relative_to(tmp_path).as_posix() for file in files] == ["family/batch-001.packets.jsonl", "family/batch-002.packets.jsonl"]
    records = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(records) == 6
    for record in records:
        assert record["split"] in {"train", "validation", "test"} and record["provenance"]["mode"] == "plan"
        assert [turn["role"] for turn in record["turns"]][::2] == ["therapist"] * len(record["turns"][::2])
        assert all(len(turn["forecast"]) == 3 and turn["reason"] for turn in record["turns"] if turn["role"] == "therapist")
    files[0].write_text("kept\n", encoding="utf-8")
    files[1].unlink()
    plan_corpus.plan(tmp_path, 2026, fixed_forecaster())
    assert files[0].read_text(encoding="utf-8") == "kept\n" and files[1].exists()
    assert "1 batches planned, 1 kept" in capsys.readouterr().out


def test_the_prompts_of_a_batch_are_shown(plan_corpus, fixed_forecaster, tmp_path, capsys):
    plan_corpus.plan(tmp_path, 2026, fixed_forecaster())
    assert plan_corpus.main(["--out", str(tmp_path), "--show", "family/batch-001"]) == 0
    shown = capsys.readouterr().out
    assert all(f'"packet": "kmi-family-{n:03d}"' in shown for n in range(1, 5)) and "이 회기의 연출" in shown
    with pytest.raises(ConfigError, match="batch-009"):
        plan_corpus.main(["--out", str(tmp_path), "--show", "family/batch-009"])


TEXT = """#{"id": "a", "arc": "flat", "ending": "none", "split": "train"}
CTX 글
== engaging
T OQ | 어떤 이야기부터 하실까요? | Where shall we start?
C neutral | 글쎄요. | Well.
T SR | 글쎄다 싶구나. | You are not sure.
"""


def test_findings_name_file_and_line(load_script, tmp_path, capsys):
    check_source = load_script("check_source")
    path = tmp_path / "family" / "one.txt"
    path.parent.mkdir()
    path.write_text(TEXT, encoding="utf-8")
    assert check_source.main([str(path)]) == 1
    out = capsys.readouterr().out
    assert f"{path}, line 6: speech_level" in out and "utterances" in out and "1 file(s), 1 dialogue(s)" in out


def test_a_text_that_cannot_be_read_is_one_finding(load_script, tmp_path, capsys):
    check_source = load_script("check_source")
    path = tmp_path / "family" / "one.txt"
    path.parent.mkdir()
    path.write_text(TEXT.replace("T SR |", "T XX |"), encoding="utf-8")
    assert check_source.main([str(path)]) == 1
    assert f"{path}, line 6" in capsys.readouterr().out
    with pytest.raises(ConfigError):
        check_source.main([str(tmp_path / "empty")]) if (tmp_path / "empty").mkdir() is None else None
