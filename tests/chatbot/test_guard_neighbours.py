"""The memory of the guard, on a few messages counted by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from kmi.chatbot import guard_neighbours
from kmi.chatbot.guard_neighbours import Neighbours

# Four messages over six buckets; the last bucket is in all of them.
COUNTS = csr_matrix(np.array([[1, 1, 0, 0, 0, 1], [1, 0, 1, 0, 0, 1], [0, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]], dtype=np.float32))
DANGER = np.array([True, True, False, False])


@pytest.fixture
def index(monkeypatch):
    monkeypatch.setattr(guard_neighbours, "COMMON", 0.5)
    return Neighbours.of(COUNTS, DANGER)


def vote(index, *buckets):
    return index.vote(np.array(buckets), np.ones(len(buckets), dtype=np.float32))


def test_the_like_of_a_message_says_what_it_is(index):
    assert vote(index, 0) == vote(index, 1) == 1.0
    assert vote(index, 3) == -1.0
    assert -1 < vote(index, 0, 3) < 1


def test_nearer_messages_count_more(index):
    assert vote(index, 0, 1, 3) > vote(index, 0, 3) > vote(index, 0, 3, 4)


def test_nothing_near_says_nothing(index):
    assert vote(index, 5) == 0.0  # in all messages: left out of the index


def test_only_the_nearest_are_heard(index, monkeypatch):
    monkeypatch.setattr(guard_neighbours, "NEAREST", 1)
    assert vote(index, 0, 1, 3) == 1.0


def test_of_long_messages_the_strongest_stay(monkeypatch):
    monkeypatch.setattr(guard_neighbours, "COMMON", 1.0)
    monkeypatch.setattr(guard_neighbours, "STRONGEST", 1)
    index = Neighbours.of(COUNTS, DANGER)
    assert len(index.rows) == 4 and vote(index, 5) == 0.0  # each keeps its rarest


def test_an_index_comes_back_from_its_tensors(index):
    again = Neighbours.from_tensors(index.tensors())
    assert all(np.array_equal(getattr(again, name), getattr(index, name)) for name in Neighbours.__dataclass_fields__)
