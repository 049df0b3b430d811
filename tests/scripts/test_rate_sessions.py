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
    rate = load_script("rate_sessions")
    assert rate.main([*files, "--rater", "one", "--out", str(tmp_path)]) == 0
    assert "6 sessions wait for one's answers" in capsys.readouterr().out
    packets = answer(tmp_path, lambda text: 1 + len(text) % 5)
    assert len(packets) == 6 and not any(word in packet.read_text(encoding="utf-8") for packet in packets for word in ("written", "other", "kmi-"))
    assert rate.main([*files, "--rater", "one", "--out", str(tmp_path)]) == 0
    rate.main([*files, "--rater", "two", "--out", str(tmp_path)])
    answer(tmp_path, lambda text: 1 + (len(text) + 1) % 5)
    rate.main([*files, "--rater", "two", "--out", str(tmp_path)])
    assert "| other (3) | written (3) | alpha | ICC |" in capsys.readouterr().out
    rows = read_rows(tmp_path / "ratings.csv")
    assert len(rows) == 2 * 6 * len(ITEMS) and {row.kind for row in rows} == {"model"}
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["raters"] == ["one", "two"]


def test_a_source_needs_name_and_file(load_script, tmp_path):
    with pytest.raises(ConfigError, match="NAME=FILE, got 'here.jsonl'"):
        load_script("rate_sessions").main(["--source", "here.jsonl", "--rater", "r", "--out", str(tmp_path)])
