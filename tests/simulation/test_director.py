import pytest

from kmi.codes import REFLECTIONS
from kmi.dialogue import Utterance
from kmi.simulation.decision import Decision, kmi_policy


def play(director):
    """Rolls a director out without words; returns its decisions."""
    decisions = []
    while not director.finished:
        if len(director.turns) % 2 == 0:
            decisions.append(director.decide())
            director.record_therapist(None, decisions[-1])
        else:
            director.record_client(None, director.client_step())
    return decisions


def spy(seen, label="Open Question", override=None):
    """A policy that keeps the situations it is shown."""

    def policy(situation, rng):
        seen.append(situation)
        wanted = label(situation) if callable(label) else label
        return Decision(wanted, "spied", situation.forecast[:3], override(situation) if override else None)

    return policy


def test_a_session_ends_at_the_planned_length(make_director):
    for seed in range(20):
        director = make_director(seed=seed)
        decisions = play(director)
        assert len(director.turns) == director.track.length
        assert len(decisions) == director.track.therapist_turns
        assert director.finished


def test_the_same_case_gives_the_same_session(make_director):
    first, second = make_director(seed=3), make_director(seed=3)
    assert play(first) == play(second)
    assert first.turns == second.turns
    assert play(make_director(seed=4)) != play(make_director(seed=3))


def test_a_decision_does_not_depend_on_how_often_it_is_asked_for(make_director):
    once, often = make_director(), make_director()
    while not once.finished:
        if len(once.turns) % 2 == 0:
            decision = once.decide()
            assert [often.decide() for _ in range(3)] == [decision] * 3
            once.record_therapist(None, decision)
            often.record_therapist(None, decision)
        else:
            once.record_client(None, once.client_step())
            often.record_client(None, often.client_step())


def test_each_decision_draws_afresh_and_seeds_differ(make_director):
    def drawn(seed):
        draws = []

        def policy(situation, rng):
            draws.append(rng.random())
            return Decision("Open Question", "drawn", situation.forecast[:3])

        play(make_director(policy=policy, seed=seed))
        return draws

    assert len(set(drawn(1))) == len(drawn(1))
    assert not set(drawn(1)) & set(drawn(2))


def test_the_policy_is_shown_the_session_as_it_stands(make_director):
    seen = []
    director = make_director(policy=spy(seen))
    play(director)
    count = director.track.therapist_turns
    assert [situation.turn for situation in seen] == list(range(count))
    assert {situation.turns for situation in seen} == {count}
    assert [len(situation.labels) for situation in seen] == list(range(count))
    assert [situation.is_last for situation in seen] == [False] * (count - 1) + [True]
    assert [situation.process for situation in seen] == list(director.track.processes[::2])
    assert seen[0].last_talk is None
    assert [situation.last_talk for situation in seen[1:]] == [step.talk for step in director.track.clients]
    assert [situation.last_subtype for situation in seen[1:]] == [step.subtype for step in director.track.clients]


def test_the_forecaster_is_shown_what_was_said_so_far(make_director, fixed_forecaster):
    forecaster = fixed_forecaster()
    director = make_director(forecaster=forecaster)
    play(director)
    assert [len(turns) for turns in forecaster.asked] == list(range(0, director.track.length, 2))
    assert all(turns == tuple(director.turns[: len(turns)]) for turns in forecaster.asked)
    assert {turn.text for turn in director.turns} == {None}  # a plan has no words


def test_realised_labels_and_the_clients_own_talk_count(make_director):
    seen = []
    director = make_director(policy=spy(seen, "Open Question"))
    director.record_therapist(Utterance("therapist", "그러셨군요.", label="Simple Reflection"), director.decide(), "Simple Reflection")
    director.record_client(Utterance("client", "끊고 싶어요.", talk="change", talk_subtype="desire"), director.client_step())
    director.decide()
    assert seen[-1].labels == ("Simple Reflection",)
    assert (seen[-1].last_talk, seen[-1].last_subtype) == ("change", "desire")
    assert [turn.text for turn in director.turns] == ["그러셨군요.", "끊고 싶어요."]


def test_text_in_english_only_is_shown_too(make_director):
    director = make_director()
    director.record_therapist(Utterance("therapist", "", "Welcome.", label="General"), director.decide(), "General")
    assert director.turns[0].text == "Welcome."


def test_danger_is_counted_from_the_turn_that_answers_it(make_director):
    for seed in range(20):
        seen = []
        director = make_director(policy=spy(seen), arc="crisis", seed=seed)
        play(director)
        place = next(n for n, step in enumerate(director.track.clients) if step.discloses_danger)
        assert [situation.since_danger for situation in seen] == [None] * (place + 1) + list(range(1, len(seen) - place))


def test_without_danger_there_is_nothing_to_count(make_director):
    seen = []
    play(make_director(policy=spy(seen)))
    assert {situation.since_danger for situation in seen} == {None}


def test_a_correction_is_announced_to_the_reflection_before_it(make_director):
    seen = []
    director = make_director(policy=spy(seen), arc="misattuned_repair")
    play(director)
    place = next(n for n, step in enumerate(director.track.clients) if step.corrects_reflection)
    assert [situation.turn for situation in seen if situation.must_reflect] == [place]


def test_permission_is_pending_for_one_turn_and_counted(make_director):
    seen = []
    asks_at = {3, 6}
    director = make_director(policy=spy(seen, override=lambda situation: "permission" if situation.turn in asks_at else None))
    play(director)
    assert [situation.turn for situation in seen if situation.permission_pending] == [4, 7]
    assert [situation.permission_asked for situation in seen[:8]] == [0, 0, 0, 0, 1, 1, 1, 2]


def test_the_process_of_each_utterance_is_the_tracks(make_director):
    director, processes = make_director(), []
    while not director.finished:
        processes.append(director.process)
        if len(director.turns) % 2 == 0:
            director.record_therapist(None, director.decide())
        else:
            director.record_client(None, director.client_step())
    assert tuple(processes) == director.track.processes


@pytest.mark.parametrize("arc", ["crisis", "misattuned_repair"])
def test_the_default_policy_answers_danger_and_sets_up_corrections(make_director, arc):
    director = make_director(policy=kmi_policy, arc=arc)
    decisions = play(director)
    place = next(n for n, step in enumerate(director.track.clients) if step.discloses_danger or step.corrects_reflection)
    if arc == "crisis":
        assert [decision.override for decision in decisions[place + 1 : place + 3]] == ["safety", "safety"]
    else:
        assert decisions[place].label in REFLECTIONS
