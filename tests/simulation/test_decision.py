import random
from collections import Counter

import pytest

from kmi.codes import ARCS, PROCESSES, QUESTIONS, REFLECTIONS, TALK_SUBTYPES, TALK_TYPES, THERAPIST_LABELS
from kmi.dialogue import Forecast
from kmi.simulation.decision import POLICIES, Situation, kmi_policy, reference_policy
from kmi.simulation.director import Director

OVERRIDES = {"opening", "affirmation", "permission", "information", "closing", "safety", "correction", "fallback"}
UNTOLD = {"Give Information", "Advise"}


def ranking(rng):
    weights = [rng.random() ** 3 + 1e-3 for _ in THERAPIST_LABELS]
    options = [Forecast(label, weight / sum(weights)) for label, weight in zip(THERAPIST_LABELS, weights, strict=True)]
    return tuple(sorted(options, key=lambda option: -option.probability))


def random_situation(rng):
    """A situation as a session can reach it: the history holds no third question and no fourth reflection running."""
    turns = rng.randint(9, 16)
    turn = rng.randrange(turns)
    labels = []
    while len(labels) < turn:
        label = rng.choice(THERAPIST_LABELS)
        if not running(labels, label) and not (not labels and label in REFLECTIONS):
            labels.append(label)
    talk = rng.choice(TALK_TYPES) if turn else None
    return Situation(
        labels=tuple(labels),
        last_talk=talk,
        last_subtype=rng.choice([None, *TALK_SUBTYPES]) if talk == "change" else None,
        forecast=ranking(rng),
        turn=turn,
        turns=turns,
        process=rng.choice(list(PROCESSES)),
        permission_pending=bool(labels) and labels[-1] == "Closed Question" and rng.random() < 0.4,
        permission_asked=rng.choice([0, 0, 1, 2]),
    )


def running(labels, label):
    """True if `label` after `labels` is a third question or fourth reflection running."""
    after = [*labels, label]
    return all(item in QUESTIONS for item in after[-3:]) and len(after) >= 3 or len(after) >= 4 and all(item in REFLECTIONS for item in after[-4:])


def decided(policy, count=6000):
    """Situations with what the policy decides in each; the same every time."""
    for seed in range(count):
        situation = random_situation(random.Random(seed))
        yield situation, policy(situation, random.Random(seed))


@pytest.fixture(scope="module", params=sorted(POLICIES))
def decisions(request):
    return request.param, list(decided(POLICIES[request.param]))


@pytest.fixture(scope="module")
def kmi_decisions():
    return list(decided(kmi_policy))


def test_the_policies_are_these_two():
    assert POLICIES == {"kmi": kmi_policy, "reference": reference_policy}


def test_labels_are_known_and_decisions_carry_a_reason_and_the_top_three(decisions):
    for situation, decision in decisions[1]:
        assert decision.label in THERAPIST_LABELS and decision.reason
        assert decision.forecast == situation.forecast[:3]
        assert decision.override is None or decision.override in OVERRIDES


def test_without_an_override_the_label_is_of_the_top_three(decisions):
    kept = [(s, d) for s, d in decisions[1] if d.override is None]
    assert len(kept) > 1000
    assert all(d.label in {option.label for option in s.forecast[:3]} for s, d in kept)


def test_equal_situations_and_generators_give_equal_decisions(decisions):
    policy = POLICIES[decisions[0]]
    for seed, (situation, decision) in enumerate(decisions[1][:500]):
        assert policy(situation, random.Random(seed)) == decision


def test_never_a_question_last(decisions):
    last = [d.label for s, d in decisions[1] if s.is_last]
    assert len(last) > 300
    assert not QUESTIONS & set(last)


def test_never_a_third_question_running(decisions):
    at_risk = [(s, d) for s, d in decisions[1] if len(s.labels) > 1 and set(s.labels[-2:]) <= QUESTIONS]
    assert len(at_risk) > 50
    assert [d for _, d in at_risk if d.label in QUESTIONS] == []


