import json
import shutil

import pytest


@pytest.fixture(scope="module")
def evaluate_models(load_script):
    return load_script("evaluate_models")


def test_a_trial_prints_the_table_writes_pairs_and_leaves_the_card(evaluate_models, repository, tmp_path, capsys):
    shipped = repository / "model_cards/kmi-chatbot"
    folder = shutil.copytree(shipped, tmp_path / "model")
    before = (folder / "report.json").read_bytes()
    pairs = tmp_path / "out/pairs.jsonl"
    assert evaluate_models.main(["--only", "chatbot", "--chatbot", str(folder), "--dialogues", "1", "--pairs", str(pairs)]) == 0
    table = capsys.readouterr().out
    assert all(f"| {name} |" in table for name in ("retrieval", "chatbot", "chatbot, one draft", "written"))
    rows = [json.loads(line) for line in pairs.read_text(encoding="utf-8").splitlines()]
    assert rows and all(sorted(row["key"]) == ["chatbot", "retrieval"] and all(row["answers"]) for row in rows)
    assert (folder / "report.json").read_bytes() == before


def test_every_model_is_measured_in_order(evaluate_models, monkeypatch, capsys):
    monkeypatch.setattr(evaluate_models, "MEASURE", {name: lambda options, name=name: f"| {name} |" for name in evaluate_models.MODELS})
    assert evaluate_models.main([]) == 0
    out = capsys.readouterr().out
    assert out.index("## kmi-forecaster") < out.index("## kmi-coder") < out.index("| chatbot |")
    assert evaluate_models.main(["--only", "coder"]) == 0 and "forecaster" not in capsys.readouterr().out
