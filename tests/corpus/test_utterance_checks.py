from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmi.codes import REFLECTIONS, THERAPIST, THERAPIST_LABELS
from kmi.corpus.utterance_checks import CRISIS_LINES, MAX_LENGTH, check_utterance
from kmi.dialogue import Utterance

LONG = "가게 문을 닫고 나면 혼자 앉아 있는 시간이 제일 길게 느껴진다고 하셨어요. "


def therapist(text, label="Complex Reflection"):
    return Utterance("therapist", text, label=label)


def client(text):
    return Utterance("client", text, talk="neutral")


def rules(turn, earlier=(), **options):
    return [finding.rule for finding in check_utterance(turn, earlier, **options)]


GOOD = [
    therapist("쉬고 싶은 마음만큼이나, 쉬면 뒤처질 것 같은 불안도 크신 것 같아요."),
    therapist("'왜 나만 이럴까?' 하는 물음이 자꾸 올라오시고요."),
    therapist("술을 줄이고 싶다는 생각은 어떤 때 드세요?", "Open Question"),
    therapist("그날 일을 조금 더 들려주세요.", "Open Question"),
    therapist("지금 0에서 10 사이라면 어디쯤이세요?", "Closed Question"),
    therapist("잠들기 전에 휴대폰을 거실에 두시면 어떨까요.", "Advise"),
    therapist("혼자 두기 어려운 밤에는 109가 24시간 열려 있습니다.", "Give Information"),
    therapist("정신건강 위기상담 1577-0199도 밤에 받습니다. 청소년은 1388, 도박은 1336이에요.", "Give Information"),
    therapist("급할 때는 112나 119가 먼저예요.", "Give Information"),
    therapist("네.", "General"),
    therapist("어서 오세요. 오늘은 오십 분 정도 이야기 나누게 됩니다.", "General"),
    client("몰라. 그냥 싫어."),
    client("월급이 210만 원인데 월세가 45만 원이에요. 2024년 3월부터요."),
    client("아 진짜 ㅋㅋㅋ 그건 아니죠 ㅠㅠ"),
    client("TV 보다가 PC방 가요."),
    client("형이 그랬어요, '니가 먼저 전화해라'라고."),
    client("내가 말했어: 그만하자고."),
]
BAD = [
    (therapist(""), "empty"),
    (therapist("   "), "empty"),
    (therapist("상담자: 많이 지치셨어요."), "role_leak"),
    (therapist("[상담사] : 많이 지치셨어요."), "role_leak"),
    (client("내담자: 그냥 그래요."), "role_leak"),
    (client("Client: 요즘은 그냥 그래요."), "role_leak"),
    (client("assistant: 요즘은 그냥 아무 생각 없이 지내요."), "role_leak"),
    (client("C: 그냥 그래요."), "role_leak"),
    (therapist("(CR) 많이 지치셨어요."), "label_leak"),
    (therapist("CR 많이 지치셨어요."), "label_leak"),
    (therapist("[change/desire] 요즘 가게 일로 많이 지치신 것 같아요."), "label_leak"),
    (therapist("복합 반영: 많이 지치셨어요."), "label_leak"),
    (therapist("방금은 단순 반영을 해 드렸어요."), "label_leak"),
    (therapist("방금 제가 드린 말씀은 Open Question이었습니다."), "label_leak"),
    (client("저는 변화 대화를 하고 있어요."), "label_leak"),
    (client("유지대화입니다 저는."), "label_leak"),
    (therapist("요즘 가게 일로 많이 지치신 것 같아요. | You are tired."), "marker"),
    (therapist("```많이 지치셨어요.```"), "marker"),
    (therapist('#{"packet": "a"} 요즘 많이 지치신 것 같아요.'), "marker"),
    (therapist("== engaging 요즘 가게 일로 많이 지치셨어요."), "marker"),
    (client("그런 건 아니에요 !fix"), "marker"),
    (therapist("많이 지치셨어요.\n좀 쉬세요."), "marker"),
    (therapist("힘드시면 1393으로 전화하세요.", "Give Information"), "retired_line"),
    (therapist("1393번이 있습니다.", "Give Information"), "retired_line"),
    (client("제 번호는 010-1234-5678이에요."), "contact"),
    (client("01012345678로 연락 주세요."), "contact"),
    (client("집은 02-123-4567이에요."), "contact"),
    (therapist("예약은 1588-1234에서 됩니다.", "Give Information"), "contact"),
    (therapist("+82 10-1234-5678로 전화 주세요.", "Give Information"), "contact"),
    (client("메일은 hong@naver.com으로 보내 주시면 됩니다."), "contact"),
    (therapist(LONG * 8), "length"),
    (client("가" * 421), "length"),
    (client("네. " * 10 + "맞아요."), "length"),
    (therapist("You seem very tired today."), "language"),
    (therapist("お疲れさまでした。大変でしたね。"), "language"),
    (therapist("辛苦了, 많이 累了吧 真的 很 辛苦。"), "language"),
    (therapist("???"), "language"),
    (client("ㅋㅋㅋㅋㅋ"), "language"),
    (therapist("많이 지치셨어요.", "Open Question"), "not_a_question"),
    (therapist("'왜 나만 이럴까?' 하고 물으셨고요.", "Closed Question"), "not_a_question"),
    (therapist("많이 지치셨어요?"), "asks"),
    (therapist("이번 주는 좀 쉬셨나요"), "asks"),
    (therapist("어서 오세요. 무엇부터 이야기할까요?", "General"), "asks"),
    (therapist("이틀을 참으셨어요. 어떻게 하셨어요?", "Affirm"), "asks"),
    (therapist("보건소에 가 보시면 어떨까요?", "Advise"), "asks"),
    (therapist("많이 지쳤구나.", "Simple Reflection"), "speech_level"),
    (therapist("술을 끊어야 한다.", "Advise"), "speech_level"),
    (therapist("네. 네. 네. 네. 네. 그러셨군요.", "General"), "length"),
]  # fmt: skip


