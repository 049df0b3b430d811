from kmi.space import explore


def test_everything_is_found_and_the_list_is_cut():
    told, hits = explore.search("", "", "", "", "", "ko")
    assert "1000편" in told and len(hits["choices"]) == explore.MOST


def test_filters_and_words_narrow_together():
    dialogue = explore.dialogues()[17]
    label = dialogue.utterances[2].label
    wanted = explore.fits(dialogue, dialogue.category, dialogue.arc, dialogue.ending, label, dialogue.context[5:15].upper())
    assert wanted and not explore.fits(dialogue, dialogue.category, "nonsense", "", "", "")
    told, hits = explore.search(dialogue.category, dialogue.arc, dialogue.ending, label, dialogue.utterances[1].utterance_ko[:30], "ko")
    assert "1편" in told and hits["choices"][0][1] == hits["value"] == dialogue.id


def test_nothing_found_is_told():
    told, hits = explore.search("", "", "", "", "zzzz없는말", "ko")
    assert "맞는 대화가 없습니다" in told and hits["choices"] == []


def test_a_dialogue_is_read_with_codes_in_the_language_asked_for():
    dialogue = explore.dialogues()[0]
    made = explore.read(dialogue.id, "both", "ko")
    assert made.count("kmi-turn") == dialogue.turns and "단순 반영" in made and dialogue.id in made
    assert explore.read(None, "ko", "ko") == explore.read("nonsense", "ko", "ko") == ""


def test_options_begin_with_all():
    from kmi.codes import ARCS, THERAPIST

    assert explore.options(THERAPIST, "ko")[:2] == [("모두", ""), ("단순 반영", "Simple Reflection")]
    assert explore.options(ARCS, "en")[0] == ("All", "") and len(explore.options(ARCS, "en")) == len(ARCS) + 1
