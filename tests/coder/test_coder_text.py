from kmi.coder.text import BEFORE, LABELS, WORDS_BEFORE, examples_of, pair_of
from kmi.dialogue import Dialogue, Utterance

DIALOGUE = Dialogue(
    "d", "", "",
    (
        Utterance("therapist", "무엇이 걸리세요?", "What is it?", label="Open Question"),
        Utterance("client", "그냥요.", "Nothing.", talk="neutral"),
        Utterance("therapist", "네.", "", label=None),
        Utterance("client", "끊어야죠.", "", talk="change"),
    ),
)  # fmt: skip


def test_every_coded_turn_once_per_language_it_has():
    found = [(e.role, e.text, e.before, LABELS[e.label], e.dialogue) for e in examples_of([DIALOGUE])]
    assert found == [
        ("therapist", "무엇이 걸리세요?", "", "Open Question", "d"),
        ("client", "그냥요.", "무엇이 걸리세요?", "neutral", "d"),
        ("client", "끊어야죠.", "네.", "change", "d"),
        ("therapist", "What is it?", "", "Open Question", "d"),
        ("client", "Nothing.", "What is it?", "neutral", "d"),
    ]


def test_pairs_mark_the_speaker_and_every_word_before():
    assert pair_of("therapist", "그래요?", "잠을 못 자요.") == ("[T] 그래요?", "[B] 잠을 [B] 못 [B] 자요.")
    assert pair_of("client", "네.") == ("[C] 네.", "")
    assert pair_of("client", "네.", "말 " * 100)[1].count(BEFORE) == WORDS_BEFORE
