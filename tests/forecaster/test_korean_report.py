"""Figures on Korean sessions."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import Forecast
from kmi.forecaster import Forecaster
from kmi.forecaster.korean import METHODS, OURS, korean_report, misses, planned_recall
from kmi.forecaster.training import COMPLETE, examples_from
from kmi.metrics.forecasting import score


@pytest.fixture(scope="module")
def parts():
    return [list(islice(shipped_dialogues(split), 12)) for split in ("train", "test")]


def test_all_methods_are_scored_and_ours_is_the_checkpoint_s(parts, recipe):
    train, test = (examples_from(dialogues, recipe) for dialogues in parts)
    forecaster = Forecaster.from_pretrained()
    report = korean_report(forecaster, train, test, parts[1])
    assert tuple(report["overall"]) == tuple(report["without_general"]) == METHODS
    ours = score(forecaster.probabilities_of_features(test.views[COMPLETE]), test.labels)
    assert report["overall"][OURS]["recall_at_3"] == ours.recall_at_3
    assert report["forecasts"] == len(test.labels) and 0 < report["planned_recall_at_3"] < 1


def test_misses_are_the_least_expected_one_from_a_dialogue(parts):
    dialogues = parts[1][:3]
    turns = [(d, t) for d in dialogues for t in d.utterances[1:] if t.role == "therapist" and t.label]
    labels = np.array([THERAPIST_LABELS.index(t.label) for _, t in turns])
    probabilities = np.full((len(labels), 8), 0.1)
    for place, given in {2: 0.01, 3: 0.02, len(labels) - 1: 0.05}.items():
        probabilities[place, labels[place]] = given
    found = misses(probabilities, dialogues, labels)
    assert [row["probability"] for row in found] == [0.01, 0.05, 0.1]  # the second of the first dialogue is left out
    assert (found[0]["dialogue"], found[0]["said"]) == (turns[2][0].id, turns[2][1].text) and found[0]["label"] not in found[0]["forecast"]


def test_planned_recall_by_hand(parts):
    dialogue = parts[1][0]
    top = tuple(Forecast(label, 0.3) for label in ("Affirm", "Open Question", "General"))
    turns = tuple(replace(t, label="Affirm" if i % 4 == 0 else "Advise", forecast=top) if t.role == "therapist" else t for i, t in enumerate(dialogue.utterances))
    labels = np.array([THERAPIST_LABELS.index(t.label) for t in turns[1:] if t.role == "therapist"])
    expected = np.mean([t.label == "Affirm" for t in turns[1:] if t.role == "therapist"])
    assert planned_recall([replace(dialogue, utterances=turns)], labels) == pytest.approx(expected)
