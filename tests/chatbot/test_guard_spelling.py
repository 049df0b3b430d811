"""Each way of hiding a word is undone; ordinary words stay what they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmi.chatbot.guard_spelling import plain, readings


@pytest.mark.parametrize(
    "typed, read",
    [
        ("죽 고 싶 다", "죽고싶다"),
        ("죽.고.싶.어.요", "죽고싶어요"),
        ("ㅈㅏㅅㅏㄹ", "자살"),
        ("ㅈr살", "자살"),
        ("자ㅅㅏㄹ", "자살"),
        ("자sal", "자살"),
        ("죽ㄱ ㅗ 싶어 ㅠ", "죽고 싶어"),
        ("죽\u200b고 싶어", "죽고 싶어"),
        ("ﾱﾡﾷㅏㄹ".replace("ﾱﾡﾷㅏㄹ", "ㅈㅏㅅㅏㄹ"), "자살"),
        ("ｋｉｌｌ ｍｙｓｅｌｆ", "kill myself"),
    ],
)
def test_what_hides_a_word_is_undone(typed, read):
    assert any(read in reading for reading in readings(typed)), readings(typed)


@pytest.mark.parametrize("text", ["오늘은 날씨가 좋네요.", "그 뒤로 안 갔어요", "ㅋㅋㅋ 그러게요", "ㅇㅋ ㅠ 알겠어", "5시 30분에 만나요", "I went home."])
def test_ordinary_text_has_one_reading(text):
    assert readings(text)[0] == plain(text)
    assert all(reading.replace(" ", "").replace(".", "") == plain(text).replace(" ", "").replace(".", "") for reading in readings(text))


@given(st.text(max_size=60))
def test_any_text_can_be_read(text):
    found = readings(text)
    assert found[0] == plain(text)
    assert len(found) == len(set(found)) <= 4


def test_reading_twice_changes_nothing():
    for text in ("ㅈㅏㅅㅏㄹ", "죽 고 싶 다", "배고파 죽겠어요"):
        assert plain(plain(text)) == plain(text)
