"""Every folder of evaluate_metrics/: it loads offline from anywhere, its card's example runs, its figures are those of kmi.metrics."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from kmi.errors import DataError

ROOT = Path(__file__).parents[2] / "evaluate_metrics"
NAMES = sorted(path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("_"))
EXPECTED = ["change_talk", "mi_agreement", "mi_fidelity", "mi_forecasting", "mi_ratings", "mi_sequences"]
OF_DIALOGUES = ["change_talk", "mi_fidelity", "mi_sequences"]
TURNS = [{"role": "therapist", "label": "Open Question"}, {"role": "client", "talk": "change"}, {"role": "therapist", "label": "Complex Reflection"}]


def card(name):
    return (ROOT / name / "README.md").read_text(encoding="utf-8")


def block(name):
    found = re.findall(r"```python\n(.*?)```", card(name), re.DOTALL)
    assert len(found) == 1, "a card has one example, and this test runs it"
    return found[0]


@pytest.fixture(scope="module")
def load():
    evaluate = pytest.importorskip("evaluate")
    return lambda name: evaluate.load(str(ROOT / name))


def test_all_six_are_here():
    assert NAMES == EXPECTED


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_holds_what_the_hub_needs(name):
    assert {path.name for path in (ROOT / name).iterdir() if not path.name.startswith("_")} == {"README.md", "app.py", f"{name}.py", "requirements.txt"}
    for part in ("title:", "sdk: gradio", "app_file: app.py", "- evaluate", "- metric", "## 한계", "Citation"):
        assert part in card(name), part


def test_cards_name_one_sdk_version_and_it_is_the_installed_one():
    import gradio

    versions = {re.search(r"^sdk_version: (.*)$", card(name), re.MULTILINE)[1] for name in NAMES}
    assert versions == {gradio.__version__}


@pytest.mark.parametrize("name", NAMES)
def test_the_cards_example_runs_and_prints_what_it_says(name):
    code = block(name)
    said = [re.sub(r",? rows are.*$", "", text).strip() for text in re.findall(r"print\(.*\)  # (.*)$", code, re.MULTILINE)]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-1500:]
    assert done.stdout.splitlines()[-len(said) :] == said and said


@pytest.mark.parametrize("name", NAMES)
def test_modules_are_thin_and_take_named_arguments_only(name):
    source = (ROOT / name / f"{name}.py").read_text(encoding="utf-8")
    assert len(source.splitlines()) < 80
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert node.args.kwarg is None and node.args.vararg is None, f"{node.name} hides its arguments"


@pytest.mark.parametrize("name", OF_DIALOGUES)
def test_compute_add_batch_and_add_give_the_same(load, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metric = load(name)
    whole = metric.compute(dialogues=[TURNS, TURNS], resamples=0)
    metric.add_batch(dialogues=[TURNS])
    metric.add(dialogues=TURNS)
    assert metric.compute(resamples=0) == whole


class EveryOpen:
    """Codes therapists as Open Question and clients as change."""

    def code_turns(self, turns):
        from kmi.coder import CodedTurn

        return [CodedTurn(role, "Open Question" if role == "therapist" else "change", 1.0, {}) for role, _ in turns]


def test_a_coder_fills_in_what_has_no_code(load, monkeypatch):
    from kmi.coder import Coder

    monkeypatch.setattr(Coder, "from_pretrained", classmethod(lambda cls, name: EveryOpen()))
    bare = [{"role": "therapist", "text": "네?"}, {"role": "client", "text": "음.", "talk": "sustain"}, {"role": "client", "text": "음."}]
    assert load("mi_fidelity").compute(dialogues=[bare], coder="kmi-coder", resamples=0)["counts"]["Open Question"] == 1
    assert load("change_talk").compute(dialogues=[bare], coder="kmi-coder", resamples=0)["counts"] == {"change": 1, "sustain": 1, "neutral": 0}
    def empty(self, turns):
        raise DataError("turn 1 (client): the text is empty; there is nothing to code.")

    monkeypatch.setattr(EveryOpen, "code_turns", empty)
    with pytest.raises(ValueError, match=r"dialogue '0', turn 1 \(client\): the text is empty"):
        load("mi_fidelity").compute(dialogues=[bare], coder="kmi-coder")
    with pytest.raises(ValueError, match="A coder gives KMI labels"):
        load("mi_fidelity").compute(dialogues=[bare], coder="kmi-coder", scheme="misc")


def test_plain_reports_hold_no_objects():
    from kmi.metrics.module import plain
    from kmi.metrics.scores import Score

    assert plain({"a": {"b": Score(1.0)}, "c": "d"}) == {"a": {"b": {"value": 1.0, "low": None, "high": None}}, "c": "d"}


def test_combine_merges(load):
    import evaluate

    both = evaluate.combine([load("mi_fidelity"), load("change_talk")])
    both.add_batch(dialogues=[TURNS])
    found = both.compute()
    assert found["reflection_to_question"]["value"] == 1.0 and found["change_share"]["value"] == 1.0


def test_bands_stand_beside_the_figures(load):
    found = load("mi_fidelity").compute(dialogues=[TURNS], bands=True, resamples=0)
    assert round(found["bands"]["annomi_high"]["reflection_to_question"], 2) == 1.02
    assert "change_share" not in found["bands"]["annomi_high"]


@pytest.mark.parametrize("name", OF_DIALOGUES)
def test_nothing_at_all_is_undefined_never_a_crash(load, name):
    found = load(name).compute(dialogues=[])
    assert any(isinstance(value, dict) and value.get("value", 1) is None and value["reason"] for value in [*found.values(), *found.get("base", {}).values()])


def test_bad_input_is_named_and_leaves_the_metric_usable(load):
    metric = load("mi_fidelity")
    with pytest.raises(ValueError, match="dialogue '0', turn 0: label 'Praise' is no code of 'kmi'"):
        metric.compute(dialogues=[[{"role": "therapist", "label": "Praise"}]])
    assert metric.compute(dialogues=[TURNS], resamples=0)["dialogues"] == 1


def test_forecasts_are_checked(load):
    metric = load("mi_forecasting")
    with pytest.raises(ValueError, match="forecast 0: expected 8 probabilities of 0-1 that sum to 1"):
        metric.compute(predictions=[{"Affirm": 0.5}], references=["Affirm"], dialogues=["a"])
    with pytest.raises(ValueError, match="label 'Praise' is unknown"):
        metric.compute(predictions=[[1, 0, 0, 0, 0, 0, 0, 0]], references=["Praise"], dialogues=["a"])


@pytest.mark.parametrize("name", NAMES)
def test_the_demonstration_page_answers(name):
    pytest.importorskip("gradio")
    from kmi.metrics.demo import EXAMPLES, LINES, demo, inputs

    assert demo(name).title == name
    metric = pytest.importorskip("evaluate").load(str(ROOT / name))
    assert metric.compute(**inputs(name, EXAMPLES.get(name, LINES)))


@pytest.mark.annomi
def test_cards_and_bands_hold_the_measured_sensitivity(annomi_folder):
    from kmi.corpus.annomi import load_annomi
    from kmi.metrics import bands
    from kmi.metrics.sensitivity import MODULES, effects, table

    high, low = load_annomi(annomi_folder, "high"), load_annomi(annomi_folder, "low")
    found = effects(high, low)
    for module in MODULES:
        assert table(found, module) in card(module), f"{module}: run scripts/measure_sensitivity.py --write"
    assert Path(bands.__file__).with_name("bands.toml").read_text(encoding="utf-8") == bands.bands_toml({"annomi_high": high, "annomi_low": low})
    assert found["reflection_to_question"].separates and not found["open_share"].separates