def test_never_a_fourth_reflection_running_before_the_last_turn(decisions):
    at_risk = [(s, d) for s, d in decisions[1] if not s.is_last and len(s.labels) > 2 and set(s.labels[-3:]) <= REFLECTIONS]
    assert len(at_risk) > 20
    assert [d for _, d in at_risk if d.label in REFLECTIONS] == []


def test_no_reflection_or_affirmation_before_the_client_has_spoken(kmi_decisions):
    first = [d.label for s, d in kmi_decisions if s.turn == 0]
    assert len(first) > 200
    assert not (REFLECTIONS | {"Affirm"}) & set(first)


def test_information_and_advice_only_after_permission(kmi_decisions):
    told = [(s, d) for s, d in kmi_decisions if d.label in UNTOLD]
    assert len(told) > 50
    assert all(s.permission_pending and d.override == "information" for s, d in told)


def test_permission_is_followed_by_information_or_advice(kmi_decisions):
    pending = [d.label for s, d in kmi_decisions if s.permission_pending and not s.is_last]
    assert len(pending) > 100
    assert set(pending) == UNTOLD


def test_permission_leaves_room_for_the_answer_and_what_it_was_for(kmi_decisions):
    asked = [(s, d) for s, d in kmi_decisions if d.override == "permission"]
    assert len(asked) > 50
    for situation, decision in asked:
        assert decision.label == "Closed Question"
        assert situation.turns - situation.turn > 3
        assert situation.permission_asked < 2


def test_affirmations_by_override_follow_change_talk_and_are_spaced(decisions):
    affirmed = [s for s, d in decisions[1] if d.override == "affirmation"]
    assert len(affirmed) > 100
    assert all(s.last_talk == "change" for s in affirmed)
    if decisions[0] == "kmi":
        assert all("Affirm" not in s.labels[-3:] for s in affirmed)


# A fixed situation per override: what must be decided and recorded.


def outcomes(policy, situation, draws=400):
    return Counter((d.label, d.override) for d in (policy(situation, random.Random(n)) for n in range(draws)))


def test_safety_comes_before_everything(make_situation):
    for changes in ({}, {"permission_pending": True}, {"last_talk": "change"}, {"must_reflect": True}):
        assert set(outcomes(kmi_policy, make_situation(since_danger=1, **changes))) == {("Closed Question", "safety")}
        assert set(outcomes(kmi_policy, make_situation(since_danger=2, **changes))) == {("Give Information", "safety")}
    assert "safety" not in {override for _, override in outcomes(kmi_policy, make_situation(since_danger=3))}
    assert "109" in kmi_policy(make_situation(since_danger=2), random.Random(0)).reason


def test_a_reflection_to_be_corrected_is_always_complex(make_situation):
    assert set(outcomes(kmi_policy, make_situation(must_reflect=True))) == {("Complex Reflection", "correction")}
    simple_first = make_situation(ranking=(("Open Question", 0.5), ("Simple Reflection", 0.3), ("Complex Reflection", 0.2)), must_reflect=True)
    assert set(outcomes(kmi_policy, simple_first)) == {("Complex Reflection", "correction")}


def test_the_closing_turn_is_a_summary_a_farewell_or_an_affirmation(make_situation):
    found = outcomes(kmi_policy, make_situation(turn=11, labels=("Open Question", "Affirm") * 5))
    assert {override for _, override in found} == {"closing"}
    assert {label for label, _ in found} == {"Complex Reflection", "General", "Affirm"}
    assert found[("Complex Reflection", "closing")] > found[("Affirm", "closing")]


def test_the_closing_turn_is_no_fourth_reflection_running(make_situation):
    situation = make_situation(turn=11, labels=("Open Question",) * 2 + ("Affirm",) * 6 + ("Complex Reflection",) * 3)
    assert not REFLECTIONS & {label for label, _ in outcomes(kmi_policy, situation)}


