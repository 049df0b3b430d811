from kmi.corpus.utterance_checks import names
from kmi.writers.base import Cue
from kmi.writers.safety import safety_turn


def test_a_question_asks_about_safety_and_the_line_names_109():
    asked = safety_turn(Cue("therapist", label="Closed Question", crisis=True), 0)
    told = safety_turn(Cue("therapist", label="Give Information", crisis=True), 0)
    assert asked.startswith("T CQ | ") and "?" in asked and told.startswith("T GI | ") and names(told, "109")


def test_no_line_is_said_twice():
    first = safety_turn(Cue("therapist", label="Closed Question", crisis=True), 3)
    said = first.split(" | ")[1]
    assert safety_turn(Cue("therapist", label="Closed Question", crisis=True, history=(said,)), 3) != first
