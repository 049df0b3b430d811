"""Fitting the forecaster: sessions to examples, examples to a calibrated ensemble.

Each member is trained on a random share of the sessions; those it has not seen calibrate
the ensemble, so no session is set apart for that. A session is shown in three views: as
it is, without any words (what a plan looks like) and with codes missing, and each example
of each batch draws its view at random.

Not covered: the folds and the report (`kmi.forecaster.crossval`), the command line.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.dialogue import Dialogue
from kmi.errors import ConfigError
from kmi.forecaster.features import FEATURE_NAMES, Turn, examples_of, turns_of
from kmi.recipes import read_recipe

if TYPE_CHECKING:
    from torch import Tensor

    from kmi.forecaster.model import Ensemble, ForecasterModel

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


def fit(examples: Examples, recipe: Recipe, korean: Examples | None = None) -> "ForecasterModel":
    """Trains and calibrates both ensembles; equal input gives equal weights on the same machine.

    Args:
        examples: professionals' sessions.
        recipe: sizes, rates and seed.
        korean: sessions for the Korean ensemble, which never meets a plan; without them it is that of the professionals.
    """
    import torch

    from kmi.forecaster.model import ForecasterConfig, ForecasterModel, one_thread

    # The order of sums, and so the weights, must not depend on free cores.
    with torch.random.fork_rng(devices=[]), one_thread():
        model = ForecasterModel(ForecasterConfig(members=recipe.members, hidden_size=recipe.hidden_size, clip=recipe.clip))
        with_text, without_text = _fit_ensemble(model.professional, examples, recipe)
        model.config.temperature_with_text, model.config.temperature_without_text = with_text, without_text
        if korean is None:
            model.korean.load_state_dict(model.professional.state_dict())
            model.config.temperature_korean = with_text
        else:
            model.config.temperature_korean, _ = _fit_ensemble(model.korean, korean, replace(recipe, wordless_share=0.0))
    return model.eval()


def _fit_ensemble(ensemble: "Ensemble", examples: Examples, recipe: Recipe) -> tuple[float, float]:
    """Trains one ensemble; returns its temperatures with and without words."""
    import torch

    torch.manual_seed(recipe.seed)
    ensemble.reset_parameters()
    complete = examples.views[COMPLETE]
    deviation = complete.std(0)
    ensemble.mean.copy_(torch.tensor(complete.mean(0)))
    ensemble.deviation.copy_(torch.tensor(np.where(deviation < SMALLEST_DEVIATION, 1.0, deviation)))
    inputs, labels = ensemble.standardise(torch.tensor(examples.views)), torch.tensor(examples.labels)
    shares = _shares_of_sessions(examples, recipe)
    _train(ensemble, inputs, labels, shares, recipe)
    return _temperatures(ensemble, inputs, labels, shares)


def _shares_of_sessions(examples: Examples, recipe: Recipe) -> list[np.ndarray]:
    """For each member the examples it trains on."""
    rng = np.random.default_rng(recipe.seed)
    sessions = np.unique(examples.sessions)
    count = max(1, round(len(sessions) * recipe.session_share))
    chosen = (rng.permutation(sessions)[:count] for _ in range(recipe.members))
    return [np.flatnonzero(np.isin(examples.sessions, sessions_of_member)) for sessions_of_member in chosen]


def _train(ensemble: "Ensemble", inputs: "Tensor", labels: "Tensor", shares: list[np.ndarray], recipe: Recipe) -> None:
    import torch

    # Members advance together, so each sees as many examples an epoch as the smallest share holds.
    per_epoch = min(map(len, shares))
    batch_size = min(recipe.batch_size, per_epoch)
    batches = per_epoch // batch_size
    weights = [ensemble.weight_in, ensemble.weight_out]
    optimizer = torch.optim.AdamW(
        [
            {"params": weights, "weight_decay": recipe.weight_decay},
            {"params": [ensemble.bias_in, ensemble.bias_out], "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=recipe.learning_rate, total_steps=recipe.epochs * batches
    )
    view_odds = torch.tensor([1 - recipe.wordless_share - recipe.incomplete_share, recipe.wordless_share, recipe.incomplete_share])
    ensemble.train()
    for _ in range(recipe.epochs):
        order = torch.stack([torch.tensor(share)[torch.randperm(len(share))[: batches * batch_size]] for share in shares])
        view = torch.multinomial(view_odds, order.numel(), replacement=True).reshape(order.shape)
        for start in range(0, batches * batch_size, batch_size):
            batch = slice(start, start + batch_size)
            logits = ensemble.member_logits(
                inputs[view[:, batch], order[:, batch]], dropout_in=recipe.dropout_in, dropout=recipe.dropout
            )
            # Summed over members, so that each learns at the full rate.
            loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[order[:, batch]].flatten()) * recipe.members
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def _temperatures(ensemble: "Ensemble", inputs: "Tensor", labels: "Tensor", shares: list[np.ndarray]) -> tuple[float, float]:
    """The temperatures with and without words, by the likelihood of examples under the members that have not seen them."""
    import torch

    unseen = torch.ones(len(shares), len(labels), dtype=torch.bool)
    for member, share in enumerate(shares):
        unseen[member, torch.tensor(share)] = False
    covered = unseen.any(0)
    if not covered.any():
        return 1.0, 1.0
    candidates = torch.linspace(0.5, 2.0, 151)
    found = []
    with torch.no_grad():
        for view in (COMPLETE, WORDLESS):
            probabilities = ensemble.member_logits(inputs[view].expand(len(shares), -1, -1)).softmax(-1)
            weights = unseen[..., None].to(probabilities)
            averaged = ((probabilities * weights).sum(0) / weights.sum(0).clamp(min=1))[covered].log()
            losses = [torch.nn.functional.cross_entropy(averaged / t, labels[covered]) for t in candidates]
            found.append(round(candidates[int(torch.stack(losses).argmin())].item(), 2))
    return found[0], found[1]
