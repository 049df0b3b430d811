import math

import pytest
import torch

from kmi.dialogue_model.evaluation import perplexity_per_character, seconds_of, trigram_perplexity_per_character
from kmi.dialogue_model.model import DialogueModel


class Uniform(torch.nn.Module):
    """Finds every token equally likely."""

    def __init__(self, size):
        super().__init__()
        self.size = size

    def forward(self, ids):
        from types import SimpleNamespace

        return SimpleNamespace(logits=torch.zeros(1, ids.shape[1], self.size))


def test_a_uniform_model_has_the_perplexity_of_its_tokens(tiny_model, sessions):
    tokenizer = DialogueModel.from_pretrained(tiny_model).tokenizer
    dialogue = sessions[0]
    tokens = sum(len(tokenizer(turn.text)["input_ids"]) + 1 for turn in dialogue.utterances)  # and the end of the turn
    characters = sum(len(turn.text) for turn in dialogue.utterances)
    expected = math.exp(tokens * math.log(len(tokenizer)) / characters)
    assert perplexity_per_character(Uniform(len(tokenizer)), tokenizer, [dialogue]) == pytest.approx(expected, rel=1e-4)


def test_a_trigram_knows_what_it_has_seen_better(tiny_model, sessions):
    tokenizer = DialogueModel.from_pretrained(tiny_model).tokenizer
    seen = trigram_perplexity_per_character(sessions[:6], tokenizer, sessions[:1])
    unseen = trigram_perplexity_per_character(sessions[1:6], tokenizer, sessions[:1])
    assert 1 < seen < unseen < perplexity_per_character(Uniform(len(tokenizer)), tokenizer, sessions[:1])


def test_times_grow_with_the_tokens(tiny_model):
    first, whole = seconds_of(DialogueModel.from_pretrained(tiny_model).model, [3, 20, 21, 1, 4], 12)
    assert 0 < first < whole
