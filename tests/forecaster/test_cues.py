import math

import pytest

from kmi.forecaster.cues import cues_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("Yeah.", 1),
        ("I don't know, mm-hmm.", 4),  # an apostrophe or hyphen does not split a word
        ("[laughs] Yes (pause).", 1),  # transcription marks are not spoken
        ("네.", 1 / 1.7),
        ("술을 줄이고 싶어요.", 8 / 1.7),
        ("ㅋㅋㅋ 네", 1 / 1.7),  # loose jamo are no syllables
        ("PT 두 번", 1 + 2 / 1.7),
        ("12시", 1 + 1 / 1.7),
    ],
)
def test_length_counts_english_word_equivalents(text, words):
    assert cues_of(text).words == pytest.approx(words)
    assert cues_of(text).log_words == pytest.approx(math.log(1 + words))


def test_spacing_changes_nothing_in_korean():
    assert cues_of("그냥 잘 모르겠어요.") == cues_of("그냥잘모르겠어요.")


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("그건 왜요?", {"asks", "asks_within", "minimal", "short"}),
        ("“왜요?” 하고 물었어요.", {"asks_within", "short"}),
        ("Well, I--", {"trails_off", "unclosed", "minimal", "short"}),
        ("글쎄요…", {"trails_off", "minimal", "short"}),
        ("일은 하는데", {"unclosed", "short"}),
        ("I'd say an eight.", {"short"}),
        ("어제는 아이가 먼저 문을 열고 나와서 저녁을 같이 먹었습니다.", set()),
    ],
)
def test_flags(text, flags):
    cues = cues_of(text)._asdict()
    assert {name for name, value in cues.items() if value and name not in ("words", "log_words")} == flags
