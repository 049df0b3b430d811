import json
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from kmi.errors import DataError
from kmi.forecaster import Forecaster, crossval, turns_of
from kmi.forecaster.training import COMPLETE, WORDLESS, Recipe, examples_from
from kmi.metrics.forecasting import score


@pytest.fixture(scope="module")
def examples(sessions, recipe):
    return examples_from(sessions, recipe)


def test_fold_file_holds_every_high_quality_session_once():
    folds = json.loads(crossval.FOLD_FILE.read_text(encoding="utf-8"))
    assert len(folds) == 110
    assert Counter(folds.values()) == {0: 23, 1: 25, 2: 25, 3: 16, 4: 21}


def test_session_without_fold_is_named(sessions):
    with pytest.raises(DataError, match="annomi-9999 has no fold"):
        crossval.fold_of(replace(sessions[0], id="annomi-9999"))


def test_fold_is_scored_from_its_reloaded_checkpoint(examples, sessions, recipe, tmp_path):
    folds = np.arange(20) % crossval.FOLDS
    turns = [turns_of(session.utterances) for session in sessions]
    result = crossval.run_fold(examples, turns, folds, 2, recipe, tmp_path / "fold", coded=examples.views[COMPLETE])
    is_held = folds[examples.sessions] == 2
    assert result.where.tolist() == np.flatnonzero(is_held).tolist()
    again = Forecaster.from_pretrained(tmp_path / "fold")
    held_out = examples.where(is_held)
    for view, name in ((COMPLETE, crossval.OURS), (COMPLETE, crossval.OURS_CODED), (WORDLESS, crossval.OURS_WORDLESS)):
        assert np.array_equal(again.probabilities_of_features(held_out.views[view]), result.probabilities[name])
    # The rule of these sessions depends on talk alone, which prior and bigram do not see.
    labels = held_out.labels
    accuracy = {name: score(rows, labels).accuracy for name, rows in result.probabilities.items()}
    assert accuracy[crossval.OURS] > 0.9 > accuracy["prior"]
    assert min(accuracy["GRU over the session"], accuracy["gradient boosting"]) > accuracy["prior"]
    assert tuple(result.probabilities) == crossval.METHODS


def test_gather_wants_each_example_once():
    def result(fold, where):
        return crossval.FoldResult(fold, np.array(where), {name: np.full((len(where), 8), fold) for name in crossval.METHODS})

    gathered = crossval.gather([result(1, [2, 0]), result(3, [1])], 3)
    assert gathered[crossval.OURS][:, 0].tolist() == [1, 3, 1]
    for results in ([result(1, [0, 1])], [result(1, [0, 1]), result(2, [1, 2])]):
        with pytest.raises(RuntimeError, match="of 3 examples"):
            crossval.gather(results, 3)


@pytest.mark.annomi
def test_a_fold_of_annomi_gives_the_figures_of_the_report(annomi, pytestconfig, tmp_path):
    """One fold retrained, saved and reloaded gives what `report.json` says of it, on any machine nearly so."""
    root = pytestconfig.rootpath
    recipe = Recipe.from_yaml(root / "scripts" / "recipes" / "forecaster.yaml")
    examples = examples_from(annomi, recipe)
    folds = np.array([crossval.fold_of(dialogue) for dialogue in annomi])
    result = crossval.run_fold(examples, [turns_of(dialogue.utterances) for dialogue in annomi], folds, 0, recipe, tmp_path)
    reported = json.loads((root / "model_cards/kmi-forecaster/report.json").read_text(encoding="utf-8"))["five_folds"]
    measured = asdict(score(result.probabilities[crossval.OURS], examples.labels[result.where]))
    assert len(examples.labels) == reported["forecasts"]
    # Another processor sums in another order; .01 is a third of the bootstrap's half-width.
    assert measured == pytest.approx(reported["by_fold"]["0"], abs=0.01, rel=0.01)


def test_without_a_coder_its_row_is_left_out(examples, sessions, recipe, tmp_path):
    folds = np.arange(20) % 2
    turns = [turns_of(session.utterances) for session in sessions]
    results = [crossval.run_fold(examples, turns, folds, fold, recipe, tmp_path / str(fold)) for fold in (0, 1)]
    report = crossval.five_fold_report(results, examples.labels, examples.sessions)
    assert crossval.OURS_CODED not in report["overall"] and crossval.OURS in report["overall"]
    low, high = report["intervals"]["recall_at_3"]
    assert low <= report["overall"][crossval.OURS]["recall_at_3"] <= high
    assert crossval.OURS_CODED not in crossval.figures_table(report["overall"])
