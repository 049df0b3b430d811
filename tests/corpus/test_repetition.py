"""Distinct-n, repeated turns, shared spans, near duplicates: by hand-counted cases."""

import pytest

from kmi.corpus.repetition import distinct, distinct_by_role, near_duplicates, repeated_turns, shared_spans
from kmi.dialogue import Dialogue, Utterance


def dialogue(id_, *texts):
    roles = ("therapist", "client")
    return Dialogue(id_, "가족", "글", tuple(Utterance(roles[i % 2], text) for i, text in enumerate(texts)))


def test_distinct_counts_different_over_all_grams():
    # "가 나 가 나": bigrams 가나, 나가, 가나 -> 2 different of 3.
    assert distinct(["가 나 가 나"], 2) == pytest.approx(2 / 3)
    # Grams do not cross turns: 가나, 가나 -> 1 of 2.
    assert distinct(["가 나", "가 나"], 2) == 0.5
    assert distinct(["가"], 2) is None


def test_distinct_keeps_the_roles_apart():
    found = distinct_by_role([dialogue("a", "가 나 다", "라 라 라 라")])
    assert found["therapist"] == {2: 1.0, 3: 1.0}
    assert found["client"] == {2: pytest.approx(1 / 3), 3: 0.5}  # 라라 three times; 라라라 twice


def test_only_long_therapist_turns_count_as_repeated():
    long, short = "지난주에는 세 번 늦게 출근하셨고요.", "그러셨군요."
    found = repeated_turns([dialogue("a", long, short, short), dialogue("b", long, long, short)])
    assert found == [(long, ["a", "b"])]


def test_spans_are_counted_once_a_dialogue():
    span = "하나 둘 셋 넷 다섯 여섯 일곱"
    four = [dialogue(str(n), f"{span} 끝{n}", f"{span} 또{n}") for n in range(4)]
    assert shared_spans(four) == [(span, 4)]
    assert shared_spans(four[:3]) == []


def test_a_near_copy_is_found_and_a_stranger_is_not():
    texts = [f"말 {n} 번째 이야기는 이렇게 {n * 7} 하고 {n * 13} 흘러갑니다" for n in range(20)]
    copy = [*texts[:18], "전혀 다른 맺음말을 하고 일어섭니다", "문을 닫고 나갑니다 오늘은 이만"]
    other = [f"다른 {n} 삶에서는 {n * 3} 아침이 {n * 11} 조용히 옵니다 그렇죠" for n in range(20)]
    pairs = near_duplicates([dialogue("a", *texts), dialogue("b", *other), dialogue("c", *copy)])
    assert [(first, second) for first, second, _ in pairs] == [("a", "c")]
    assert pairs[0][2] > 0.4
