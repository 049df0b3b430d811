"""Whether a reply is a training turn over again.

Counted by the character 5-grams of the reply that stand together in one turn. Not covered: repetition within the corpus (`kmi.corpus.repetition`).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

GRAM = 5
COPY = 0.8


class Turns:
    """Turns that a reply may copy, by their character 5-grams."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._having: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(dict.fromkeys(texts)):
            for gram in _grams(text):
                self._having[gram].append(number)

    def overlap(self, text: str) -> float:
        """Largest share of the text's 5-grams that stand together in one of the turns, 0-1."""
        grams = _grams(text)
        together = Counter(number for gram in grams for number in self._having.get(gram, ()))
        return max(together.values(), default=0) / len(grams) if grams else 0.0

    def copied(self, text: str) -> bool:
        """True where more than `COPY` of the text is one of the turns."""
        return self.overlap(text) > COPY


def _grams(text: str) -> set[str]:
    return {text[i : i + GRAM] for i in range(max(1, len(text) - GRAM + 1))}
