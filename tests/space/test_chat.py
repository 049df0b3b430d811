import json
from pathlib import Path

from kmi.chatbot import ChatSession
from kmi.chatbot.guard import reply as fixed_reply
from kmi.dialogue import read_jsonl
from kmi.errors import WriterError
from kmi.space import chat


def talk(engine, *messages, language="ko"):
    """All that the page shows for messages sent one after the other; the last state."""
    shown, session, seen = [], None, []
    for message in messages:
        states = list(chat.respond(engine, message, shown, session, language))
        seen += [(box, window, trouble) for box, window, _, trouble in states]
        _, shown, session, _ = states[-1]
    return seen, shown, session


def test_a_reply_comes_sentence_by_sentence_with_why_under_it(engine):
    seen, shown, session = talk(engine, "담배를 끊고 싶은데 자꾸 실패해요.")
    assert seen[0][1] == [{"role": "user", "content": "담배를 끊고 싶은데 자꾸 실패해요."}]
    assert [message["role"] for message in shown] == ["user", "assistant", "assistant"]
    why = shown[-1]
    assert "왜 이 말인가" in why["metadata"]["title"] and why["metadata"]["status"] == "done"
    assert "고른 까닭" in why["content"] and why["content"].count("█") > 3
    assert shown[1]["content"] == session.said[-1].text


def test_danger_is_answered_by_fixed_text_and_no_model(engine, monkeypatch):
    monkeypatch.setattr(engine.writer, "write", None)
    _, shown, session = talk(engine, "요즘 그냥 죽고 싶어요")
    assert shown[1]["content"].startswith(fixed_reply("suicide")[:20]) and "<strong>109</strong>" in shown[1]["content"]
    assert "정해진 글" in shown[2]["metadata"]["title"] and session.said[-1].text == fixed_reply("suicide")


def test_html_is_shown_as_text(engine):
    _, shown, _ = talk(engine, "<img src=x onerror=alert(1)> 담배 얘기예요")
    assert shown[0]["content"].startswith("&lt;img")


def test_a_writer_that_fails_gives_the_text_back(engine, monkeypatch):
    async def fails(request):
        raise WriterError("The server is gone.", "Try again.")

    monkeypatch.setattr(engine.writer, "write", fails)
    seen, shown, session = talk(engine, "담배를 끊고 싶어요.")
    assert shown == [] and seen[-1][0] == "담배를 끊고 싶어요." and "잠시 뒤 다시" in seen[-1][2] and session.said == []


def test_an_endless_message_is_refused_in_words(engine):
    seen, shown, _ = talk(engine, "담배 " * 300_000)
    assert shown == [] and "4,000" in seen[-1][2]


def test_the_conversation_is_saved_as_text_and_as_a_record(engine):
    _, _, session = talk(engine, "담배를 끊고 싶은데 자꾸 실패해요.")
    text = Path(chat.save_text(session, "ko")).read_text(encoding="utf-8")
    assert text.startswith("내담자: 담배를") and "\n상담자: " in text
    (record,) = read_jsonl(chat.save_jsonl(session))
    assert [turn.text for turn in record.utterances] == [turn.text for turn in session.said]
    assert "아직" in Path(chat.save_text(None, "ko")).read_text(encoding="utf-8")
    assert Path(chat.save_jsonl(None)).read_text(encoding="utf-8").strip() == ""


def test_the_language_of_fixed_texts_follows_the_switch(engine):
    _, shown, _ = talk(engine, "I want to kill myself", language="en")
    assert "109" in shown[1]["content"] and "Crisis help" in shown[2]["metadata"]["title"]


def test_two_visitors_have_two_sessions(engine):
    _, _, one = talk(engine, "담배 이야기예요.")
    _, _, other = talk(engine, "시험 이야기예요.")
    assert isinstance(one, ChatSession) and one is not other and "담배" not in json.dumps([turn.text for turn in other.said if turn.role == "client"], ensure_ascii=False)