@pytest.mark.parametrize("turn", GOOD, ids=lambda turn: turn.utterance_ko[:30])
def test_good_turns_pass(turn):
    assert check_utterance(turn) == []


@pytest.mark.parametrize(("turn", "rule"), BAD, ids=lambda value: getattr(value, "utterance_ko", value)[:30])
def test_bad_turns_fail_on_their_rule_and_no_other(turn, rule):
    found = set(rules(turn))
    # A short turn with a Latin marker in it is hardly Korean any more; that is no other fault.
    assert rule in found and found <= {rule, "language"}
    assert found == {rule} or rule in {"role_leak", "label_leak", "marker", "contact"}


def test_every_rule_has_a_golden_case():
    tried = {rule for _, rule in BAD} | {"safety", "repetition"}
    assert tried == {
        "empty", "role_leak", "label_leak", "marker", "retired_line", "contact", "length", "language", "not_a_question", "asks",
        "speech_level", "safety", "repetition",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["ADHD 같아요.", "SNS는 안 해요.", "KTX 타고요.", "GTX요."])
def test_short_turns_with_a_latin_word_are_korean(text):
    assert check_utterance(client(text)) == []


@pytest.mark.parametrize("label", THERAPIST_LABELS)
def test_the_example_of_each_label_passes_under_its_label(label):
    assert check_utterance(therapist(THERAPIST[label].example_ko, label)) == []


@pytest.mark.parametrize(("asked", "given"), [("Open Question", "Affirm"), ("Closed Question", "General"), ("Complex Reflection", "Open Question")])
def test_questions_and_others_cannot_stand_for_each_other(asked, given):
    assert rules(therapist(THERAPIST[asked].example_ko, given)) in (["asks"], ["not_a_question"])


@pytest.mark.parametrize("label", sorted(REFLECTIONS | {"Affirm", "General", "Give Information"}))
def test_what_does_not_ask_may_not_ask(label):
    assert rules(therapist("오늘은 무엇이 걸리세요?", label)) == ["asks"]


def test_a_client_may_ask_and_speak_as_they_like():
    for text in ["선생님은 술 드세요?", "몰라 그냥 그래", "됐어.", "그라모 내가 와 숙여야 됩니까."]:
        assert check_utterance(client(text)) == []