def test_permission_once_asked_is_not_dropped_for_a_correction(make_situation):
    situation = make_situation(labels=("Open Question", "Affirm", "Closed Question"), permission_pending=True, must_reflect=True)
    assert {label for label, _ in outcomes(kmi_policy, situation)} == UNTOLD


def test_planning_leans_to_advice_and_evoking_to_information(make_situation):
    planning = outcomes(kmi_policy, make_situation(permission_pending=True, process="planning"))
    evoking = outcomes(kmi_policy, make_situation(permission_pending=True, process="evoking"))
    assert planning[("Advise", "information")] > 400 * 0.45 > evoking[("Advise", "information")] > 400 * 0.2


def test_strong_change_talk_is_affirmed_more_often(make_situation):
    counts = {
        subtype: outcomes(kmi_policy, make_situation(labels=("Open Question",) * 2, turn=2, last_talk="change", last_subtype=subtype))
        for subtype in ("taking_steps", "desire", None)
    }
    affirmed = {subtype: count[("Affirm", "affirmation")] for subtype, count in counts.items()}
    assert affirmed["taking_steps"] == pytest.approx(400 * 0.5, abs=45)
    assert affirmed["desire"] == affirmed[None] == pytest.approx(400 * 0.3, abs=45)
    assert "change/desire" in next(
        d.reason for n in range(50) if (d := kmi_policy(make_situation(last_talk="change", last_subtype="desire", labels=("Open Question",)), random.Random(n))).override
    )


def test_no_affirmation_by_override_after_other_talk(make_situation):
    for talk in ("sustain", "neutral"):
        assert not [key for key in outcomes(kmi_policy, make_situation(last_talk=talk)) if key[1] == "affirmation"]


def test_all_of_the_top_three_barred_falls_back_on_the_next(make_situation):
    top = (("Give Information", 0.5), ("Advise", 0.3), ("General", 0.1), ("Simple Reflection", 0.06), ("Open Question", 0.04))
    situation = make_situation(ranking=top, labels=("General", "Open Question"), turn=2)
    found = outcomes(kmi_policy, situation)
    assert set(found) == {("Simple Reflection", "fallback")}


def test_the_opening_greets_or_asks_whatever_is_forecast(make_situation):
    found = outcomes(kmi_policy, make_situation(labels=(), last_talk=None))
    assert set(found) == {(label, "opening") for label in ("Open Question", "Closed Question", "General")}
    assert found[("Closed Question", "opening")] < found[("Open Question", "opening")]


def test_the_draw_steers_back_to_the_targets(make_situation):
    even = (("Complex Reflection", 0.33), ("Open Question", 0.33), ("Simple Reflection", 0.33))
    asked = ("Open Question", "Affirm") * 4
    told = ("Complex Reflection", "Affirm") * 4
    after_asking = outcomes(kmi_policy, make_situation(ranking=even, labels=asked, turns=30, permission_asked=2))
    after_telling = outcomes(kmi_policy, make_situation(ranking=even, labels=told, turns=30, permission_asked=2))
    assert after_asking[("Open Question", None)] < 40 < after_telling[("Open Question", None)]
    assert after_telling[("Simple Reflection", None)] > after_telling[("Complex Reflection", None)]


def test_reflections_and_questions_pull_each_other(make_situation):
    """Neither label has been used itself; only the balance of the kinds differs."""
    for label, scarce_after, plenty_after in [
        ("Simple Reflection", ("Open Question", "Affirm") * 3, ("Complex Reflection", "Affirm") * 3),
        ("Closed Question", ("Complex Reflection", "Affirm") * 3, ("Open Question", "Affirm", "Complex Reflection") * 2),
    ]:
        even = ((label, 0.34), ("Give Information", 0.33), ("General", 0.33))
        scarce, plenty = (
            outcomes(kmi_policy, make_situation(ranking=even, labels=labels, turns=40, permission_asked=2))[(label, None)]
            for labels in (scarce_after, plenty_after)
        )
        assert scarce > plenty + 20, label


