import math

import pytest

from kmi.dialogue_model.skeleton import BLANK, Skeletons

TEXTS = ["가게를 닫고 나면 마음이 쓰여요.", "아내를 보고 나면 마음이 쓰여요.", "술을 끊고 나면 편해요.", "담배를 끊고 싶어요."]


@pytest.fixture
def skeletons():
    return Skeletons(TEXTS)


def test_everyday_words_and_endings_stay_and_the_rest_is_blank(skeletons):
    # 마음이, 쓰여요, 나면 and 끊고 are said in two turns or more; 를, 고 and 요 end two different words or more.
    assert skeletons.of("딸아이를 두고 나면 마음이 쓰여요.") == f"{BLANK}를 {BLANK}고 나면 마음이 쓰여요."
    assert skeletons.of("(바다) 파랗군!") == f"({BLANK}) {BLANK}!"


def test_what_is_all_everyday_has_no_blank(skeletons):
    assert skeletons.of("나면 마음이 쓰여요…") == "나면 마음이 쓰여요…"
    assert skeletons.of("… ?") == "… ?" and skeletons.of("") == ""


def test_the_longest_usual_ending_is_kept(skeletons):
    # Both 쓰여요 and 싶어요 end in 요, 편해요 too; 해요 ends but one word.
    assert skeletons.of("좋아해요") == f"{BLANK}요"


def test_a_text_said_often_counts_once():
    assert Skeletons(["바다가 좋아요."] * 50).of("바다가") == BLANK


def test_what_nobody_here_has_said_is_foreign_the_rarer_the_more(skeletons):
    # Of 마음이 쓰여요 both are said twice, 1 - log 2 / log 10 = .70 each; 아내를 and 바다로 are said once or never.
    assert skeletons.foreign("마음이 쓰여요", "") == pytest.approx(1 - math.log(2) / math.log(10))
    assert skeletons.foreign("아내를 바다로", "") == 1.0
    assert skeletons.foreign("아내를 바다로", "아내가 울어요") == 0.5  # the stem is there
    assert skeletons.foreign("", "술") == 0.0
