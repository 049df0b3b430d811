import json
from itertools import islice
from pathlib import Path

import pytest

from kmi.corpus.load import shipped_dialogues
from kmi.space import analyse

TEXT = "상담자: 요즘 술은 어떠세요?\n내담자: 줄이려고 해요.\n상담자: 줄이고 싶으시군요.\n내담자: 네, 줄여야 해요."


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(analyse, "RESAMPLES", 20)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "kmi.jsonl"
    path.write_text("".join(json.dumps(d.to_dict(), ensure_ascii=False) + "\n" for d in islice(shipped_dialogues("test"), 3)), encoding="utf-8")
    return str(path)


def test_pasted_text_is_coded_and_reported(engine):
    told, *plots, figures, save = analyse.measure(engine, None, TEXT, "ko")
    assert "발화 4개" in told and "4개는 kmi-coder" in told
    assert all(plot["visible"] for plot in plots) and "R:Q" in figures
    report = json.loads(Path(save["value"]).read_text(encoding="utf-8"))
    assert {"fidelity", "change_talk", "sequences", "bands"} <= set(report)


def test_a_file_with_codes_is_not_coded_again(engine, file):
    assert "kmi-coder" not in analyse.measure(engine, file, "", "ko")[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [("binary.bin", bytes(range(256)) * 50), ("zip.zip", b"PK\x03\x04" + b"\x00" * 200), ("empty.txt", b""), ("bad.json", b'{"dialogue": 3}'), ("bad.jsonl", b'{"a": '), ("no.csv", b"a,b\n1,2\n")],
)
def test_what_is_no_transcript_gets_a_plain_message_without_a_path(engine, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    told, *plots, figures, save = analyse.measure(engine, str(path), "", "ko")
    assert 'role="alert"' in told and str(tmp_path) not in told and figures == ""
    assert not any(update["visible"] for update in (*plots, save))


def test_nothing_given_is_told(engine):
    assert "올리거나" in analyse.measure(engine, None, "  ", "ko")[0]


def test_script_in_a_transcript_is_text(engine):
    told, *_, figures, _ = analyse.measure(engine, None, "상담자: <script>alert(1)</script>\n내담자: 네", "ko")
    assert "<script" not in told + figures
