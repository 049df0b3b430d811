import json

import pytest
import yaml

from kmi.coder import card

FIGURES = {"turns": 9, "accuracy": 0.8125, "macro_f1": 0.75, "ece": 0.031, "f1": {"Affirm": 0.5}}
REPORT = {
    "parameters": 1234567, "bytes": 5_200_000, "turns": 30000, "turns_per_second": 900, "hardware": "2 CPU cores", "seconds": 1800.0,
    "recipe": {"seed": 0, "epochs": 8},
    "tests": {"test_ko": {method: dict.fromkeys(card.ROLES, FIGURES) for method in card.METHODS}},
    "ceiling": {role: {"turns": 1200, "accuracy": 0.92, "macro_f1": 0.9} for role in card.ROLES},
}  # fmt: skip


def test_a_card_is_filled_from_its_report_alone():
    text = card.render(REPORT)
    front = yaml.safe_load(text.split("---\n", 2)[1])
    results = front["model-index"][0]["results"]
    assert [result["metrics"][0]["value"] for result in results] == [0.8125, 0.8125]
    assert "1,234,567" in text and "5.2 MB" in text and "30분" in text and "109" in text
    assert "$" not in text.replace("$$", "")


def test_the_table_holds_every_method_and_leaves_out_what_was_not_measured():
    rows = card.tables(REPORT).splitlines()
    assert len(rows) == 2 + 5 * 2  # four methods and the second coder, two speakers
    assert "(1,200) | 0.920 | 0.900 |" in rows[6]
    assert "AnnoMI" not in card.tables(REPORT)
    assert "| kmi-coder | 0.812 | 0.750 | 0.031 |" in rows[5]


def test_the_card_in_the_repository_is_current(repository):
    folder = repository / "model_cards" / "kmi-coder"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert (folder / "README.md").read_text(encoding="utf-8") == card.render(report)


def test_the_shipped_coder_is_better_than_the_plain_ones_and_small(repository):
    folder = repository / "model_cards" / "kmi-coder"
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    korean = report["tests"]["test_ko"]
    ours = korean["kmi-coder"]
    assert ours["therapist"]["accuracy"] >= 0.78 and ours["therapist"]["macro_f1"] >= 0.72 and ours["client"]["macro_f1"] >= 0.70
    for role in card.ROLES:
        assert ours[role]["ece"] <= 0.05
        for name in ("accuracy", "macro_f1"):
            assert ours[role][name] > korean["TF-IDF, words"][role][name] > korean["majority"][role][name]
    assert sum(path.stat().st_size for path in folder.iterdir()) == pytest.approx(report["bytes"], rel=0.02) and report["bytes"] < 40e6
