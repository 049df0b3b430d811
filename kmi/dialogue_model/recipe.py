"""What decides a training of the dialogue model, besides the data and the machine.

Two kinds, one for each road: `ScratchRecipe` sizes a network of its own, `LoraRecipe` names an open instruction model to adapt.
Not covered: what is done with it (`kmi.dialogue_model.training`).
"""

from dataclasses import dataclass
from pathlib import Path

from kmi.dialogue_model.format import Thinning
from kmi.errors import ConfigError, allowed
from kmi.recipes import read_fields, read_recipe

PRECISIONS = ("float32", "bfloat16")
COUNTS = ("epochs", "batch_size", "accumulate", "max_tokens", "vocabulary", "hidden_size", "layers", "heads", "rank")
SHARES = ("dropout", "without_post", "without_opening", "without_label", "without_talk")


@dataclass(frozen=True, slots=True)
class Recipe:
    """What both roads need.

    `batch_size` sessions a process and step, `accumulate` steps before the weights move, `warmup` moves until `learning_rate` is reached,
    then a cosine down to 0. `max_tokens`: longest session. `without_...`: how often that part of a session is left out, 0-1.
    """

    seed: int
    epochs: int
    batch_size: int
    accumulate: int
    learning_rate: float
    warmup: int
    weight_decay: float
    max_tokens: int
    precision: str
    dropout: float
    without_post: float
    without_opening: float
    without_label: float
    without_talk: float

    def __post_init__(self) -> None:
        for name in COUNTS:
            if not isinstance(getattr(self, name, 1), int) or getattr(self, name, 1) < 1:
                raise ConfigError(f"Expected {name} to be a whole number of 1 or more, got {getattr(self, name)!r}.")
        for name in SHARES:
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"Expected {name} to be between 0 and 1, got {getattr(self, name)!r}.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"Expected a precision among {allowed(PRECISIONS)}, got {self.precision!r}.")

    @property
    def thinning(self) -> Thinning:
        """What is left out of the sessions."""
        return Thinning(self.without_post, self.without_opening, self.without_label, self.without_talk)


@dataclass(frozen=True, slots=True)
class ScratchRecipe(Recipe):
    """A GPT-NeoX of its own; `vocabulary` tokens are learned from the sessions."""

    vocabulary: int
    hidden_size: int
    layers: int
    heads: int


@dataclass(frozen=True, slots=True)
class LoraRecipe(Recipe):
    """Low-rank adapters (Hu et al. 2021) of `rank` and `alpha` on every linear layer of `base`, a folder or Hub name."""

    base: str
    rank: int
    alpha: float


def recipe_from_yaml(path: str | Path) -> ScratchRecipe | LoraRecipe:
    """Reads a recipe; one that names a `base` is for LoRA. Every field must be there and no other."""
    path = Path(path)
    kind = LoraRecipe if path.is_file() and "base" in read_fields(path) else ScratchRecipe
    return read_recipe(kind, path, "scripts/recipes/chatbot.yaml")
