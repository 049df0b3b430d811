import json

from kmi.dialogue_model import report


def test_a_report_holds_the_beside_files_and_every_writer(tiny_model, sessions, monkeypatch, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_model, tmp_path / "model")
    (folder / "training.json").write_text(json.dumps({"parameters": 1}), encoding="utf-8")
    monkeypatch.setattr(report, "_language_model", lambda folder, validation: {"perplexity_per_character": 2.0})
    monkeypatch.setattr(report, "answer", lambda writer, where, on_answer: ([f"{writer.name} {i}" for i in range(len(where))], 0.1))
    found, texts, where = report.measure(folder, sessions[:2], sessions[:1])
    assert found["training"] == {"parameters": 1} and "readings" not in found and found["perplexity_per_character"] == 2.0
    assert set(found["writers"]) == {"retrieval", "chatbot", "chatbot, one draft", "written"}
    assert len(texts["chatbot"]) == len(where) == found["writers"]["written"]["turns"]
    assert found["writers"]["written"]["copied"] == 1.0  # these are training sessions
    assert len(found["examples"]) == report.EXAMPLES and found["examples"][0]["chatbot"].startswith("chatbot ")