# The reference prototype, rule by rule.


def reference(make_situation, top, **changes):
    rest = [(label, 0.01) for label in THERAPIST_LABELS if label not in top]
    return outcomes(reference_policy, make_situation(ranking=[(label, 0.3) for label in top] + rest, **changes), 1000)


def test_reference_takes_the_first_of_the_top_three(make_situation):
    assert reference(make_situation, ["Simple Reflection", "Open Question", "General"], labels=()) == {("Simple Reflection", None): 1000}


def test_reference_affirms_after_change_talk_one_time_in_five(make_situation):
    found = reference(make_situation, ["General", "Simple Reflection", "Affirm"], last_talk="change")
    assert found[("Affirm", "affirmation")] == pytest.approx(200, abs=50)
    assert found[("General", None)] == 1000 - found[("Affirm", "affirmation")]


@pytest.mark.parametrize("top", [["Advise", "General", "Affirm"], ["General", "Advise", "Affirm"]])
def test_reference_takes_advice_from_the_top_two(make_situation, top):
    assert reference(make_situation, top) == {("Advise", None): 1000}


def test_reference_leaves_advice_in_third_place(make_situation):
    assert ("Advise", None) not in reference(make_situation, ["General", "Affirm", "Advise"])


def test_reference_rejects_an_open_question_one_time_in_five(make_situation):
    found = reference(make_situation, ["Open Question", "Affirm", "General"], labels=("General",))
    assert found[("Affirm", None)] == pytest.approx(200, abs=50)
    assert found[("Open Question", None)] == 1000 - found[("Affirm", None)]


def test_reference_asks_nothing_on_the_last_turn(make_situation):
    found = reference(make_situation, ["Closed Question", "Open Question", "General"], labels=("Affirm",) * 11, turn=11)
    assert found == {("General", None): 1000}


def test_reference_says_no_label_three_times_running(make_situation):
    found = reference(make_situation, ["Affirm", "General", "Simple Reflection"], labels=("Affirm", "Affirm"))
    assert found == {("General", None): 1000}


def test_reference_asks_no_third_question_running(make_situation):
    found = reference(make_situation, ["Closed Question", "Open Question", "Affirm"], labels=("Open Question", "Closed Question"))
    assert found == {("Affirm", None): 1000}


def test_reference_makes_no_fourth_reflection_running(make_situation):
    labels = ("Simple Reflection", "Complex Reflection", "Simple Reflection")
    assert reference(make_situation, ["Complex Reflection", "Simple Reflection", "Affirm"], labels=labels) == {("Affirm", None): 1000}


def test_reference_falls_back_on_a_reflection_after_two_questions(make_situation):
    found = reference(make_situation, ["Closed Question", "Open Question", "Affirm"], labels=("Affirm", "Affirm", "Open Question", "Open Question"))
    assert found == {("Affirm", None): 1000}  # Affirm is no longer running
    blocked = reference(make_situation, ["Closed Question", "Open Question", "Closed Question"], labels=("Open Question", "Closed Question"))
    assert set(blocked) == {(label, "fallback") for label in REFLECTIONS}


def test_reference_falls_back_on_a_question_after_two_reflections(make_situation):
    labels = ("Simple Reflection", "Complex Reflection", "Complex Reflection")
    top = ["Complex Reflection", "Simple Reflection", "Complex Reflection"]
    assert set(reference(make_situation, top, labels=labels)) == {(label, "fallback") for label in QUESTIONS}
    last = reference(make_situation, top, labels=("Affirm",) * 8 + labels, turn=11)
    assert set(last) == {("Simple Reflection", "fallback"), ("General", "fallback")}


