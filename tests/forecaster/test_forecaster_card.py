import json

import pytest

from kmi.forecaster import Forecaster, card
from kmi.forecaster.ablation import HIDDEN
from kmi.forecaster.crossval import METHODS, OURS


@pytest.fixture(scope="module")
def folder(pytestconfig):
    return pytestconfig.rootpath / "model_cards" / "kmi-forecaster"


@pytest.fixture(scope="module")
def report(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_card_says_what_the_report_says(folder, report):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text == card.render(report)
    assert "$" not in text


def test_plot_is_of_the_report(folder, report):
    from PIL import Image

    with Image.open(folder / card.PLOT) as image:
        assert json.loads(image.info["Description"]) == card.reliability(report)


def test_report_is_of_the_shipped_weights(folder, report):
    assert report["revision"] == Forecaster.from_pretrained(folder).revision
    assert report["bytes"] == (folder / "model.safetensors").stat().st_size < 5e6


def test_figures_reach_the_aim_and_beat_the_simple_baselines(report):
    overall = report["five_folds"]["overall"]
    assert tuple(overall) == METHODS  # with the row of codes read from the words
    ours = overall[OURS]
    assert ours["recall_at_3"] >= 0.715
    assert ours["macro_f1"] >= 0.23
    assert ours["perplexity"] <= 5.35
    assert ours["ece"] <= 0.03
    assert report["five_folds"]["without_general"][OURS]["recall_at_3"] >= 0.75
    korean = report["korean"]["overall"]
    assert korean["forecaster"]["recall_at_3"] >= korean["previous-label bigram"]["recall_at_3"] + 0.04
    for baseline in ("prior", "previous-label bigram"):
        assert ours["recall_at_3"] > overall[baseline]["recall_at_3"] + 0.04


def test_the_ablation_hides_every_group(report):
    assert tuple(report["ablation"]) == tuple(HIDDEN)
    assert report["ablation"]["therapist labels"]["recall_at_3"] < report["ablation"]["nothing"]["recall_at_3"]
