"""What is known of AnnoMI from elsewhere, reproduced from the files at hand."""

from collections import Counter

import pytest

from kmi.corpus.annomi import CSV_NAME, load_annomi, read_annomi_csv

pytestmark = pytest.mark.annomi


def counts(dialogues):
    return Counter(turn.label or turn.talk for dialogue in dialogues for turn in dialogue.utterances)


@pytest.mark.parametrize(
    ("quality", "sessions", "ratio", "complex_share", "open_share", "change_share"),
    [("high", 110, 1.02, 0.49, 0.58, 0.25), ("low", 23, 0.22, 0.42, 0.67, 0.17)],
)
def test_behaviour_shares(annomi_folder, quality, sessions, ratio, complex_share, open_share, change_share):
    dialogues = load_annomi(annomi_folder, quality)
    found = counts(dialogues)
    reflections = found["Simple Reflection"] + found["Complex Reflection"]
    questions = found["Open Question"] + found["Closed Question"]
    talk = found["change"] + found["sustain"] + found["neutral"]
    assert len(dialogues) == sessions
    assert round(reflections / questions, 2) == ratio
    assert round(found["Complex Reflection"] / reflections, 2) == complex_share
    assert round(found["Open Question"] / questions, 2) == open_share
    assert round(found["change"] / talk, 2) == change_share
    assert {dialogue.provenance.mode for dialogue in dialogues} == {quality}


def test_change_talk_after_each_label(annomi):
    after = Counter()
    for dialogue in annomi:
        for before, turn in zip(dialogue.utterances, dialogue.utterances[1:], strict=False):
            if before.label and turn.talk:
                after[before.label, turn.talk == "change"] += 1
    share = {label: after[label, True] / (after[label, True] + after[label, False]) for label, _ in after}
    published = {
        "Open Question": 0.40, "Complex Reflection": 0.24, "Simple Reflection": 0.23,
        "Affirm": 0.23, "Closed Question": 0.18, "Give Information": 0.16,
    }  # fmt: skip
    assert {label: round(share[label], 2) for label in published} == pytest.approx(published, abs=0.011)


def test_table_has_one_vote_per_utterance(annomi_folder):
    from pathlib import Path

    if not (Path(annomi_folder) / CSV_NAME).is_file():
        pytest.skip("a prepared folder does not hold the table")
    dialogues = list(read_annomi_csv(Path(annomi_folder) / CSV_NAME))
    assert len(dialogues) == 133
    assert sum(dialogue.turns for dialogue in dialogues) == 9699
