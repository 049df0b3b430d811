"""The corpus itself: every dialogue passes the checks, habits and repetition stay within their limits."""

import pytest

from kmi.corpus.dialogue_checks import check_dialogue
from kmi.corpus.repetition import distinct_by_role, near_duplicates, repeated_turns, shared_spans
from kmi.corpus.sources import read_sources
from kmi.corpus.style_checks import habits
from kmi.metrics.behaviour import measure

# Shares over fewer dialogues than this are chance: one habit of one dialogue breaks a limit.
ENOUGH = 60


@pytest.fixture(scope="module")
def corpus(repository):
    return read_sources(repository / "loading_script" / "source")


def enough(corpus):
    if len(corpus) < ENOUGH:
        pytest.skip(f"{len(corpus)} dialogues: too few for shares, {ENOUGH} are needed")


def test_every_dialogue_passes_every_check(corpus):
    findings = [str(finding) for dialogue in corpus for finding in check_dialogue(dialogue)]
    assert corpus and findings == []


def test_planned_and_realised_labels_agree_mostly(corpus):
    turns = [turn for dialogue in corpus for turn in dialogue.utterances if turn.planned_label]
    if not turns:
        pytest.skip("no planned dialogue yet")
    share = sum(turn.planned_label == turn.label for turn in turns) / len(turns)
    assert 0.70 <= share <= 0.95
    assert all(len(turn.forecast) == 3 and turn.decision_reason for turn in turns)


def test_habits_stay_within_their_limits(corpus):
    enough(corpus)
    over = {habit.name: round(habit.share, 3) for habit in habits(corpus) if habit.over}
    assert over == {}


def test_nothing_is_said_twice(corpus):
    assert repeated_turns(corpus) == []
    assert shared_spans(corpus) == []
    assert near_duplicates(corpus) == []


def test_words_are_varied(corpus):
    enough(corpus)
    found = distinct_by_role(corpus)
    assert found["therapist"][2] >= 0.85 and found["therapist"][3] >= 0.96
    assert found["client"][2] >= 0.88 and found["client"][3] >= 0.975


def test_behaviour_is_competent_mi(corpus):
    enough(corpus)
    report = measure(corpus)
    assert 1.3 <= report.reflection_to_question <= 2.2
    assert 0.55 <= report.complex_share <= 0.80
    assert 0.55 <= report.open_share <= 0.80
    assert 0.33 <= report.change_talk_share <= 0.52
