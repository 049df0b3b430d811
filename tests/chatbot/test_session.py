"""The conversation with a person: the guard comes first on every backend, and nothing unchecked is shown."""

import asyncio

import pytest

from kmi.chatbot.guard import reply as guard_reply
from kmi.chatbot.session import ATTEMPTS, INSTEAD, LONGEST_MESSAGE, ROOM, process_of
from kmi.dialogue import Utterance
from kmi.errors import ConfigError, DataError, WriterError
from kmi.simulation.decision import POLICIES, Decision
from kmi.writers import WRITERS, make_writer

CALM = "담배를 끊고 싶은데 자꾸 실패해요. 이번 달만 세 번째예요."
DANGER = "요즘 그냥 죽고 싶어요"
GOOD = "T CR | 세 번이나 다시 마음먹을 만큼 끊고 싶은 거네요. | You want it enough to have started over three times."


class Untouched:
    """A writer that must not be called."""

    name, concurrency = "untouched", 1

    async def write(self, request):
        raise AssertionError("a model was asked")


def test_a_reply_comes_with_label_forecast_reason_and_talk(chat, says, ask, fixed_coder):
    writer = says(GOOD)
    reply = ask(chat(writer, coder=fixed_coder("change")), CALM)
    assert reply.text == "세 번이나 다시 마음먹을 만큼 끊고 싶은 거네요."
    assert (reply.label, reply.talk, reply.danger, reply.replaced) == ("Complex Reflection", "change", None, None)
    assert len(reply.forecast) == 3 and reply.reason
    assert CALM in writer.requests[0].messages[1]["content"] and writer.requests[0].cue.history == (CALM,)


def test_danger_is_answered_before_any_model_is_asked(chat, ask):
    reply = ask(chat(Untouched(), forecaster=None or object(), coder=object()), DANGER)
    assert reply.danger.kind == "suicide" and reply.text == guard_reply("suicide") and "109" in reply.text
    assert reply.forecast == () and reply.label == "Give Information"


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_the_guard_stands_before_every_backend(name, chat, ask, tmp_path, monkeypatch):
    options = {"openai": {"base_url": "http://127.0.0.1:9/v1", "model": "m"}, "local": {"model_path": tmp_path}, "batch": {"folder": tmp_path}}
    writer = make_writer(name, **options.get(name, {}))
    monkeypatch.setattr(type(writer), "write", Untouched.write)
    for messages in ((DANGER,), ("ㅈㅏㅅㅏㄹ하고 싶다",), ("친구가 죽고 싶다고 유서를 보냈어요",), ("나 죽고", "싶어요 진짜")):
        session = chat(writer)
        for message in messages[:-1]:
            session._watch.hear(message)
        assert ask(session, messages[-1]).danger
    with pytest.raises(AssertionError, match="a model was asked"):
        ask(chat(writer), CALM)


def test_a_danger_stays_in_force_and_then_lets_the_talk_go_on(chat, says, ask):
    session = chat(says(GOOD))
    texts = [ask(session, message).text for message in (DANGER, "네", "집이에요", "혼자예요")]
    assert texts[0] == guard_reply("suicide") and len(set(texts[:3])) == 3
    assert all("109" in text for text in texts)
    reply = ask(session, "고마워요. 담배 이야기를 이어서 하고 싶어요")
    assert reply.danger is None and reply.label == "Complex Reflection"


def test_nothing_switches_the_guard_off(chat):
    session = chat(Untouched())
    assert not [name for name in type(session).__dataclass_fields__ if "guard" in name or "safe" in name or "crisis" in name]


@pytest.mark.parametrize("bad, why", [("우울증이시네요. 힘드셨겠어요.", "diagnosis"), ("1393으로 전화해 보세요.", "retired_number"), ("차라리 죽는 게 나아요.", "encouragement")])
def test_what_must_not_be_said_is_never_shown(bad, why, chat, says, ask):
    writer = says(bad)
    reply = ask(chat(writer), CALM)
    assert (reply.text, reply.replaced) == (INSTEAD["ko"], why) and len(writer.requests) == ATTEMPTS
    assert ask(chat(says(bad, GOOD)), CALM).replaced is None


