import math
import subprocess
import sys

import pytest

from kmi.codes import THERAPIST_LABELS
from kmi.corpus.readers import read_dialogues
from kmi.dialogue import Utterance
from kmi.forecaster.features import (
    FEATURE_NAMES,
    TEXT_COLUMNS,
    SessionState,
    Turn,
    examples_of,
    features_of,
    turns_of,
)

TURNS = (
    Turn("therapist", label="Open Question", text="What brings you here?"),
    Turn("client", talk="neutral", text="My wife sent me."),
    Turn("therapist", label="General", text="Okay."),
    Turn("client", talk="sustain", text="I don't think I need this--"),
    Turn("therapist", label="Simple Reflection", text="You don't need this."),
    Turn("client", talk="change", text="Well, maybe a little. Three drinks is a lot?"),
)


def named(turns):
    return dict(zip(FEATURE_NAMES, features_of(turns), strict=True))


def test_names_are_unique_and_grouped():
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES) > 100
    assert {name.split()[0] for name in FEATURE_NAMES} == {"label", "talk", "position", "text"}


def test_golden_session():
    found = named(TURNS)
    expected = {
        "label lag1=Simple Reflection": 1,
        "label lag1=General": 0,
        "label lag2=General": 1,
        "label lag3=Open Question": 1,
        "label none yet": 0,
        "label share=General": 1 / (3 + 4),
        "label recent=Open Question": 0.75**2,  # two therapist turns have come after it
        "label since=Simple Reflection": 1,
        "label since=General": 0.8,
        "label since=Advise": 0,
        "label reflections to questions": math.log((1 + 1) / (1 + 1)),
        "label reflections running": 1,
        "label questions running": 0,
        "label same running": 1,
        "label general running": 0,
        "label last substance=Simple Reflection": 1,
        "label client turns since substance": 1,
        "label answers after same label=General": 0,  # no earlier turn followed a Simple Reflection
        "talk lag1=change": 1,
        "talk lag2=sustain": 1,
        "talk lag3=neutral": 1,
        "talk share=change": 1 / (3 + 2),
        "talk recent=sustain": 0.75,
        "talk since=neutral": 0.8**2,
        "position after therapist": 0,
        "position client turns running": 1,
        "position log turns": math.log(7),
        "position within 4": 0,
        "position within 6": 1,
        "text client lag1 known": 1,
        "text client lag1 log_words": math.log(1 + 9),
        "text client lag1 asks": 1,
        "text client lag2 trails_off": 1,
        "text therapist lag2 minimal": 1,
        "text client words since substance": math.log(1 + 9),
        "text client mean": (math.log(5) + math.log(7) + math.log(10)) / 3,
        "text therapist minimal share": 1 / (3 + 2),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_remembers_how_alike_moments_were_answered():
    open_then_affirm = [Turn("therapist", "Open Question"), Turn("client", talk="change"), Turn("therapist", "Affirm")]
    found = named([*open_then_affirm, *open_then_affirm[:2]])
    assert found["label answers after same label=Affirm"] == pytest.approx(1 / (1 + 2))
    assert found["talk answers after same talk=Affirm"] == pytest.approx(1 / (1 + 2))
    assert found["text answers after same length=Affirm"] == 0


@pytest.mark.parametrize("length", range(len(TURNS) + 1))
def test_without_words_only_text_features_change_and_all_are_zero(length):
    full, wordless = features_of(TURNS[:length]), features_of([turn._replace(text=None) for turn in TURNS[:length]])
    text = set(TEXT_COLUMNS)
    assert [x for i, x in enumerate(wordless) if i not in text] == [x for i, x in enumerate(full) if i not in text]
    assert not any(wordless[i] for i in text)


def test_unknown_is_not_absent():
    unknown = named([Turn("therapist"), Turn("client")])
    absent = named([])
    for name in ("label lag1=unknown", "talk lag1=unknown"):
        assert (unknown[name], absent[name]) == (1, 0)
    assert (unknown["label none yet"], absent["label none yet"]) == (0, 1)
    assert not any(value for name, value in unknown.items() if "share=" in name)


def test_examples_see_only_what_came_before():
    rows, targets = examples_of(TURNS)
    assert [THERAPIST_LABELS[i] for i in targets] == ["General", "Simple Reflection"]  # the first turn is no target
    assert rows == [features_of(TURNS[:2]), features_of(TURNS[:4])]
    seen = [turn._replace(label=None) for turn in TURNS]
    rows, targets = examples_of(TURNS, seen)
    assert [THERAPIST_LABELS[i] for i in targets] == ["General", "Simple Reflection"]
    assert rows == [features_of(seen[:2]), features_of(seen[:4])]


def test_state_can_be_read_again_and_again():
    state = SessionState()
    for i, turn in enumerate(TURNS):
        assert list(state.features().values()) == features_of(TURNS[:i])
        state.add(turn)


def test_turns_of_takes_realised_labels_and_either_language():
    utterances = [
        Utterance("therapist", "", "Hello.", label="General", planned_label="Affirm"),
        Utterance("client", "네.", talk="change", talk_subtype="need"),
    ]
    assert turns_of(utterances) == (
        Turn("therapist", "General", None, None, "Hello."),
        Turn("client", None, "change", "need", "네."),
    )


def test_korean_and_its_translation_look_alike(pytestconfig):
    """The exemplars stand in both languages: lengths must agree, or Korean would need a translation."""
    dialogues = [d for d in read_dialogues(pytestconfig.rootpath / "loading_script" / "source") if d.id.startswith("kmi-exemplar")]
    assert dialogues
    column = FEATURE_NAMES.index("text client mean")
    korean = [features_of(turns_of(d.utterances))[column] for d in dialogues]
    english = [features_of([Turn(u.role, text=u.utterance_en) for u in d.utterances])[column] for d in dialogues]
    assert max(abs(ko - en) for ko, en in zip(korean, english, strict=True)) < 0.2


def test_importing_the_package_loads_no_torch():
    code = "import sys, kmi.forecaster; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
