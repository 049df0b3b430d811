"""The recurrent baseline."""

import numpy as np
import torch

from kmi.forecaster import turns_of
from kmi.forecaster.gru import gru


def test_learns_repeats_and_leaves_the_generator_alone(sessions):
    turns = [turns_of(session.utterances) for session in sessions]
    torch.manual_seed(3)
    undisturbed = torch.rand(1)
    torch.manual_seed(3)
    first = gru(turns[:12], turns[12:])
    assert torch.equal(torch.rand(1), undisturbed)
    assert first.shape == (8 * 12, 8) and np.allclose(first.sum(1), 1, atol=1e-5)
    assert np.array_equal(first, gru(turns[:12], turns[12:]))
    assert not np.array_equal(first, gru(turns[:12], turns[12:], seed=1))


def test_rows_stand_in_the_order_of_sessions_and_turns(sessions):
    turns = [turns_of(session.utterances) for session in sessions]
    both = gru(turns[:4], turns[4:6])
    assert np.allclose(both[:12], gru(turns[:4], turns[4:5]), atol=1e-6)