def test_a_style_fault_is_asked_again_but_shown_in_the_end(chat, says, ask):
    asks_in_a_reflection = "T CR | 그래서 세 번이나 하신 거예요? | So you did?"
    assert ask(chat(says(asks_in_a_reflection, GOOD)), CALM).text == "세 번이나 다시 마음먹을 만큼 끊고 싶은 거네요."
    assert ask(chat(says(asks_in_a_reflection)), CALM).text == "그래서 세 번이나 하신 거예요?"


def test_a_writer_that_fails_loses_nothing(chat, says, ask):
    session = chat(says(WriterError("the server is gone."), GOOD))
    with pytest.raises(WriterError, match="gone"):
        ask(session, CALM)
    assert session.said == []
    assert ask(session, CALM).text and len(session.said) == 2


def test_of_an_endless_message_the_guard_hears_the_ends(chat, ask):
    endless = "담배 얘기예요. " * 50_000
    session = chat(Untouched())
    assert ask(session, f"{endless} {DANGER}").danger and max(map(len, session._watch.heard)) <= 2 * LONGEST_MESSAGE + 1
    with pytest.raises(DataError, match="1 to 4,000 characters"):
        ask(chat(Untouched()), endless)


@pytest.mark.parametrize("message", ["", "   ", "가" * (LONGEST_MESSAGE + 1)])
def test_a_message_must_have_a_length(message, chat, ask):
    with pytest.raises(DataError, match="1 to 4,000 characters"):
        ask(chat(Untouched()), message)


def test_danger_is_seen_in_a_message_too_long_to_answer(chat, ask):
    assert ask(chat(Untouched()), "그냥 이런저런 얘기예요. " * 400 + DANGER).danger


def test_permission_is_followed_by_information(chat, says, ask, monkeypatch):
    situations = []

    def policy(situation, rng):
        situations.append(situation)
        return Decision("Closed Question", "ask permission", situation.forecast[:3], "permission" if len(situations) == 1 else None)

    monkeypatch.setitem(POLICIES, "kmi", policy)
    session = chat(says("T CQ | 금연 방법을 하나 말씀드려도 될까요? | May I?", "T CQ | 오늘 해 보셨어요? | Did you?"))
    ask(session, CALM, "네")
    assert [s.permission_pending for s in situations] == [False, True]
    assert [s.permission_asked for s in situations] == [0, 1]
    assert all(s.turns - s.turn == ROOM and not s.is_last for s in situations)


def test_streaming_gives_the_same_reply_in_sentences(chat, says):
    async def pieces():
        session = chat(says("T CR | 벌써 세 번이네요. 그만큼 끊고 싶으시고요. | Three times."))
        return [piece async for piece in session.stream(CALM)]

    assert asyncio.run(pieces()) == ["벌써 세 번이네요.", " 그만큼 끊고 싶으시고요."]


def test_english_speakers_are_answered_in_english(chat, says, ask):
    session = chat(says(GOOD), language="en")
    assert ask(session, "I keep failing to quit smoking").text == "You want it enough to have started over three times."
    assert "Are you safe" in ask(session, "I want to kill myself").text


def test_same_seed_same_decisions(chat, says, ask):
    labels = [[ask(chat(says("그렇군요."), seed=seed), *[CALM] * n).reason for n in (1, 2, 3)] for seed in (1, 1)]
    assert labels[0] == labels[1]


@pytest.mark.parametrize("options", [{"policy": "none"}, {"language": "fr"}])
def test_wrong_options_name_the_right_ones(options, chat):
    with pytest.raises(ConfigError, match="Expected a (policy|language) among"):
        chat(Untouched(), **options)


def test_planning_waits_for_change_talk():
    def said(talks):
        return [Utterance("client", "말", talk=talk) for talk in talks]

    assert process_of(said(["neutral"])) == "engaging"
    assert process_of(said(["neutral"] * 4)) == "focusing"
    assert process_of(said(["neutral"] * 9)) == "evoking"
    assert process_of(said(["neutral"] * 6 + ["change"] * 2)) == "planning"
