import os
from dataclasses import replace
from pathlib import Path

import pytest

from kmi.dialogue import Dialogue, Utterance
from kmi.metrics import behaviour


def session(*codes):
    """A dialogue of the given codes; a talk type makes a client turn, None an uncoded one."""
    turns = []
    for code in codes:
        if code in ("change", "sustain", "neutral", None):
            turns.append(Utterance("client", "말", talk=code))
        else:
            turns.append(Utterance("therapist", "말", label=code or None))
    return Dialogue("d", "", "", tuple(turns))


SESSIONS = [
    session("Open Question", "neutral", "Simple Reflection", "sustain", "Complex Reflection", "change", "Affirm"),
    session("Closed Question", "change", "Complex Reflection", "change", "Complex Reflection"),
]


def test_counts_are_pooled_over_sessions():
    counts = behaviour.count(SESSIONS)
    assert (counts.dialogues, counts.utterances, counts.therapist_turns, counts.client_turns) == (2, 12, 7, 5)
    assert counts.labels == {
        "Simple Reflection": 1,
        "Complex Reflection": 3,
        "Open Question": 1,
        "Closed Question": 1,
        "Affirm": 1,
        "Give Information": 0,
        "Advise": 0,
        "General": 0,
    }
    assert counts.talk == {"change": 3, "sustain": 1, "neutral": 1}


def test_ratios_by_hand():
    found = behaviour.measure(iter(SESSIONS))
    assert found.reflection_to_question == 4 / 2  # SR 1 + CR 3 over OQ 1 + CQ 1
    assert found.complex_share == 3 / 4
    assert found.open_share == 1 / 2
    assert found.change_talk_share == 3 / 5
    assert found.change_to_sustain_share == 3 / 4  # the neutral turn stays out


def test_plans_do_not_count():
    planned = [
        replace(dialogue, utterances=tuple(replace(turn, planned_label="Advise") for turn in dialogue.utterances))
        for dialogue in SESSIONS
    ]
    assert behaviour.measure(planned) == behaviour.measure(SESSIONS)


@pytest.mark.parametrize(
    ("dialogues", "undefined"),
    [
        ([], {"reflection_to_question", "complex_share", "open_share", "change_talk_share", "change_to_sustain_share"}),
        ([session("Affirm", "change", "Simple Reflection")], {"reflection_to_question", "open_share"}),
        ([session("Open Question", "neutral")], {"complex_share", "change_to_sustain_share"}),
        ([session("Open Question", None)], {"complex_share", "change_talk_share", "change_to_sustain_share"}),
        # Change or not: the uncoded turn counts as not changing, and sustain talk was never looked for.
        ([session("Open Question", "change", None)], {"complex_share", "change_to_sustain_share"}),
    ],
)
def test_what_has_no_denominator_is_none(dialogues, undefined):
    found = behaviour.measure(dialogues).to_dict()
    assert {name for name, value in found.items() if value is None} == undefined


def test_two_way_coding_gives_the_share_of_all_client_turns():
    found = behaviour.measure([session("Open Question", "change", None, None, None)])
    assert found.change_talk_share == 1 / 4


@pytest.mark.annomi
@pytest.mark.parametrize(
    ("quality", "published"), [("high", (1.02, 0.49, 0.58, 0.25)), ("low", (0.22, 0.42, 0.67, 0.17))]
)
def test_annomi_gives_the_figures_computed_before(quality, published):
    from kmi.corpus.annomi import load_annomi

    folder = os.environ.get("KMI_ANNOMI")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AnnoMI is absent: set KMI_ANNOMI or run scripts/prepare_annomi.py")
    found = behaviour.measure(load_annomi(folder, quality))
    measured = (found.reflection_to_question, found.complex_share, found.open_share, found.change_talk_share)
    assert tuple(round(value, 2) for value in measured) == published


def test_a_report_prints_on_one_line():
    assert str(behaviour.measure(SESSIONS)) == "R:Q 2.00, complex 0.75, open 0.50, change talk 0.60, CT/(CT+ST) 0.75"
    assert str(behaviour.measure([])).startswith("R:Q -, complex -")
