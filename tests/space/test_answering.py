"""What a practised client does with the visitor's behaviour: theory, the train split, and the same every time."""

from collections import Counter
from itertools import pairwise

import pytest

from kmi.clients.arcs import arcs
from kmi.clients.cases import Case
from kmi.codes import THERAPIST_LABELS
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import ClientProfile
from kmi.simulation.track import ClientStep
from kmi.space.answering import FAVOURABLE, asks_permission, chances, lifts, next_step

PLAN = (ClientStep("neutral"),) * 12


def case(seed):
    return Case("someone", "가족", "글", ClientProfile(), "steady_growth", "partial", seed)


def talk_after(label, *, asked=False, sessions=200):
    """Talk of the middle of many sessions, all met with one behaviour."""
    return Counter(next_step(PLAN, 6, case(seed), label, asked).talk for seed in range(sessions))


def test_lifts_are_those_of_the_train_split():
    pairs = Counter((one.label, next_.talk) for d in shipped_dialogues("train") for one, next_ in pairwise(d.utterances) if one.label and next_.talk)
    after = sum(count for (label, _), count in pairs.items() if label == "Affirm")
    change = sum(count for (_, talk), count in pairs.items() if talk == "change")
    assert lifts()["Affirm"]["change"] == pytest.approx(pairs["Affirm", "change"] / after / (change / pairs.total()))
    assert set(lifts()) == set(THERAPIST_LABELS)


def test_reflections_and_open_questions_bring_more_change_talk_than_closed_questions_and_backchannels():
    change = {label: talk_after(label)["change"] for label in THERAPIST_LABELS}
    for good in ("Complex Reflection", "Open Question", "Affirm"):
        assert change[good] > change["Closed Question"] > change["General"]


def test_advice_and_information_nobody_asked_for_meet_sustain_talk():
    for label in ("Advise", "Give Information"):
        assert talk_after(label) == {"sustain": 200}
        assert talk_after(label, asked=True)["change"] > talk_after("Closed Question")["change"]


def test_the_same_turn_gets_the_same_answer_and_a_better_one_never_a_worse():
    worse = {talk: place for place, talk in enumerate(FAVOURABLE)}
    for seed in range(50):
        after = {label: next_step(PLAN, 6, case(seed), label, False) for label in ("General", "Affirm")}
        assert after == {label: next_step(PLAN, 6, case(seed), label, False) for label in after}
        assert worse[after["Affirm"].talk] <= worse[after["General"].talk]


def test_the_arc_still_leads():
    early, late = (arcs()["steady_growth"].talk_probabilities(place) for place in (0.0, 1.0))
    assert chances(late, "Closed Question")["change"] > chances(early, "Affirm")["change"]
    assert sum(chances(early, "Affirm").values()) == pytest.approx(1)


def test_a_step_stays_as_planned_where_the_talk_does():
    planned = [ClientStep("change", "reason")] * 12
    steps = [next_step(planned, 11, case(seed), "Affirm", False) for seed in range(20)]
    assert ClientStep("change", "reason") in steps and ClientStep("change") not in steps
    corrected = [ClientStep("neutral", corrects_reflection=True)] * 12
    assert next_step(corrected, 3, case(0), "Complex Reflection", False) == corrected[3]


@pytest.mark.parametrize("text", ["제가 아는 방법을 하나 말씀드려도 될까요?", "괜찮으시면 정보를 좀 드려도 괜찮을까요?", "다른 분들은 어떻게 하셨는지 알려 드릴까요?"])
def test_permission_is_heard(text):
    assert asks_permission([text, "걷기를 해 보세요."]) and asks_permission(["네.", text])


@pytest.mark.parametrize("text", ["담배를 끊으셔야 해요.", "오늘은 어떤 이야기부터 해 볼까요?", "그래도 될까 걱정되셨군요."])
def test_other_turns_ask_no_permission(text):
    assert not asks_permission([text])
    assert not asks_permission(["말씀드려도 될까요?", "네.", text])
