import numpy as np
import pytest

from kmi.coder.text import LABELS
from kmi.dialogue_model.choice import best, relevance, training_turns
from kmi.dialogue_model.copying import Turns


class Coder:
    """Hears a question wherever there is a question mark."""

    def probabilities(self, turns):
        found = np.full((len(turns), len(LABELS)), 0.01)
        for row, (_, text, _) in enumerate(turns):
            found[row, LABELS.index("Open Question" if "?" in text else "Simple Reflection")] = 0.9
        return found


SAID = ("오늘은 어떠세요?", "담배를 끊고 싶은데 아내가 믿지를 않아요.")


@pytest.mark.parametrize(
    ("drafts", "kind", "chosen"),
    [
        (["담배를 끊고 싶으시군요.", "담배를 왜 끊고 싶으세요?"], "Open Question", 1),  # the label asked for
        (["담배를 끊고 싶으시군요.", "담배를 왜 끊고 싶으세요?"], "Simple Reflection", 0),
        (["회사 일이 많으시군요, 요즘.", "담배를 끊고 싶으시군요."], "Simple Reflection", 1),  # what was said
        (["담배.", "아내분이 안 믿으셔서 답답하시군요."], None, 1),  # no half-sentence
    ],
)
def test_the_best_draft_has_the_label_and_answers(drafts, kind, chosen):
    assert best(drafts, "therapist", kind, SAID, Coder(), Turns([])) == chosen


def test_a_copy_falls_back_behind_an_equal():
    drafts = ["아내분이 안 믿어 주셔서 답답하시군요.", "아내분이 안 믿으셔서 많이 답답하시겠어요."]
    assert best(drafts, "therapist", "Simple Reflection", SAID, Coder(), Turns([])) == 0
    assert best(drafts, "therapist", "Simple Reflection", SAID, Coder(), Turns([drafts[0]])) == 1


def test_relevance_is_between_0_and_1_and_weighs_the_last_turn_most():
    near, far, older = relevance(["아내가 담배 끊는 걸 안 믿는다는 거죠.", "바다가 파랗군요.", "오늘도 별일 없으셨어요?"], SAID)
    assert 1 >= near > older > far >= 0
    assert relevance(["아무 말"], ()).tolist() == [0.0]


def test_training_turns_hold_the_corpus(sessions):
    assert training_turns().overlap(sessions[0].utterances[1].text) == 1.0
