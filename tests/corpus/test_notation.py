from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kmi import codes
from kmi.corpus.notation import read_notation, read_turn, write_notation
from kmi.dialogue import ClientProfile, Dialogue, Provenance, Utterance
from kmi.errors import DataError

SESSIONS = """\ufeff#{"packet": "p1", "category": "가족", "arc": "relapse", "profile": {"occupation": "간호사"}}\r
CTX 쉬는 날이면 잠만 잡니다.  \r
\r
// a comment\r
== engaging\r
T GE | 어서 오세요. | Welcome.\r
C neutral | 네. | Yes.\r
== evoking
T CR>OQ | 무엇이 제일 걸리세요? | What weighs most?
C change/desire !fix | 걸리는 건 아니고요, 쉬고 싶어요.
#{"id": "e1"}
T SR | 쉬고 싶으시고요. | You want rest.
"""


def first(text):
    return next(read_notation(text, where="f.txt"))


def error(text):
    with pytest.raises(DataError) as caught:
        list(read_notation(text, where="f.txt"))
    return str(caught.value)


def test_sessions_are_read_with_header_context_process_and_codes():
    planned, exemplar = read_notation(SESSIONS)
    assert (planned.id, planned.category, planned.arc, planned.ending) == ("p1", "가족", "relapse", None)
    assert planned.context == "쉬는 날이면 잠만 잡니다."
    assert planned.profile == ClientProfile(occupation="간호사")
    assert [turn.process for turn in planned.utterances] == ["engaging", "engaging", "evoking", "evoking"]
    assert [turn.label for turn in planned.utterances] == ["General", None, "Open Question", None]
    assert [turn.planned_label for turn in planned.utterances] == ["General", None, "Complex Reflection", None]
    assert planned.utterances[1] == Utterance("client", "네.", "Yes.", talk="neutral", process="engaging")
    last = planned.utterances[3]
    assert (last.talk, last.talk_subtype, last.corrects_reflection) == ("change", "desire", True)
    assert last.utterance_en == ""
    assert exemplar.id == "e1"
    assert exemplar.utterances[0].planned_label is None
    assert exemplar.utterances[0].process is None


def test_id_wins_over_packet_and_both_mean_planned():
    dialogue = first('#{"packet": "p", "id": "d"}\nT CR | 가\n')
    assert (dialogue.id, dialogue.utterances[0].planned_label) == ("d", "Complex Reflection")


def test_nothing_but_comments_gives_no_dialogue():
    assert list(read_notation("\n// only this\n")) == []


def test_one_line_is_read_as_a_turn():
    turn = read_turn("  T CR>OQ | 무엇이요? | What?  ")
    assert turn == Utterance(
        "therapist", "무엇이요?", "What?", label="Open Question", planned_label="Complex Reflection"
    )
    assert read_turn("T AF | 오셨네요.").planned_label is None


HEADER = '#{"id": "x"}\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("T CR | 가", "line 1", ["header"]),
        ("#{oops}\n", "line 1", ["not valid JSON"]),
        ('#{"category": "가족"}\n', "line 1", ["'id' nor 'packet'"]),
        ('#{"id": ""}\n', "line 1", ["'id'", "non-empty"]),
        ('#{"id": 7}\n', "line 1", ["'id'", "7"]),
        ('#{"id": "x", "colour": 1}\n', "line 1", ["'colour'", "category"]),
        ('#{"id": "x", "category": "여행"}\nT CR | 가', "line 1", ["'여행'", "정신건강"]),
        ('#{"id": "x", "profile": {"shoe": 1}}\nT CR | 가', "line 1", ["'shoe'", "occupation"]),
        (HEADER, "line 1", ["no turns"]),
        (HEADER + "\n== thinking\n", "line 3", ["== thinking", "evoking"]),
        (HEADER + "CTX\n", "line 2", ["CTX is empty"]),
        (HEADER + "CTX 가\nCTX 나\n", "line 3", ["one CTX"]),
        (HEADER + "T CR 가나다\n", "line 2", ["without a bar"]),
        (HEADER + "T CR \uff5c 가\n", "line 2", ["full-width"]),
        (HEADER + "T CR | 가 | a | b\n", "line 2", ["4 fields", "must not hold"]),
        (HEADER + "T CR | | only English\n", "line 2", ["Korean text is empty"]),
        (HEADER + "T XX | 가\n", "line 2", ["'XX'", "SR"]),
        (HEADER + "T CR>XX | 가\n", "line 2", ["'XX'"]),
        (HEADER + "T CR> | 가\n", "line 2", ["''"]),
        (HEADER + "T | 가\n", "line 2", ["one label"]),
        (HEADER + "T CR OQ | 가\n", "line 2", ["one label"]),
        (HEADER + "C | 가\n", "line 2", ["change/<subtype>"]),
        (HEADER + "C sad | 가\n", "line 2", ["'sad'", "neutral"]),
        (HEADER + "C neutral/desire | 가\n", "line 2", ["neutral/desire"]),
        (HEADER + "C change/hope | 가\n", "line 2", ["change/hope", "desire"]),
        (HEADER + "C neutral !what | 가\n", "line 2", ["!what"]),
        (HEADER + "X CR | 가\n", "line 2", ["T or C"]),
        (HEADER + "| 가\n", "line 2", ["T or C"]),
    ],
)
def test_errors_name_file_line_finding_and_what_is_allowed(text, place, words):
    message = error(text)
    assert message.startswith((f"f.txt, {place}:", f"f.txt, {place}, "))
    for word in words:
        assert word in message


