import json

import yaml

from kmi.dialogue_model import card

ROW = {"turns": 1100, "unanswered": 0.01, "agreement": 0.9125, "copied": 0.05, "distinct_2": 0.8, "characters": 41.2, "seconds": 0.61}
REPORT = {
    "training": {"parameters": 9958400, "bytes": 41_000_000, "recipe": {"seed": 0, "epochs": 8}, "hardware": "2 CPU cores (x86_64)", "seconds": 1000.0, "steps": 1200, "steps_timed": 400},
    "drafts": 8,
    "writers": dict.fromkeys(("retrieval", "chatbot", "chatbot, one draft", "written"), ROW),
    "perplexity_per_character": 4.5,
    "trigram_perplexity_per_character": 6.5,
    "seconds_to_first_token": 0.1,
    "seconds_for_40_tokens": 0.9,
    "examples": [{"said": "담배|술", "label": "Affirm", "chatbot": "가", "retrieval": "나", "copied": False}],
}  # fmt: skip


def test_a_card_is_filled_from_its_report_alone_and_warns_first():
    text = card.render(REPORT)
    head, front, body = text.split("---\n", 2)
    results = yaml.safe_load(front)["model-index"][0]["results"]
    assert head == "" and results[0]["metrics"][0]["value"] == 0.9125 and results[1]["metrics"][0]["value"] == 4.5
    first = body.strip().splitlines()[0]
    assert "위기 가드가 없습니다" in first and "no crisis guard" in first and "109" in first
    assert "ChatSession(make_writer" in body and "9,958,400" in body and "50분" in body and "담배/술" in body
    assert "Not yet read blind" in body and "$" not in body


def test_readings_name_the_default():
    means = {
        name: {"fluency": fluency, "relevance": relevance, "fluency_interval": [fluency - 0.2, fluency + 0.2], "relevance_interval": [1.9, 2.75]}
        for name, fluency, relevance in (("chatbot", 3.0, 2.0), ("retrieval", 5.5, 2.5))
    }
    text = card.render({**REPORT, "readings": {"readers": 2, "pairs": 60, "means": means, "default": "retrieval", "worst": [{"said": "술|담배", "label": "Affirm", "answer": "네|", "fluency": 1.5, "relevance": 0}]}})
    assert "| chatbot | 3.00 (2.80-3.20) | 2.00 (1.90-2.75) |" in text and "**retrieval**" in text
    assert "| 술/담배 | Affirm | 네/ | 1.5 | 0.0 |" in text


def test_sessions_rated_blind_are_told_as_a_model_s():
    score = {"value": 2.5, "low": 2.25, "high": 2.75}
    figures = {"miti.empathy": {"mean": score, "alpha": {"value": 0.7, "low": None, "high": None}, "icc": score, "dialogues": 2, "raters": 3}}
    found = {"kind": "model", "raters": ["a", "b", "c"], "sessions": {"chatbot": 60, "written": 60}, "figures": dict.fromkeys(("all", "chatbot", "written"), figures)}
    text = card.render({**REPORT, "ratings": found})
    assert "by 3 language models, not people" in text and "| 2.50 (2.25-2.75) | 2.50 (2.25-2.75) | 0.70 |" in text


def test_the_table_has_a_row_for_each_writer():
    assert len(card.tables(REPORT).splitlines()) == 2 + 4


def test_the_card_in_the_repository_is_current(repository):
    folder = repository / "model_cards" / "kmi-chatbot"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (folder / "README.md").read_text(encoding="utf-8") == card.render(report)
    assert {path.suffix for path in folder.iterdir()} <= {".json", ".md", ".safetensors", ".jinja", ".csv", ".jsonl"}
    assert sum(path.stat().st_size for path in folder.iterdir()) < 80e6


def test_the_shipped_chatbot_obeys_its_label_copies_little_and_is_quick(repository):
    report = json.loads((repository / "model_cards/kmi-chatbot/report.json").read_text(encoding="utf-8"))
    one, best = report["writers"]["chatbot, one draft"], report["writers"]["chatbot"]
    assert one["turns"] == 500 and best["agreement"] >= 0.8 and best["copied"] <= 0.25
    assert report["perplexity_per_character"] < report["trigram_perplexity_per_character"]
