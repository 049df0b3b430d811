import pytest

from kmi.dialogue_model import reading
from kmi.dialogue_model.reading import Reading, messages_for, read_pairs, summary
from kmi.errors import DataError
from kmi.writers.base import Completion

PAIR = {"id": "d/3", "said": ["내담자: 끊고 싶어요."], "answers": ["그러시군요.", "담배요?"], "key": ["retrieval", "chatbot"]}


class Model:
    """Answers from a list."""

    name, concurrency = "model", 1

    def __init__(self, *texts):
        self.texts = list(texts)

    async def prepare(self): ...

    async def close(self): ...

    async def write(self, request):
        return Completion(self.texts.pop(0))


def readings(*scores):
    """One reader's fluency and relevance of retrieval and chatbot, pair by pair."""
    return [Reading(f"p{n}", writer, "r", *its) for n, both in enumerate(scores) for writer, its in zip(("retrieval", "chatbot"), both, strict=True)]


def test_the_request_shows_answers_and_not_whose_they_are():
    text = messages_for(PAIR)[1]["content"]
    assert "A: 그러시군요." in text and "B: 담배요?" in text and "내담자: 끊고 싶어요." in text and "chatbot" not in text


def test_scores_go_to_the_writers_behind_the_letters_after_a_second_try():
    found = read_pairs([PAIR], Model("모르겠습니다", 'A가 낫네요 {"A": {"fluency": 5, "relevance": 1}, "B": {"fluency": 2, "relevance": 4}}'), "r")
    assert found == [Reading("d/3", "retrieval", "r", 5.0, 1.0), Reading("d/3", "chatbot", "r", 2.0, 4.0)]


@pytest.mark.parametrize("text", ['{"A": {"fluency": 5, "relevance": 1}}', '{"A": {"fluency": 7, "relevance": 1}, "B": {"fluency": 1, "relevance": 1}}', '{"A": 3, "B": 4}'])
def test_unusable_scores_are_refused(text):
    with pytest.raises(DataError, match="pair d/3, reader 'r': expected scores of 0 to 6"):
        read_pairs([PAIR], Model(*[text] * 3), "r")


def test_means_by_hand_and_the_default_they_make():
    found = summary(readings(((6, 2), (4, 3)), ((4, 3), (3, 3))))
    assert found["means"]["chatbot"]["fluency"] == 3.5 and found["means"]["chatbot"]["relevance"] == 3 and found["means"]["retrieval"]["relevance"] == 2.5
    assert found["default"] == "chatbot" and found["means"]["retrieval"]["fluency_interval"] == [4, 6]
    assert summary(readings(((6, 2), (4, 1))))["default"] == "retrieval"  # fluent, but less to the point
    assert summary(readings(((6, 2), (3, 5))))["default"] == "retrieval"  # to the point, but not fluent


def test_readings_come_back_from_a_file(tmp_path):
    given = readings(((6, 2), (4, 3)))
    reading.write_readings(given, tmp_path / "readings.csv")
    assert reading.load_readings(tmp_path / "readings.csv") == given and reading.load_readings(tmp_path / "none.csv") == []


def test_the_worst_answers_by_mean_of_readers():
    pairs = [{**PAIR, "id": f"p{n}", "label": "Affirm"} for n in range(2)]
    given = [*readings(((6, 2), (4, 3)), ((4, 3), (1, 3))), Reading("p1", "chatbot", "s", 2, 4)]
    assert reading.worst(given, pairs, count=1) == [{"said": "내담자: 끊고 싶어요.", "label": "Affirm", "answer": "담배요?", "fluency": 1.5, "relevance": 3.5}]