def test_reference_else_falls_back_on_a_simple_reflection_or_general(make_situation):
    found = reference(make_situation, ["Affirm", "Affirm", "Affirm"], labels=("Affirm", "Affirm"))
    assert set(found) == {("Simple Reflection", "fallback"), ("General", "fallback")}


# Whole sessions, as the director plays them without words.


@pytest.fixture(scope="module")
def sessions():
    from kmi.clients.cases import Case
    from kmi.dialogue import ClientProfile

    class Ranked:
        revision = "random"

        def forecast(self, turns):
            # Hashing the turns makes the ranking follow the session, as a real forecaster's does.
            return ranking(random.Random(repr([(turn.label, turn.talk) for turn in turns])))

    found = []
    for seed in range(300):
        case = Case(f"c{seed}", "가족", "", ClientProfile(), list(ARCS)[seed % 9], ["commitment", "partial", "none"][seed % 3], seed)
        director, decisions = Director(case, Ranked(), kmi_policy), []
        while not director.finished:
            if len(director.turns) % 2 == 0:
                decisions.append(director.decide())
                director.record_therapist(None, decisions[-1])
            else:
                director.record_client(None, director.client_step())
        found.append((director, decisions))
    return found


def test_sessions_hold_the_laws_outside_safety_correction_and_closing(sessions):
    for _, decisions in sessions:
        labels = [decision.label for decision in decisions]
        assert labels[-1] not in QUESTIONS and labels[0] not in REFLECTIONS
        for n, decision in enumerate(decisions):
            if decision.override not in {"safety", "correction", "closing"}:
                assert not running(labels[:n], labels[n]), (n, labels)
            if decision.label in UNTOLD:
                assert decision.override in {"safety", "information"}
                assert decision.override == "safety" or decisions[n - 1].override == "permission"


def test_reflections_outnumber_questions_as_the_policy_aims(sessions):
    labels = [decision.label for _, decisions in sessions for decision in decisions]
    reflections, questions = (sum(label in kind for label in labels) for kind in (REFLECTIONS, QUESTIONS))
    assert 1.2 <= reflections / questions <= 2.5
    assert all(labels.count(label) > 0.01 * len(labels) for label in THERAPIST_LABELS)


def test_sessions_never_run_to_a_fourth_reflection_at_all(sessions):
    runs = [n for _, decisions in sessions for n in range(len(decisions)) if running([d.label for d in decisions[:n]], decisions[n].label)]
    assert runs == []


def test_every_permission_in_a_session_is_used(sessions):
    asked = [(decisions, n) for _, decisions in sessions for n, d in enumerate(decisions) if d.override == "permission"]
    assert len(asked) > 50
    dropped = [n for decisions, n in asked if decisions[n + 1].override not in {"information", "safety"}]
    assert dropped == []


def test_every_crisis_session_has_both_safety_turns_in_order(sessions):
    crises = [decisions for director, decisions in sessions if director.case.arc == "crisis"]
    assert len(crises) > 30
    for decisions in crises:
        safety = [(n, d.label) for n, d in enumerate(decisions) if d.override == "safety"]
        assert [label for _, label in safety] == ["Closed Question", "Give Information"]
        assert safety[1][0] == safety[0][0] + 1


def test_no_other_session_has_a_safety_turn(sessions):
    others = [decisions for director, decisions in sessions if director.case.arc != "crisis"]
    assert not any(decision.override == "safety" for decisions in others for decision in decisions)


def test_corrections_meet_reflections_that_were_meant_to_miss(sessions):
    """A track may give its correction up: three reflections already ran, or permission was just asked."""
    drawn = [(decisions[n], director) for director, decisions in sessions for n, step in enumerate(director.track.clients) if step.corrects_reflection]
    kept = [decision for decision, _ in drawn if decision.override == "correction"]
    assert all(decision.label in REFLECTIONS for decision in kept)
    assert len(drawn) > 60 and len(kept) > 0.75 * len(drawn)
