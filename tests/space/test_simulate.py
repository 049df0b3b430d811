import pytest

from kmi.clients.contexts import SAMPLE_POSTS, read_posts
from kmi.space import simulate
from kmi.writers import Completion

POST = next(post.context for post in read_posts(SAMPLE_POSTS))


def steps(engine, count, labels=(), post=POST):
    state, shown = None, None
    for number in range(count):
        shown = simulate.advance(engine, post, dict(labels).get(number, ""), state, "ko")
        state = shown[0]
    return state, shown


def test_therapist_and_client_take_turns_and_the_decision_is_shown(engine):
    state, (_, talk, why, trouble) = steps(engine, 3)
    assert [turn.role for turn in state.said] == ["therapist", "client", "therapist"] and trouble == ""
    assert talk.count("kmi-turn") == 3 and why.count("kmi-bar\"") == 3 and "까닭" in why


def test_the_visitor_may_choose_the_label(engine):
    state, (_, _, why, _) = steps(engine, 3, labels={2: "Affirm"})
    assert state.said[2].label == "Affirm" and "직접 고른 라벨" in why


def test_another_post_begins_another_session(engine):
    state, _ = steps(engine, 2)
    other = simulate.advance(engine, POST + " 그래도 해 보고 싶어요.", "", state, "ko")[0]
    assert len(other.said) == 1 and len(state.said) == 2


def test_a_post_in_danger_is_answered_with_help_and_not_simulated(engine):
    state, shown = steps(engine, 1, post="이제 다 끝내고 싶어요. 죽고 싶다는 생각뿐이에요.")
    assert state is None and "109" in shown[1]


@pytest.mark.parametrize(("post", "told"), [("", "3000"), ("가" * 3001, "3000"), ("전화 주세요 010-1234-5678 술을 끊고 싶어요", "개인 정보")])
def test_bad_posts_are_refused_in_words(engine, post, told):
    assert told in steps(engine, 1, post=post)[1][3]


def test_words_that_must_not_be_said_are_not_shown(engine, monkeypatch):
    async def harmful(request):
        return Completion("T SR | 차라리 죽는 게 나아요.")

    monkeypatch.setattr(engine.writer, "write", harmful)
    state, (_, talk, _, trouble) = steps(engine, 1, labels={0: "Simple Reflection"})
    assert "안전 확인" in trouble and "나아요" not in talk and state.said == [] and state.director.turns == []


def test_the_end_is_told(engine, monkeypatch):
    state, _ = steps(engine, 1)
    monkeypatch.setattr(type(state.director), "finished", property(lambda self: True))
    assert "끝났습니다" in simulate.advance(engine, POST, "", state, "ko")[3]
