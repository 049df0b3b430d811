from collections import Counter

import pytest

from kmi.dialogue import Forecast, Utterance
from kmi.simulation.decision import Decision
from kmi.space.feedback import judged, sheet, standing

SAID = [
    Utterance("therapist", "오늘은 어떠세요?", label="Open Question"),
    Utterance("client", "그저 그래요.", talk="neutral"),
    Utterance("therapist", "그저 그러시군요.", label="Simple Reflection"),
    Utterance("client", "바꾸고 싶어요.", talk="change"),
    Utterance("therapist", "<b>지치셨나 봐요.</b>", label="Complex Reflection"),
]
DECISION = Decision("Affirm", "rank 1", (Forecast("Affirm", 0.5), Forecast("General", 0.3), Forecast("Advise", 0.2)))


@pytest.mark.parametrize(
    ("found", "strengths", "to_try"),
    [
        ({"Advise": 1}, [], "try_few_pushes"),
        ({"Closed Question": 2}, ["few_pushes"], "try_reflecting"),
        ({"Closed Question": 1, "Simple Reflection": 2}, ["few_pushes", "reflecting"], "try_opening"),
        ({"Open Question": 1, "Simple Reflection": 2}, ["few_pushes", "reflecting", "opening"], "try_deepening"),
        ({"Open Question": 1, "Complex Reflection": 1, "Simple Reflection": 1}, ["few_pushes", "reflecting", "opening", "deepening"], "try_affirming"),
        ({"Open Question": 1, "Complex Reflection": 1, "Affirm": 1}, ["few_pushes", "reflecting", "opening", "deepening", "affirming"], "try_on"),
    ],
)
def test_strengths_and_the_first_thing_missing(found, strengths, to_try):
    assert judged(Counter(found)) == (strengths, to_try)


def test_figures_so_far_by_hand():
    made = standing(SAID, "ko")
    # Two reflections to one question; one of the two complex; the only question open; one client turn of two is change talk.
    assert [part.split("<")[0] for part in made.split("kmi-number'>")[1:]] == ["2.00", "0.50", "1.00", "0.50"]
    assert standing((), "ko").count("'>-<") == 4


def test_the_sheet_holds_every_turn_beside_the_forecaster():
    made = sheet(SAID, [DECISION] * 3, "ko")
    assert made.count("인정하기 0.50, 일반 발화 0.30, 조언하기 0.20") == 3 and "&lt;b&gt;" in made and "잘된 점" in made
    assert "아직" in sheet([], [], "ko")
