import re

import pytest

from kmi.codes import TALK, THERAPIST
from kmi.dialogue import Forecast, Utterance
from kmi.space import markup

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script> & \"'"


@pytest.mark.parametrize(
    "made",
    [
        markup.plain(EVIL), markup.plain_block(EVIL), markup.notice(EVIL), markup.curve([0.5], EVIL), markup.chip(EVIL, "ko"),
        markup.session([Utterance("client", EVIL, EVIL, talk="change")], "ko", "both"), markup.bars([Forecast("Affirm", 0.5)], "ko", EVIL),
    ],
)  # fmt: skip
def test_what_a_visitor_typed_is_text(made):
    assert "<img" not in made and "<script" not in made


def test_fixed_texts_set_numbers_in_bold():
    assert markup.plain("**109** 전화") == "<strong>109</strong> 전화"
    assert markup.plain("**<b>**") == "<strong>&lt;b&gt;</strong>" and markup.plain("2 ** 3") == "2 ** 3"


def test_bars_are_as_long_as_the_probabilities():
    made = markup.bars([Forecast("Affirm", 0.625), Forecast("General", 0.375)], "ko", chosen="General")
    assert "width:62.5%" in made and "인정하기" in made and made.count("kmi-chosen") == 1
    assert markup.bars([], "ko") == ""


def test_a_session_shows_the_languages_asked_for():
    turn = Utterance("therapist", "안녕하세요", "Hello", label="General")
    assert [("안녕" in made, "Hello" in made) for made in (markup.session([turn], "en", texts) for texts in ("ko", "en", "both"))] == [(True, False), (False, True), (True, True)]
    assert "안녕" in markup.session([Utterance("therapist", "안녕하세요", label="General")], "en", "en")  # no English there


def test_a_curve_says_its_last_value_in_words():
    assert 'aria-label="변화: 0.75"' in markup.curve([0.5, 0.75], "변화") and markup.curve([], "변화") == ""


def test_the_crisis_bar_names_the_lines_in_both_languages():
    for language in ("ko", "en"):
        assert all(line in markup.crisis_bar(language) for line in ("109", "마들랜", "119", "112"))


def contrast(one, other):
    """WCAG 2 contrast ratio of two colours such as #00629B."""

    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_white_text_on_every_code_can_be_read():
    assert set(markup.COLOURS) == {*THERAPIST, *TALK}
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for colour in markup.COLOURS.values():
        assert re.fullmatch("#[0-9A-F]{6}", colour) and contrast(colour, "#FFFFFF") >= 4.5