def test_a_turn_without_label_is_not_judged_by_one():
    assert check_utterance(Utterance("therapist", "무엇이 걸리세요?")) == []


@pytest.mark.parametrize("text", ["공장은 1998-2001년에 다녔어요.", "월 1600 2000 벌던 때도 있었죠."])
def test_years_and_sums_are_no_phone_number(text):
    assert check_utterance(client(text)) == []


@pytest.mark.parametrize("number", sorted(CRISIS_LINES - {"1577-0199"}))
def test_crisis_lines_may_be_named_in_any_wording(number):
    for text in (f"{number}으로 전화하실 수 있습니다.", f"전화는 {number}입니다.", f"'{number}'이라는 번호가 있어요."):
        assert check_utterance(therapist(text, "Give Information")) == []


def test_lengths_at_the_limit():
    for role, limit in MAX_LENGTH.items():
        turn = Utterance(role, "가" * (limit - 3) + "요.", label="General" if role == "therapist" else None)
        assert rules(turn) == []
        assert rules(Utterance(role, "가" * limit + ".", label=turn.label)) == ["length"]


def test_a_safety_turn_must_name_the_line():
    assert rules(therapist("곁에 누가 있는지 함께 떠올려 봐요.", "Give Information"), must_name="109") == ["safety"]
    assert rules(therapist("밤에는 109가 열려 있어요.", "Give Information"), must_name="109") == []


def test_a_long_number_that_holds_109_does_not_name_the_line():
    text = "상담료는 10900원이고 보건소에서 받으실 수 있어요."
    assert rules(therapist(text, "Give Information"), must_name="109") == ["safety"]


EARLIER = [
    therapist("가게를 닫고 나면 혼자 남는 시간이 제일 길게 느껴지시고요."),
    client("네."),
    client("딸이 방문을 잠그고 자는 게 제일 마음에 걸려요."),
]


@pytest.mark.parametrize(
    "text",
    [
        "가게를 닫고 나면 혼자 남는 시간이 제일 길게 느껴지시고요.",
        "  가게를 닫고 나면 혼자 남는 시간이 제일 길게 느껴지시고요. ",
        "가게를 닫고 나면, 혼자 남는 시간이 제일 길게 느껴지시는군요.",
        "가게 닫고 나면 혼자 남는 시간이 제일 길게 느껴지시고요.",
    ],
)
def test_repeated_turns_are_found_even_if_retouched(text):
    assert rules(therapist(text), EARLIER) == ["repetition"]


def test_the_client_may_not_repeat_a_therapist_either():
    assert rules(client(EARLIER[0].utterance_ko), EARLIER) == ["repetition"]


@pytest.mark.parametrize("text", ["가게를 닫는 일이 버거우시고요.", "딸의 방문이 마음에 걸리시는군요. 그 소리를 들으면 잠이 달아나시고요.", "네, 그러셨군요."])
def test_new_turns_on_the_same_matter_are_no_repetition(text):
    assert rules(therapist(text), EARLIER) == []


def test_the_message_counts_turns_from_one():
    found = check_utterance(client(EARLIER[2].utterance_ko), EARLIER)
    assert "3번째" in found[0].message


def test_messages_say_in_korean_what_to_do():
    for turn, _ in BAD:
        for finding in check_utterance(turn):
            assert any("가" <= letter <= "힣" for letter in finding.message)


@given(st.text(max_size=120), st.sampled_from([None, *THERAPIST_LABELS]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_text_is_judged_without_error(text, label, is_client):
    turn = Utterance("client", text, talk="neutral") if is_client else Utterance("therapist", text, label=label)
    findings = check_utterance(turn, EARLIER)
    assert all(finding.rule and finding.message for finding in findings)


def test_half_a_character_is_judged_without_error():
    assert isinstance(check_utterance(client("반쪽 \ud83d 글자예요")), list)


def test_wrapping_does_not_hide_a_leak():
    """Every way of putting a code in front of a turn, on both roles."""
    for (left, right), code in product(["()", "[]", "<>", "【】"], ["SR", "AF", "change", "sustain"]):
        assert "label_leak" in rules(therapist(f"{left}{code}{right} 많이 지치셨어요.")), (left, code)
