"""How well the dialogue model knows the sessions, beside a trigram model, and how quick it is.

Not covered: what its answers are like (`kmi.dialogue_model.comparison`).
"""

import math
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np

from kmi.dialogue import Dialogue
from kmi.dialogue_model.format import CLIENT, END, OPENINGS, POST, THERAPIST, session_messages
from kmi.dialogue_model.trigram import Trigram

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def perplexity_per_character(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", dialogues: Iterable[Dialogue]) -> float:
    """How surprised the model is by what is said, turn ends included, per character of it; 1 or more, lower is better.

    Posts and codes are given and not counted. Per character, so that models with other tokens compare.
    """
    import torch

    def log_probability(ids: list[int], counted: np.ndarray) -> float:
        with torch.inference_mode():
            logits = model(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        found = logits[torch.arange(len(ids) - 1), torch.tensor(ids[1:])].numpy()
        return float(found[counted[1:]].sum())

    return _per_character(log_probability, tokenizer, dialogues)


def trigram_perplexity_per_character(training: Iterable[Dialogue], tokenizer: "PreTrainedTokenizerBase", dialogues: Iterable[Dialogue]) -> float:
    """The same of a trigram model of the training sessions."""
    trigram = Trigram((_session(dialogue, tokenizer)[0] for dialogue in training), len(tokenizer))

    def log_probability(ids: list[int], counted: np.ndarray) -> float:
        return sum(trigram.log_probability(ids[max(0, i - 2) : i], ids[i]) for i in np.flatnonzero(counted))

    return _per_character(log_probability, tokenizer, dialogues)


def _per_character(log_probability: Callable[[list[int], np.ndarray], float], tokenizer: "PreTrainedTokenizerBase", dialogues: Iterable[Dialogue]) -> float:
    """Perplexity from what `log_probability` gives the counted tokens of each session."""
    total, characters = 0.0, 0
    for dialogue in dialogues:
        total += log_probability(*_session(dialogue, tokenizer))
        characters += sum(len(turn.text) for turn in dialogue.utterances)
    return math.exp(-total / characters)


def seconds_of(model: "PreTrainedModel", prompt: list[int], tokens: int) -> tuple[float, float]:
    """Seconds to the first token and to `tokens` of them, after a prompt."""
    import torch

    times = []
    for count in (1, tokens):
        start = time.perf_counter()
        model.generate(torch.tensor([prompt]), max_new_tokens=count, min_new_tokens=count, do_sample=False)
        times.append(time.perf_counter() - start)
    return times[0], times[1]


def _session(dialogue: Dialogue, tokenizer: "PreTrainedTokenizerBase") -> tuple[list[int], np.ndarray]:
    """Token ids of a whole session, and which of them are something said or the end of it."""
    ids = list(tokenizer.apply_chat_template(session_messages(dialogue), return_dict=True)["input_ids"])
    post, end = (tokenizer.convert_tokens_to_ids(name) for name in (POST, END))
    marks = [tokenizer.convert_tokens_to_ids(name) for name in (CLIENT, THERAPIST, *OPENINGS.values())]
    counted = ~np.isin(ids, marks)
    if ids[0] == post:
        counted[: ids.index(end) + 1] = False
    return ids, counted
