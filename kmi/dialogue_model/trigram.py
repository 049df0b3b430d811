"""A trigram model over the same tokens: what the dialogue model's perplexity is compared with.

Interpolated with Witten-Bell weights (Chen and Goodman 1999): a context that was followed by many different tokens trusts its shorter one more.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence


class Trigram:
    """Counts over token sequences; `vocabulary` is the number of different tokens there can be."""

    def __init__(self, sequences: Iterable[Sequence[int]], vocabulary: int) -> None:
        self.vocabulary = vocabulary
        self.followers: list[dict[tuple[int, ...], Counter[int]]] = [defaultdict(Counter) for _ in range(3)]
        for sequence in sequences:
            for place, token in enumerate(sequence):
                for order in range(min(3, place + 1)):
                    self.followers[order][tuple(sequence[place - order : place])][token] += 1

    def log_probability(self, before: Sequence[int], token: int) -> float:
        """Natural logarithm of the probability of `token` after `before`, of which the last two tokens count."""
        before, probability = before[-2:], 1 / self.vocabulary
        for order in range(len(before) + 1):
            counts = self.followers[order].get(tuple(before[len(before) - order :]))
            if counts:
                total, kinds = counts.total(), len(counts)
                probability = (counts[token] + kinds * probability) / (total + kinds)
        return math.log(probability)
