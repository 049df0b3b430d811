import math

import pytest

from kmi.corpus.own_words import OwnWords

TEXTS = ["가게를 닫고 나면 마음이 쓰여요.", "아내를 보고 나면 마음이 쓰여요.", "술을 끊고 나면 편해요.", "담배를 끊고 싶어요."]


@pytest.fixture
def own():
    return OwnWords(TEXTS)


def test_what_nobody_here_has_said_is_foreign_the_rarer_the_more(own):
    # Of 마음이 쓰여요 both are said twice, 1 - log 2 / log 10 = .70 each; 아내를 and 바다로 are said once or never.
    assert own.foreign("마음이 쓰여요", "") == pytest.approx(1 - math.log(2) / math.log(10))
    assert own.foreign("아내를 바다로", "") == 1.0
    assert own.foreign("아내를 바다로", "아내가 울어요") == 0.5  # the stem is there
    assert own.foreign("", "술") == own.foreign("… ?", "술") == 0.0


def test_stems_lose_the_longest_usual_ending_and_marks(own):
    # 를 ends three different words, 요 four; 을 ends but one.
    assert own.of("“아내를” 술을 좋아해요!") == {"아내": pytest.approx(1 / 3), "술을": pytest.approx(1 / 3), "좋아해": pytest.approx(1 / 3)}


def test_the_same_stem_twice_counts_for_both(own):
    assert own.of("담배를 담배를") == {"담배": 1.0}


def test_a_text_said_often_counts_once():
    assert OwnWords(["바다가 좋아요."] * 50).of("바다가") == {"바다가": 1.0}


def test_what_is_said_everywhere_is_nobodys():
    assert OwnWords([f"그런 {n}" for n in range(1000)]).foreign("그런", "") == 0.0
