"""Habits: each is counted where it stands and not where it only looks alike."""

import pytest

from kmi.corpus.style_checks import Habit, habits, recurring
from kmi.dialogue import Dialogue, Utterance


def found(*turns):
    """Habit name -> count over one dialogue of (role, label, text) turns."""
    utterances = tuple(Utterance(role, text, label=label) for role, label, text in turns)
    return {habit.name: habit.count for habit in habits([Dialogue("a", "가족", "글", utterances)])}


THERAPIST = [
    ("reflections ending in -네요/-군요", "Simple Reflection", "혼자 다 하셨네요.", 1),
    ("reflections ending in -네요/-군요", "Simple Reflection", "그러셨군요. 지쳤을 텐데요.", 0),
    ("reflections ending in -네요/-군요", "Affirm", "혼자 다 하셨네요.", 0),
    ("'X가 아니라 Y'", "Complex Reflection", "미움이 아니라 서운함이었던 거죠.", 1),
    ("'X가 아니라 Y'", "Complex Reflection", "그런 건 아니라고 하셨고요.", 0),
    ("identity praise in affirmations", "Affirm", "끝까지 책임지는 분이시네요.", 1),
    ("identity praise in affirmations", "Affirm", "그 사람이 올 때까지 기다리셨어요.", 0),
    ("0-10 scaling", "Closed Question", "0이 전혀 아니고 10이 당장이라면 몇쯤 될까요?", 1),
    ("0-10 scaling", "Closed Question", "10분쯤 걸리나요?", 0),
]


@pytest.mark.parametrize(("habit", "label", "text", "count"), THERAPIST)
def test_therapist_habits(habit, label, text, count):
    assert found(("therapist", label, text))[habit] == count


@pytest.mark.parametrize(
    ("text", "counts"),
    [("네, 그래요.", (1, 0)), ("네.", (1, 0)), ("네 시에 깼어요.", (0, 0)), ("네모난 방이요.", (0, 0)), ("…모르겠어요.", (0, 1)), ("아, 네.", (0, 0))],
)
def test_client_openings(text, counts):
    names = ("client turns opening with 네", "client turns opening with …")
    assert tuple(found(("client", None, text))[name] for name in names) == counts


def test_a_habit_knows_its_limits():
    assert Habit("a", 5, 10, "turns", most=0.4).over
    assert not Habit("a", 4, 10, "turns", most=0.4).over
    assert Habit("b", 2, 10, "dialogues", least=0.25).over
    assert Habit("c", 0, 0, "turns", most=0.4).share == 0.0


def test_recurring_counts_dialogues_not_turns():
    one = Dialogue("a", "가족", "글", (Utterance("client", "밥은 먹고 다녀요"), Utterance("client", "밥은 먹고 다녀요")))
    two = Dialogue("b", "가족", "글", (Utterance("client", "그래도 밥은 먹고 다녀요"),))
    assert recurring([one, two], at_least=2) == [("밥은 먹고 다녀요", 2)]
