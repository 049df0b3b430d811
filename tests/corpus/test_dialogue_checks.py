import shutil
from dataclasses import replace

import pytest

from kmi.corpus.dialogue_checks import MAX_UTTERANCES, MIN_UTTERANCES, check_dialogue
from kmi.corpus.sources import read_sources
from kmi.dialogue import Utterance


def found(dialogue):
    return [(finding.turn, finding.rule) for finding in check_dialogue(dialogue)]


def test_the_fourteen_exemplars_pass(repository, tmp_path):
    texts = sorted((repository / "loading_script" / "source").glob("*/exemplars.txt"))
    for path in texts:
        (tmp_path / path.parent.name).mkdir()
        shutil.copy(path, tmp_path / path.parent.name)
    dialogues = read_sources(tmp_path)
    assert len(dialogues) == 14
    assert {str(finding) for dialogue in dialogues for finding in check_dialogue(dialogue)} == set()


def test_a_good_dialogue_passes(make_dialogue):
    assert check_dialogue(make_dialogue()) == []


def test_findings_say_where_they_are(make_dialogue):
    turn = Utterance("therapist", "많이 지쳤구나.", label="Simple Reflection")
    (finding,) = check_dialogue(make_dialogue({4: turn}))
    assert (finding.dialogue_id, finding.turn, finding.rule) == ("d1", 4, "speech_level")
    assert str(finding).startswith("d1, turn 4: speech_level: ")


def test_lengths_below_and_above_the_range(make_dialogue):
    turns = make_dialogue().utterances
    assert found(make_dialogue(utterances=turns[:15])) == [(None, "utterances")]
    assert (MIN_UTTERANCES, MAX_UTTERANCES) == (17, 31)
    longer = turns + tuple(replace(turn, utterance_ko=f"{turn.utterance_ko} {n}") for n, turn in enumerate(turns[1:]))
    assert (None, "utterances") in found(make_dialogue(utterances=longer))


def test_therapist_opens_and_closes(make_dialogue):
    turns = make_dialogue().utterances
    assert (None, "therapist_frames") in found(make_dialogue(utterances=turns[1:]))
    assert (None, "therapist_frames") in found(make_dialogue(utterances=turns[:-1]))


def test_speakers_alternate(make_dialogue):
    turns = make_dialogue().utterances
    swapped = (*turns[:5], turns[6], turns[5], *turns[7:])
    assert (None, "alternation") in found(make_dialogue(utterances=swapped))


def test_codes_must_be_there(make_dialogue):
    turns = make_dialogue().utterances
    assert found(make_dialogue({2: replace(turns[2], label=None)})) == [(2, "label_missing")]
    assert found(make_dialogue({3: replace(turns[3], talk=None)})) == [(3, "talk_missing")]


def test_repetition_is_looked_for_in_the_whole_session(make_dialogue):
    turns = make_dialogue().utterances
    assert found(make_dialogue({15: replace(turns[15], utterance_ko=turns[1].utterance_ko)})) == [(15, "repetition")]


ASK = "혹시 죽고 싶다는 생각까지 하신 적이 있으세요?"
LINE = "자살예방 상담전화 109가 밤에도 열려 있습니다."


def crisis(make_dialogue, ask=ASK, ask_label="Closed Question", line=LINE, line_speaker="therapist"):
    turns = {6: Utterance("therapist", ask, label=ask_label)}
    if line_speaker == "therapist":
        turns[8] = Utterance("therapist", line, label="Give Information")
    else:
        turns[7] = Utterance("client", line, talk="neutral")
    return make_dialogue(turns, arc="crisis")


def test_a_crisis_session_that_asks_and_names_109_passes(make_dialogue):
    assert check_dialogue(crisis(make_dialogue)) == []


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({"line": "보건소 상담은 무료로 받으실 수 있습니다."}, ["crisis_line"]),
        ({"line": "109에 전화하면 된다고 하던데요.", "line_speaker": "client"}, ["crisis_line"]),
        ({"ask": "요즘도 새벽에 깨시나요?"}, ["safety_check"]),
        ({"ask_label": "Open Question"}, ["safety_check"]),
        ({"ask": "술은 얼마나 드세요?", "line": "보건소 상담은 무료예요."}, ["crisis_line", "safety_check"]),
    ],
)
def test_a_crisis_session_that_does_not_is_kept_out(make_dialogue, changes, rules):
    assert [rule for turn, rule in found(crisis(make_dialogue, **changes)) if turn is None] == rules


def test_asking_what_fits_is_no_question_about_death(make_dialogue):
    """'맞' of '맞나요' and '때리' are in the list of words for being beaten."""
    assert (None, "safety_check") in found(crisis(make_dialogue, ask="제가 들은 게 맞나요?"))


def test_the_line_comes_after_the_question(make_dialogue):
    """The docstring promises a direct check and 109 after it."""
    turns = {2: Utterance("therapist", LINE, label="Give Information"), 6: Utterance("therapist", ASK, label="Closed Question")}
    assert [rule for turn, rule in found(make_dialogue(turns, arc="crisis")) if turn is None] == ["crisis_line"]


def test_other_arcs_need_no_safety_turns(make_dialogue):
    assert check_dialogue(make_dialogue(arc="flat")) == []
    assert check_dialogue(make_dialogue(arc=None)) == []
