from types import SimpleNamespace

import pytest

from kmi.errors import WriterError
from kmi.simulation.track import ClientStep
from kmi.space import practise
from kmi.space.answering import next_step

TURNS = ("오늘은 어떤 이야기부터 해 볼까요?", "그 일이 많이 마음에 걸리셨군요.", "무엇이 제일 걱정되세요?")


def play(engine, *turns, name=None):
    name, state, shown = name or practise.clients()[0].id, None, None
    for text in turns:
        shown = practise.take_turn(engine, text, state, name, "ko")
        state = shown[1]
    return state, shown


def test_clients_are_of_several_kinds_and_none_in_danger():
    found = practise.clients()
    assert len({d.category for d in found}) == len(found) >= 6 and all(d.split == "test" and d.arc != "crisis" for d in found)


def test_every_turn_is_coded_and_answered(engine):
    state, (box, _, talk, figures, help_) = play(engine, *TURNS)
    assert box == "" and help_ == "" and [turn.role for turn in state.said] == ["therapist", "client"] * 3
    assert all(turn.label for turn in state.said[::2]) and len(state.decisions) == 3
    assert talk.count("kmi-turn") == 6 and "<svg" in figures
    own = {turn.utterance_ko for turn in state.dialogue.utterances}
    assert sum(turn.text in own for turn in state.said[1::2]) >= 2  # one person is talking


def test_the_client_answers_what_the_visitor_did(engine):
    state, _ = play(engine, TURNS[0])
    state.director.record_therapist(None, state.director.decide(), "Advise")
    practise.react(state.director, "Advise", asked=False)
    assert state.director.client_step() == ClientStep("sustain")


@pytest.mark.parametrize(("before", "talk"), [(TURNS[0], "sustain"), ("제가 아는 방법을 하나 말씀드려도 될까요?", "as the place has it")])
def test_advice_is_pushed_back_unless_the_visitor_asked_first(engine, monkeypatch, before, talk):
    monkeypatch.setattr(type(engine), "coder", SimpleNamespace(code_turns=lambda turns: [SimpleNamespace(label="Advise")] * len(turns)))
    state, _ = play(engine, before, "매일 저녁 삼십 분씩 걸어 보세요.")
    track = practise.start(engine, practise.clients()[0].id).director.track
    wanted = next_step(track.clients, 1, state.director.case, "Advise", asked=talk != "sustain")
    assert state.said[3].talk == wanted.talk and (talk != "sustain" or wanted.talk == "sustain")


def test_a_client_that_cannot_answer_takes_the_turn_back(engine, monkeypatch):
    state, _ = play(engine, TURNS[0])

    async def fails(self, request):
        raise WriterError("gone")

    monkeypatch.setattr("kmi.writers.retrieval.RetrievalWriter.write", fails)
    box, state, *_, help_ = practise.take_turn(engine, TURNS[1], state, "", "ko")
    assert box == TURNS[1] and "gone" in help_ and len(state.said) == 2 and len(state.director.turns) == 2


@pytest.mark.parametrize("text", ["", "   ", "가" * 1001])
def test_a_turn_has_a_length(engine, text):
    state, (box, *_, help_) = play(engine, text)
    assert box == text and "1000" in help_ and state.said == []


def test_help_stands_beside_talk_of_dying_and_the_exercise_goes_on(engine):
    state, shown = play(engine, "저도 그냥 죽고 싶어요")
    assert "109" in shown[-1] and len(state.said) == 2
    assert play(engine, "스스로 해 보려고 하셨네요.")[1][-1] == ""  # a counsellor's words, which the guard half suspects


def test_the_end_of_the_session_is_told(engine, monkeypatch):
    state, _ = play(engine, TURNS[0])
    monkeypatch.setattr(type(state.director), "finished", property(lambda self: True))
    assert "끝까지 왔습니다" in practise.take_turn(engine, TURNS[1], state, "", "ko")[-1]