def test_sessions_before_a_damaged_line_are_still_given():
    reading = read_notation(SESSIONS + "broken\n", where="f.txt")
    assert next(reading).id == "p1"
    with pytest.raises(DataError, match="line 13"):
        next(reading)


def turn(**values):
    return Utterance(**{"role": "therapist", "utterance_ko": "가", "label": "Affirm", **values})


@pytest.mark.parametrize(
    ("utterance", "words"),
    [
        (turn(utterance_ko="가|나"), "bar"),
        (turn(utterance_en="a\nb"), "one line"),
        (turn(utterance_ko=" 가"), "outer spaces"),
        (turn(utterance_ko="", utterance_en="a"), "without Korean"),
        (turn(label=None), "without label"),
        (turn(role="client", label=None), "without talk"),
    ],
)
def test_what_the_notation_cannot_hold_is_refused(utterance, words):
    with pytest.raises(DataError, match=f"dialogue 'x', turn 0.*{words}"):
        write_notation(Dialogue("x", "", "", (utterance,)))


def test_a_turn_outside_a_process_after_one_is_refused():
    with pytest.raises(DataError, match=r"turn 1.*no process"):
        write_notation(Dialogue("x", "", "", (turn(process="evoking"), turn())))


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="|\r\n"), min_size=1, max_size=20).filter(
    lambda text: text == text.strip()
)
labels = st.sampled_from(codes.THERAPIST_LABELS)
therapist_turns = st.builds(
    Utterance,
    role=st.just("therapist"),
    utterance_ko=texts,
    utterance_en=st.just("") | texts,
    label=labels,
    planned_label=st.none() | labels,
)
client_turns = st.sampled_from(codes.TALK_TYPES).flatmap(
    lambda talk: st.builds(
        Utterance,
        role=st.just("client"),
        utterance_ko=texts,
        utterance_en=st.just("") | texts,
        talk=st.just(talk),
        talk_subtype=st.none() | st.sampled_from(codes.TALK_SUBTYPES) if talk == "change" else st.none(),
        corrects_reflection=st.booleans(),
    )
)


@st.composite
def dialogues(draw):
    turns = draw(st.lists(therapist_turns | client_turns, min_size=1, max_size=6))
    outside = draw(st.integers(0, len(turns)))
    stretches = draw(st.lists(st.sampled_from(list(codes.PROCESSES)), min_size=len(turns), max_size=len(turns)))
    return Dialogue(
        id=draw(texts),
        category=draw(st.sampled_from(["", *codes.CATEGORIES])),
        context=draw(st.just("") | texts),
        utterances=tuple(replace(turn, process=None if i < outside else stretches[i]) for i, turn in enumerate(turns)),
        profile=ClientProfile(occupation=draw(st.just("") | texts)),
        arc=draw(st.none() | st.sampled_from(list(codes.ARCS))),
        ending=draw(st.none() | st.sampled_from(list(codes.ENDINGS))),
        split=draw(st.none() | st.sampled_from(codes.SPLITS)),
        provenance=Provenance(writer=draw(st.just("") | texts), seed=draw(st.none() | st.integers(0, 2**31))),
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(dialogues(), max_size=3))
def test_writing_and_reading_gives_the_dialogues_back(written):
    text = "\n".join(write_notation(dialogue) for dialogue in written)
    assert list(read_notation(text)) == written


fragments = st.sampled_from(
    [
        "#{",
        '#{"id": "x"}',
        '"packet": ',
        "}",
        "\n",
        "T CR | 가",
        "C change/desire !fix |",
        "CTX ",
        "== ",
        "|",
        "{",
        "[1",
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(fragments | st.text(max_size=8), max_size=12).map("".join))
def test_any_text_is_read_or_refused_with_a_data_error(text):
    try:
        list(read_notation(text))
        read_turn(text)
    except DataError:
        pass
