import json

import pytest

from kmi.corpus.load import shipped_dialogues
from kmi.errors import ConfigError
from kmi.metrics.blind import read_rows
from kmi.metrics.rubric import ITEMS


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    dialogues = [d for _, d in zip(range(6), shipped_dialogues("test"), strict=False)]
    for name, its in {"written": dialogues[:3], "other": dialogues[3:]}.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(d.to_dict(), ensure_ascii=False) + "\n" for d in its), encoding="utf-8")
    return [part for name in ("written", "other") for part in ("--source", f"{name}={folder / name}.jsonl")]


def answer(folder, score):
    """Fills in every waiting packet, as a model would."""
    packets = sorted((folder / "batch/packets").glob("*.txt"))
    for packet in packets:
        (folder / "batch/answers" / packet.name).write_text(json.dumps(dict.fromkeys(ITEMS, score(packet.read_text(encoding="utf-8")))), encoding="utf-8")
    return packets


def test_two_raters_by_correspondence(load_script, files, tmp_path, capsys):
    rate = load_script("read_blind")
    assert rate.main(["sessions", *files, "--reader", "one", "--out", str(tmp_path)]) == 0
    assert "Requests for one wait" in capsys.readouterr().out
    packets = answer(tmp_path, lambda text: 1 + len(text) % 5)
    assert len(packets) == 6 and not any(word in packet.read_text(encoding="utf-8") for packet in packets for word in ("written", "other", "kmi-"))
    assert rate.main(["sessions", *files, "--reader", "one", "--out", str(tmp_path)]) == 0
    rate.main(["sessions", *files, "--reader", "two", "--out", str(tmp_path)])
    answer(tmp_path, lambda text: 1 + (len(text) + 1) % 5)
    rate.main(["sessions", *files, "--reader", "two", "--out", str(tmp_path)])
    assert "| other (3) | written (3) | alpha, all | alpha, other | alpha, written | ICC, all |" in capsys.readouterr().out
    rows = read_rows(tmp_path / "ratings.csv")
    assert len(rows) == 2 * 6 * len(ITEMS) and {row.kind for row in rows} == {"model"}
    assert json.loads((tmp_path / "ratings.json").read_text(encoding="utf-8"))["raters"] == ["one", "two"]


def test_a_source_needs_name_and_file(load_script, tmp_path):
    with pytest.raises(ConfigError, match="NAME=FILE, got 'here.jsonl'"):
        load_script("read_blind").main(["sessions", "--source", "here.jsonl", "--reader", "r", "--out", str(tmp_path)])


def test_pairs_are_read_blind_and_name_the_default(load_script, tmp_path, capsys):
    pairs = [{"id": f"d/{n}", "label": "Affirm", "said": ["내담자: 끊고 싶어요."], "answers": ["그러시군요.", "담배요?"], "key": ["chatbot", "retrieval"][:: 1 - 2 * (n % 2)]} for n in range(4)]
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs), encoding="utf-8")
    command = ["answers", "--pairs", str(file), "--reader", "one", "--out", str(tmp_path)]
    read = load_script("read_blind")
    assert read.main(command) == 0 and "Requests for one wait" in capsys.readouterr().out
    packets = sorted((tmp_path / "batch/packets").glob("*.txt"))
    assert len(packets) == 4 and not any("retrieval" in packet.read_text(encoding="utf-8") for packet in packets)
    for packet in packets:
        (tmp_path / "batch/answers" / packet.name).write_text('{"A": {"fluency": 5, "relevance": 4}, "B": {"fluency": 3, "relevance": 2}}', encoding="utf-8")
    assert read.main(command) == 0
    assert "| chatbot | 4.00 (3.00-5.00) |" in capsys.readouterr().out
    found = json.loads((tmp_path / "readings.json").read_text(encoding="utf-8"))
    assert found["default"] == "chatbot" and (found["readers"], found["pairs"]) == (1, 4)
