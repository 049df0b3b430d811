"""Training the coder: a small ModernBERT from scratch, taught by plain coders.

A network of this size learns ten thousand turns by heart. What it learns well is a teacher's probabilities
(Hinton et al. 2015): on the training turns, mixed with the codes given, each from a teacher that has not seen the dialogue; and, anew
in every epoch, on turns shortened, thinned out and set after other turns, coded by the teacher of all training turns. Words are cut
at other places in every epoch (BPE dropout, Provilkov et al. 2020, done on the text so that a seed repeats it).

One epoch is the unit of resuming: state is written after each, randomness restarts from seed and epoch, so that a killed and resumed
training ends like an uninterrupted one. Not covered: the figures (`kmi.coder.evaluation`), the command line.
"""

import hashlib
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.coder.linear import Classify, teacher
from kmi.coder.text import BREAK, COLUMNS, LABELS, Example, pair_of
from kmi.coder.tokenizer import MAX_TOKENS, train_tokenizer
from kmi.corpus.korean import SENTENCE_END
from kmi.errors import ConfigError
from kmi.recipes import read_recipe
from kmi.training_state import STATE_FOLDER, TrainingState

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator
    from transformers import PreTrainedModel, PreTrainedTokenizerFast



@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the weights, besides the data and the machine.

    `warmup`: steps until `learning_rate` is reached, then a cosine down to 0. `gold_share`: weight of the given code beside the
    teacher's on training turns, 0-1. `folds`: teachers for these. `cut`: chance that a word is cut after a letter. `shorten`, `thin`,
    `transplant`: shares of made turns cut to some sentences, losing words, set after another turn.
    """

    seed: int
    vocabulary: int
    hidden_size: int
    layers: int
    heads: int
    dropout: float
    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    warmup: int
    gold_share: float
    folds: int
    cut: float
    shorten: float
    thin: float
    transplant: float

    def __post_init__(self) -> None:
        for name in ("vocabulary", "hidden_size", "layers", "heads", "epochs", "batch_size"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ConfigError(f"Expected {name} to be a whole number of 1 or more, got {getattr(self, name)!r}.")
        for name in ("dropout", "gold_share", "cut", "shorten", "thin", "transplant"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"Expected {name} to be between 0 and 1, got {getattr(self, name)!r}.")
        if self.folds < 2:
            raise ConfigError(f"Expected 2 folds or more, got {self.folds!r}: a teacher must not have seen what it codes.")

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Recipe":
        """Reads a recipe; every field must be there and no other."""
        return read_recipe(cls, path, "scripts/recipes/coder.yaml")


def fit(
    training: Sequence[Example],
    validation: Sequence[Example],
    recipe: Recipe,
    out: Path,
    accelerator: "Accelerator",
    on_batch: Callable[[int, int], None] = lambda done, all_: None,
) -> None:
    """Trains, calibrates on `validation` and saves model and tokenizer to `out`; goes on where a killed run stopped.

    Args:
        training: coded turns to learn from.
        validation: coded turns for the temperatures only.
        recipe: sizes, rates and seed.
        out: folder of the checkpoint; holds the state of training until it ends.
        accelerator: processes share the batches of each epoch.
        on_batch: called with batches done and batches in all, for a progress bar.
    """
    tokenizer = train_tokenizer((text for example in training for text in (example.text, example.before)), recipe.vocabulary)
    taught, of_all = teach(training, tokenizer.tokenize, recipe)
    model = new_model(recipe, tokenizer)
    optimizer = _optimizer(model, recipe)
    state = TrainingState(out / STATE_FOLDER, {**asdict(recipe), "data": _digest(training)})
    first_epoch = state.load(model, optimizer)
    model, optimizer = accelerator.prepare(model, optimizer)
    for epoch in range(first_epoch, recipe.epochs):
        examples, targets = _epoch_data(training, taught, of_all, recipe, epoch)
        _train_epoch(model, optimizer, tokenizer, examples, targets, recipe, epoch, accelerator, on_batch)
        if accelerator.is_main_process:
            state.save(accelerator.unwrap_model(model), optimizer, epoch + 1)
        accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        plain = accelerator.unwrap_model(model).eval()
        calibrate(plain, tokenizer, validation)
        plain.save_pretrained(out)
        tokenizer.save_pretrained(out)
        state.remove()
    accelerator.wait_for_everyone()


def teach(training: Sequence[Example], tokenize: Callable[[str], list[str]], recipe: Recipe) -> tuple[np.ndarray, Classify]:
    """Targets [n, 11] for the training turns, and the teacher of all of them for turns made from them."""
    numbers = {name: i for i, name in enumerate(dict.fromkeys(example.dialogue for example in training))}
    fold = np.array([numbers[example.dialogue] % recipe.folds for example in training])
    taught = np.zeros((len(training), len(LABELS)))
    for number in range(recipe.folds):
        unseen = np.flatnonzero(fold == number)
        if len(unseen):
            of_fold = teacher([example for example, its in zip(training, fold, strict=True) if its != number], tokenize)
            taught[unseen] = of_fold([training[i] for i in unseen])
    gold = np.eye(len(LABELS))[[example.label for example in training]]
    return recipe.gold_share * gold + (1 - recipe.gold_share) * taught, teacher(training, tokenize)


def made_turn(example: Example, training: Sequence[Example], recipe: Recipe, rng: random.Random) -> Example:
    """A turn like `example`, cut to some of its sentences, or thinned out, and perhaps set after another turn."""
    text, before, chance = example.text, example.before, rng.random()
    if chance < recipe.shorten:
        sentences = SENTENCE_END.split(text)
        if len(sentences) > 1:
            count = rng.randint(1, len(sentences) - 1)
            start = rng.randint(0, len(sentences) - count)
            text = " ".join(sentences[start : start + count])
    elif chance < recipe.shorten + recipe.thin:
        text = " ".join(word for word in text.split() if rng.random() > 0.2) or text
    if rng.random() < recipe.transplant:
        before = rng.choice(training).text
    return replace(example, text=text, before=before)


def cut_words(example: Example, chance: float, rng: random.Random) -> Example:
    """The same turn, its words cut at random places, so that the tokens differ and the text does not."""
    text, before = ("".join(c + BREAK if c != " " and rng.random() < chance else c for c in part) for part in (example.text, example.before))
    return replace(example, text=text, before=before)


def new_model(recipe: Recipe, tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
    """An untrained network; mean over tokens, since one token to look at is learned too slowly from so little.

    Every layer looks at all tokens: with local attention a padding token can have nothing to look at, which is NaN on a GPU.
    """
    import torch
    from transformers import ModernBertConfig, ModernBertForSequenceClassification

    config = ModernBertConfig(
        vocab_size=len(tokenizer), hidden_size=recipe.hidden_size, intermediate_size=2 * recipe.hidden_size, num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads, global_attn_every_n_layers=1,
        max_position_embeddings=MAX_TOKENS, pad_token_id=tokenizer.pad_token_id, cls_token_id=tokenizer.cls_token_id,
        sep_token_id=tokenizer.sep_token_id, bos_token_id=tokenizer.cls_token_id, eos_token_id=tokenizer.sep_token_id,
        embedding_dropout=recipe.dropout, mlp_dropout=recipe.dropout, attention_dropout=recipe.dropout, classifier_dropout=recipe.dropout,
        classifier_pooling="mean", id2label=dict(enumerate(LABELS)), label2id={label: i for i, label in enumerate(LABELS)},
    )  # fmt: skip
    torch.manual_seed(recipe.seed)
    return ModernBertForSequenceClassification(config)


def calibrate(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", validation: Sequence[Example]) -> None:
    """Scales and shifts each speaker's logits by the likelihood of `validation`, and folds both into the classifier's weights.

    A scale and a shift for each code (vector scaling, Guo et al. 2017). Codes count by the square root of their number: by number alone
    the teachers' shyness about rare codes (Advise) stays.
    """
    import torch

    from kmi.coder.api import Coder

    coder = Coder(model, tokenizer)
    for role, columns in COLUMNS.items():
        of_role = [example for example in validation if example.role == role]
        if not of_role:
            continue
        log_p = np.log(np.clip(coder.probabilities([(e.role, e.text, e.before) for e in of_role])[:, columns], 1e-9, 1))
        labels = np.array([example.label for example in of_role]) - columns.start
        scale, shift = _scale_and_shift(torch.tensor(log_p), torch.tensor(labels))
        with torch.no_grad():
            model.classifier.weight[columns] *= scale
            model.classifier.bias[columns] *= scale
            model.classifier.bias[columns] += shift


def _scale_and_shift(logits: "torch.Tensor", labels: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    import torch

    scale = torch.ones(1, dtype=logits.dtype, requires_grad=True)
    shift = torch.zeros(logits.shape[1], dtype=logits.dtype, requires_grad=True)
    counts = torch.bincount(labels, minlength=logits.shape[1]).to(logits).clamp(min=1)
    weights = (counts.sum() / counts) ** 0.5
    optimizer = torch.optim.LBFGS([scale, shift], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        # The small penalty keeps a code that validation lacks where it was.
        found = torch.nn.functional.cross_entropy(logits * scale + shift, labels, weight=weights) + 1e-4 * (shift**2).sum()
        found.backward()
        return found

    optimizer.step(loss)
    return scale.detach().float(), shift.detach().float()


def _epoch_data(training: Sequence[Example], taught: np.ndarray, of_all: Classify, recipe: Recipe, epoch: int):
    rng = random.Random(f"{recipe.seed}/{epoch}")
    made = [made_turn(example, training, recipe, rng) for example in training]
    targets = np.concatenate([taught, of_all(made)])
    return [cut_words(example, recipe.cut, rng) for example in (*training, *made)], targets


def _train_epoch(model, optimizer, tokenizer, examples, targets, recipe, epoch, accelerator, on_batch) -> None:
    import torch

    torch.manual_seed(recipe.seed * 1000 + epoch + accelerator.process_index * 100_000)
    batches = _batches(examples, recipe, epoch)
    mine = batches[accelerator.process_index :: accelerator.num_processes][: len(batches) // accelerator.num_processes]
    model.train()
    for number, rows in enumerate(mine):
        step = epoch * len(mine) + number
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, recipe.warmup, recipe.epochs * len(mine))
        batch = encode([examples[i] for i in rows], tokenizer).to(accelerator.device)
        target = torch.tensor(targets[rows], dtype=torch.float32, device=accelerator.device)
        loss = torch.nn.functional.cross_entropy(model(**batch).logits, target)
        accelerator.backward(loss)
        accelerator.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        on_batch(step + 1, recipe.epochs * len(mine))


def encode(examples: Sequence[Example], tokenizer: "PreTrainedTokenizerFast"):
    """A padded batch of turns as the model takes it."""
    texts, before = zip(*(pair_of(example.role, example.text, example.before) for example in examples), strict=True)
    return tokenizer(list(texts), list(before), truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt")


def _batches(examples: Sequence[Example], recipe: Recipe, epoch: int) -> list[list[int]]:
    """Batches of turns of like length, in random order; a last, smaller one is left out, so that every step weighs the same."""
    rng = random.Random(f"{recipe.seed}/{epoch}/order")
    order = sorted(range(len(examples)), key=lambda i: len(examples[i].text) + len(examples[i].before) + 40 * rng.random())
    size = min(recipe.batch_size, len(order))
    batches = [order[start : start + size] for start in range(0, len(order) - size + 1, size)]
    rng.shuffle(batches)
    return batches


def _digest(examples: Sequence[Example]) -> str:
    """Names the training turns: a state is of no use to others."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(repr(example).encode())
    return digest.hexdigest()[:16]


def _schedule(step: int, warmup: int, steps: int) -> float:
    return min(1.0, (step + 1) / max(1, warmup)) * 0.5 * (1 + math.cos(math.pi * step / max(1, steps)))


def _optimizer(model: "PreTrainedModel", recipe: Recipe) -> "torch.optim.Optimizer":
    import torch

    return torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
