"""Fitting the forecaster: sessions to examples, examples to a calibrated ensemble.

Each member is trained on a random share of the sessions; those it has not seen calibrate
the ensemble, so no session is set apart for that. A session is shown in three views: as
it is, without any words (what a plan looks like) and with codes missing, and each example
of each batch draws its view at random.

Not covered: the folds and the report (`kmi.forecaster.crossval`), the command line.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.dialogue import Dialogue
from kmi.errors import ConfigError
from kmi.forecaster.features import FEATURE_NAMES, Turn, examples_of, turns_of
from kmi.recipes import read_recipe

if TYPE_CHECKING:
    from torch import Tensor

    from kmi.forecaster.model import ForecasterModel

COMPLETE, WORDLESS, INCOMPLETE = range(3)  # the views
SMALLEST_DEVIATION = 1e-3  # a feature constant in training says nothing about its scale


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, besides the data and the machine.

    Shares and probabilities are 0-1. `session_share`: sessions each member trains on.
    `wordless_share`, `incomplete_share`: examples shown in that view. `unknown_share`:
    labels and talk types hidden in the incomplete view; in half of its sessions the talk
    type is hidden throughout, as in the reference release.
    """

    seed: int
    members: int
    hidden_size: int
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    dropout_in: float
    dropout: float
    session_share: float
    wordless_share: float
    incomplete_share: float
    unknown_share: float
    clip: float

    def __post_init__(self) -> None:
        for name in ("members", "hidden_size", "epochs", "batch_size"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(f"Expected {name} to be a whole number of 1 or more, got {getattr(self, name)!r}.")
        for name in ("dropout_in", "dropout", "session_share", "wordless_share", "incomplete_share", "unknown_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"Expected {name} to be between 0 and 1, got {getattr(self, name)!r}.")
        if self.wordless_share + self.incomplete_share > 1:
            raise ConfigError("Expected wordless_share + incomplete_share to be at most 1, got more.")

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Recipe":
        """Reads a recipe; every field must be there and no other."""
        return read_recipe(cls, path, "scripts/recipes/forecaster.yaml")


@dataclass(frozen=True, slots=True)
class Examples:
    """Therapist turns to learn from.

    `views`: features, shape [3, n, features]; `labels`: [n]; `previous`: the therapist label
    before, -1 for none, [n]; `sessions`: index of the session, [n].
    """

    views: np.ndarray
    labels: np.ndarray
    previous: np.ndarray
    sessions: np.ndarray

    def where(self, mask: np.ndarray) -> "Examples":
        """The examples where `mask` [n] is True."""
        return Examples(self.views[:, mask], self.labels[mask], self.previous[mask], self.sessions[mask])


def examples_from(dialogues: Sequence[Dialogue], recipe: Recipe) -> Examples:
    """Turns labelled sessions into examples in the three views."""
    views: list[list[list[float]]] = [[], [], []]
    labels: list[int] = []
    previous: list[int] = []
    sessions: list[int] = []
    for number, dialogue in enumerate(dialogues):
        turns = turns_of(dialogue.utterances)
        # Seeded per session, so that a session looks the same in every fold.
        rng = random.Random(f"{recipe.seed}/{dialogue.id}")
        seen = (turns, [turn._replace(text=None) for turn in turns], _incomplete(turns, recipe.unknown_share, rng))
        for view, visible in zip(views, seen, strict=True):
            rows, targets = examples_of(turns, visible)
            view += rows
        labels += targets
        previous += _previous(turns)
        sessions += [number] * len(targets)
    if not labels:
        raise ConfigError("Expected sessions with labelled therapist turns, got none.")
    shape = (3, len(labels), len(FEATURE_NAMES))
    return Examples(np.array(views, dtype=np.float32).reshape(shape), *map(np.array, (labels, previous, sessions)))


def _incomplete(turns: Sequence[Turn], share: float, rng: random.Random) -> list[Turn]:
    no_talk = rng.random() < 0.5
    return [
        turn._replace(
            label=None if rng.random() < share else turn.label,
            talk=None if no_talk or rng.random() < share else turn.talk,
        )
        for turn in turns
    ]


def _previous(turns: Sequence[Turn]) -> list[int]:
    from kmi.codes import THERAPIST_LABELS

    found, last = [], -1
    for i, turn in enumerate(turns):
        if turn.role == "therapist":
            if i:
                found.append(last)
            last = THERAPIST_LABELS.index(turn.label)
    return found


def fit(examples: Examples, recipe: Recipe, on_epoch: Callable[[], None] = lambda: None) -> "ForecasterModel":
    """Trains an ensemble and calibrates it; equal input gives equal weights on the same machine.

    Args:
        examples: what to learn from.
        recipe: sizes, rates and seed.
        on_epoch: called after each of `recipe.epochs` epochs, for a progress bar.
    """
    import torch

    from kmi.forecaster.model import ForecasterConfig, ForecasterModel, one_thread

    # The order of sums, and so the weights, must not depend on free cores.
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(recipe.seed)
        model = ForecasterModel(
            ForecasterConfig(members=recipe.members, hidden_size=recipe.hidden_size, clip=recipe.clip)
        )
        model.reset_parameters()
        complete = examples.views[COMPLETE]
        deviation = complete.std(0)
        model.mean.copy_(torch.tensor(complete.mean(0)))
        model.deviation.copy_(torch.tensor(np.where(deviation < SMALLEST_DEVIATION, 1.0, deviation)))
        inputs = model.standardise(torch.tensor(examples.views))
        shares = _shares_of_sessions(examples, recipe)
        _train(model, inputs, torch.tensor(examples.labels), shares, recipe, on_epoch)
        _calibrate(model, inputs, torch.tensor(examples.labels), shares)
    return model.eval()


def _shares_of_sessions(examples: Examples, recipe: Recipe) -> list[np.ndarray]:
    """For each member the examples it trains on."""
    rng = np.random.default_rng(recipe.seed)
    sessions = np.unique(examples.sessions)
    count = max(1, round(len(sessions) * recipe.session_share))
    chosen = (rng.permutation(sessions)[:count] for _ in range(recipe.members))
    return [np.flatnonzero(np.isin(examples.sessions, sessions_of_member)) for sessions_of_member in chosen]


def _train(
    model: "ForecasterModel", inputs: "Tensor", labels: "Tensor", shares: list[np.ndarray], recipe: Recipe, on_epoch: Callable
) -> None:
    import torch

    # Members advance together, so each sees as many examples an epoch as the smallest share holds.
    per_epoch = min(map(len, shares))
    batch_size = min(recipe.batch_size, per_epoch)
    batches = per_epoch // batch_size
    weights = [model.weight_in, model.weight_out]
    optimizer = torch.optim.AdamW(
        [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": [model.bias_in, model.bias_out], "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.epochs * batches
    )
    view_odds = torch.tensor([1 - recipe.wordless_share - recipe.incomplete_share, recipe.wordless_share, recipe.incomplete_share])
    model.train()
    for _ in range(recipe.epochs):
        order = torch.stack([torch.tensor(share)[torch.randperm(len(share))[: batches * batch_size]] for share in shares])
        view = torch.multinomial(view_odds, order.numel(), replacement=True).reshape(order.shape)
        for start in range(0, batches * batch_size, batch_size):
            batch = slice(start, start + batch_size)
            logits = model.member_logits(
                inputs[view[:, batch], order[:, batch]], dropout_in=recipe.dropout_in, dropout=recipe.dropout
            )
            # Summed over members, so that each learns at the full rate.
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[order[:, batch]].flatten()) * recipe.members
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        on_epoch()


def _calibrate(model: "ForecasterModel", inputs: "Tensor", labels: "Tensor", shares: list[np.ndarray]) -> None:
    """Sets the two temperatures by the likelihood of examples under the members that have not seen them."""
    import torch

    unseen = torch.ones(len(shares), len(labels), dtype=torch.bool)
    for member, share in enumerate(shares):
        unseen[member, torch.tensor(share)] = False
    covered = unseen.any(0)
    if not covered.any():
        return
    temperatures = torch.linspace(0.5, 2.0, 151)
    with torch.no_grad():
        for view, name in ((COMPLETE, "temperature_with_text"), (WORDLESS, "temperature_without_text")):
            probabilities = model.member_logits(inputs[view].expand(len(shares), -1, -1)).softmax(-1)
            weights = unseen[..., None].to(probabilities)
            averaged = ((probabilities * weights).sum(0) / weights.sum(0).clamp(min=1))[covered].log()
            losses = [torch.nn.functional.cross_entropy(averaged / t, labels[covered]) for t in temperatures]
            setattr(model.config, name, round(temperatures[int(torch.stack(losses).argmin())].item(), 2))
