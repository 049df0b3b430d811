import pytest

from kmi.coder import Coder
from kmi.dialogue_model.comparison import answer, figures, pairs, places
from kmi.dialogue_model.copying import Turns
from kmi.errors import WriterError
from kmi.writers.base import Completion


class Parrot:
    """Says the written turn again, and refuses the first place."""

    name, concurrency = "parrot", 1

    def __init__(self, where):
        self.turns = {place.request().id: place.dialogue.utterances[place.turn].text for place in where}

    async def prepare(self):
        pass

    async def close(self):
        pass

    async def write(self, request):
        if request.id == next(iter(self.turns)):
            raise WriterError("no")
        return Completion(self.turns[request.id])


@pytest.fixture(scope="module")
def where(sessions):
    return places(sessions[:2])


def test_places_are_the_labelled_turns_that_answer_a_client(sessions, where):
    expected = [turn for dialogue in sessions[:2] for turn in dialogue.utterances[1:] if turn.label]
    assert [place.dialogue.utterances[place.turn] for place in where] == expected
    place = where[0]
    cue = place.request().cue
    assert cue.history == place.said == tuple(turn.text for turn in sessions[0].utterances[: place.turn]) and cue.label == place.label


def test_figures_count_what_a_writer_says(where):
    texts, seconds = answer(Parrot(where), where)
    assert texts[0] == "" and texts[1] == where[1].dialogue.utterances[where[1].turn].text and seconds > 0
    found = figures(texts, where, Coder.from_pretrained(), Turns(texts[1:]))
    assert found["unanswered"] == pytest.approx(1 / len(where)) and found["copied"] == 1.0
    assert found["agreement"] > 0.6  # written turns, which the coder has learned from
    assert figures(texts, where, Coder.from_pretrained(), Turns([]))["copied"] == 0.0


def test_pairs_hide_whose_they_are(where):
    answers = {"a": [f"a{i}" for i in range(len(where))], "b": ["" if i == 0 else f"b{i}" for i in range(len(where))]}
    found = list(pairs(answers, where, 10))
    assert len(found) == 10 and found == list(pairs(answers, where, 10))
    assert {tuple(pair["key"]) for pair in found} == {("a", "b"), ("b", "a")}
    for pair in found:
        assert [text[0] for text in pair["answers"]] == pair["key"] and len(pair["said"]) <= 4
    assert f"{where[0].dialogue.id}/{where[0].turn}" not in {pair["id"] for pair in found}  # one had no answer
