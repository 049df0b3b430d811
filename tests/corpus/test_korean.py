import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmi.corpus.korean import asks, hangul_share, invites, is_polite, sentences

POLITE = [
    "어서 오세요.", "지난주에는 세 번 늦게 출근하셨고요.", "말씀 잘 들었습니다.", "그러셨군요.", "맞아요, 그 말씀이 맞지요.", "여기 앉으십시오.",
    "치과는 꼭 가십시오.", "그 시간만큼은 편하셨던 거죠.", "많이 지치셨네요.", "여덟 달.", "딸의 방, 그리고 거실.", "네.", "고르시는 건 내담자님 몫이에요",
    "쉬고 싶은 마음, 그러면서도 뒤처질까 하는 불안이요.", "'나는 안 돼'라고 스스로에게 말하셨어요.", "“그만 좀 해라.” 하고 남편분이 말했군요.",
    "혼자서 다 해내셨다니.", "오늘은 여기까지 하겠습니다", "천천히 하셔도 돼요!", "그럴 수 있지요 ^^",
]  # fmt: skip
PLAIN = [
    "그건 네 잘못이 아니야.", "많이 힘들었구나.", "오늘은 여기까지 한다.", "술을 끊어야 해.", "그렇게 생각하지 마라.", "같이 해 보자.",
    "어서 오세요. 무슨 일로 왔니?",
    "줄이고 싶은 마음이 크다.", "그랬어?", "괜찮다고 말했다. 그리고 웃으셨어요.",
]  # fmt: skip
ASKING = [
    "오늘은 어떠셨어요?", "무엇이 걸리세요?", "언제부터 그러셨나요", "얘기를 좀 드려도 될까요.", "술을 드십니까", "괜찮으신가요",
    "그런가요…",
    "같이 해 보실래요", "맞아요? 그럼 다행이고요.", "뭐가 제일 힘드셨어요？", "조금 더 말씀해 주실 수 있을까요",
]  # fmt: skip
NOT_ASKING = [
    "오늘은 많이 지치셨어요.", "'왜 나만 이럴까?' 하고 물으셨고요.", "“언제 끊을 거야?”라는 말을 들으셨군요.", "어떻게 할지 아직 모르겠다고 하셨어요.",
    "얼마나 힘드셨을지 짐작이 됩니다.", "무엇이든 좋습니다.", "", "네.", "끊을까 말까 하는 마음이 오가시고요.",
]  # fmt: skip
INVITING = ["그 이야기를 조금 더 들려주세요.", "편하게 말씀해 주세요.", "그날 일을 한번 떠올려 보세요.", "어떤 밤이었는지 궁금해요.", "조금만 더 이야기해 주시겠어요."]
NOT_INVITING = ["어서 오세요.", "천천히 하세요.", "그렇게 말씀하셨어요.", "따님이 궁금해하셨군요.", "말씀해 주셔서 고맙습니다."]


@pytest.mark.parametrize("text", POLITE)
def test_polite_turns_pass(text):
    assert is_polite(text)


@pytest.mark.parametrize("text", PLAIN)
def test_plain_endings_are_noticed(text):
    assert not is_polite(text)


@pytest.mark.parametrize("text", ASKING)
def test_questions_ask_with_and_without_the_mark(text):
    assert asks(text)


@pytest.mark.parametrize("text", NOT_ASKING)
def test_statements_and_quoted_questions_do_not_ask(text):
    assert not asks(text)


@pytest.mark.parametrize("text", INVITING)
def test_tell_me_more_invites(text):
    assert invites(text)


@pytest.mark.parametrize("text", NOT_INVITING)
def test_other_turns_do_not_invite(text):
    assert not invites(text)


@pytest.mark.parametrize("text", NOT_INVITING)
def test_statements_without_a_mark_do_not_ask_either(text):
    assert not asks(text)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("어서 오세요. 앉으세요.", ["polite", "polite"]),
        ("어서 와. 앉으세요.", ["plain", "polite"]),
        ("여덟 달. 길었네요.", ["fragment", "polite"]),
        ("", []),
    ],
)
def test_levels_sentence_by_sentence(text, levels):
    assert [sentence.level for sentence in sentences(text)] == levels


def test_quotations_are_taken_out_before_anything_is_read():
    assert "뭐 해" not in "".join(sentence.text for sentence in sentences("'야 뭐 해?'라고 하셨어요."))
    assert sentences("‘죽을 거야’ 하는 말이 나오셨군요.")[0].level == "polite"


@pytest.mark.parametrize(
    ("text", "share"),
    [("가나다", 1.0), ("abc", 0.0), ("가a", 0.5), ("123 !?", 1.0), ("", 1.0), ("ㅋㅋ요", 1.0), ("가漢字あ", 0.25), ("가나 ab 😀", 0.5)],
)
def test_share_of_hangul_by_hand(text, share):
    assert hangul_share(text) == pytest.approx(share)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_can_be_read(text):
    assert 0 <= hangul_share(text) <= 1
    assert isinstance(is_polite(text), bool) and isinstance(asks(text), bool) and isinstance(invites(text), bool)
