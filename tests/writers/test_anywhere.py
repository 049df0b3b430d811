"""The counsellor's turns that fit anywhere: of their label, plain Korean, nobody's in particular."""

import pytest

from kmi.chatbot.guard_output import fault
from kmi.coder import Coder
from kmi.coder.text import LABELS
from kmi.codes import label_of
from kmi.corpus.utterance_checks import check_utterance
from kmi.dialogue import Utterance
from kmi.writers.retrieval import _anywhere

BEFORE = "요즘 그 일 때문에 많이 힘들어요. 어떻게 해야 할지 모르겠어요."


@pytest.fixture(scope="module")
def turns():
    return _anywhere()


def test_each_is_said_once_in_both_languages(turns):
    assert len(turns) > 200 and len({turn.ko for turn in turns}) == len(turns) and all(turn.en for turn in turns)


def test_each_passes_the_checks_of_every_turn(turns):
    before = [Utterance("client", BEFORE, talk="neutral")]
    for turn in turns:
        said = Utterance("therapist", turn.ko, turn.en, label=turn.kind)
        assert [str(finding) for finding in check_utterance(said, before)] == [] and fault(turn.ko) is None, turn.ko


def test_the_coder_hears_the_label(turns):
    heard = Coder.from_pretrained().probabilities([("therapist", turn.ko, BEFORE) for turn in turns]).argmax(1)
    agreed = [LABELS[i] == label_of(turn.code) == turn.kind for i, turn in zip(heard, turns, strict=True)]
    assert sum(agreed) / len(agreed) >= 0.95
