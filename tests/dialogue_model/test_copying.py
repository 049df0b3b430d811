import pytest

from kmi.dialogue_model.copying import Turns


@pytest.mark.parametrize(
    ("text", "overlap"),
    [
        ("가나다라마바사", 1.0),
        ("가나다라마바사아자차", 0.5),  # 3 of its 6 grams
        ("전혀 다른 말입니다", 0.0),
        ("가나", 0.0),
    ],
)
def test_overlap_is_the_share_of_grams_in_one_turn(text, overlap):
    assert Turns(["가나다라마바사", "하나 둘 셋 넷"]).overlap(text) == pytest.approx(overlap)


def test_parts_of_two_turns_do_not_add_up():
    turns = Turns(["가나다라마바", "사아자차카타"])
    assert turns.overlap("가나다라마바사아자차카타") == pytest.approx(2 / 8)
    assert not turns.copied("가나다라마바사아자차카타") and turns.copied("가나다라마바")


def test_short_texts_are_compared_whole():
    assert Turns(["네."]).overlap("네.") == 1.0 and Turns(["네."]).overlap("예.") == 0.0
