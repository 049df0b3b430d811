"""Baseline: a recurrent network that reads the session turn by turn, from codes, lengths and surface cues.

It is given what the forecaster is given, but must find out itself what of a session matters.
"""

import itertools
from collections.abc import Sequence

import numpy as np

from kmi.codes import TALK_TYPES, THERAPIST_LABELS
from kmi.forecaster.cues import NO_CUES, cues_of
from kmi.forecaster.features import CUE_NAMES, Turn

HIDDEN, EPOCHS, BATCH, RATE, DROPOUT, DECAY = 64, 20, 4, 0.004, 0.4, 0.01


def gru(train: Sequence[Sequence[Turn]], held_out: Sequence[Sequence[Turn]], seed: int = 0) -> np.ndarray:
    """Probabilities [n, 8] for the held-out sessions' therapist turns after the first turn, session by session.

    Args:
        train: labelled sessions to learn from.
        held_out: sessions to forecast.
        seed: of weights, order and dropout.
    """
    import torch

    from kmi.forecaster.model import one_thread

    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        network = _network()
        steps = EPOCHS * -(-len(train) // BATCH)
        optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
        network.train()
        for _ in range(EPOCHS):
            order = torch.randperm(len(train)).tolist()
            for start in range(0, len(order), BATCH):
                inputs, targets = _batch([train[i] for i in order[start : start + BATCH]])
                loss = torch.nn.functional.cross_entropy(network(inputs).flatten(0, 1), targets.flatten(), ignore_index=-1)
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        return _forecasts(network.eval(), held_out)


def _forecasts(network, sessions: Sequence[Sequence[Turn]]) -> np.ndarray:
    import torch

    found = []
    with torch.inference_mode():
        for session in sessions:
            inputs, targets = _batch([session])
            found.append(network(inputs)[0][targets[0] >= 0].softmax(-1).numpy())
    return np.concatenate(found)


def _network():
    import torch

    class Reader(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.read = torch.nn.GRU(len(_vector(Turn("client"))), HIDDEN, batch_first=True)
            self.drop = torch.nn.Dropout(DROPOUT)
            self.out = torch.nn.Linear(HIDDEN, len(THERAPIST_LABELS))

        def forward(self, inputs):
            return self.out(self.drop(self.read(inputs)[0]))

    return Reader()


def _batch(sessions: Sequence[Sequence[Turn]]):
    """Turns [n, longest - 1, features], and the label of the turn after each where a therapist speaks it, else -1."""
    import torch

    longest = max(map(len, sessions)) - 1
    inputs = np.zeros((len(sessions), longest, len(_vector(Turn("client")))), dtype=np.float32)
    targets = np.full((len(sessions), longest), -1)
    for row, session in enumerate(sessions):
        for place, (turn, following) in enumerate(itertools.pairwise(session)):
            inputs[row, place] = _vector(turn)
            if following.role == "therapist":
                targets[row, place] = THERAPIST_LABELS.index(following.label)
    return torch.tensor(inputs), torch.tensor(targets)


def _vector(turn: Turn) -> list[float]:
    cues = NO_CUES if turn.text is None else cues_of(turn.text)
    codes = [float(turn.label == label) for label in THERAPIST_LABELS] + [float(turn.talk == talk) for talk in TALK_TYPES]
    return [float(turn.role == "therapist"), *codes, *(getattr(cues, name) for name in CUE_NAMES)]
