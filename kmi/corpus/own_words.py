"""Which words make an utterance one person's: the rare ones, told by their stems.

An utterance said to somebody else fits where its own words have been said here too ("담배", "시누이"), or where it has none. Endings are
found by how many different words have them, so that "담배를" and "담배가" are one word without a morphological analyser.

Not covered: which utterance is picked (`kmi.writers.retrieval`, `kmi.dialogue_model.choice`).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

# An ending is one that so many of all different words have.
ENDING, LONGEST_ENDING = 7e-4, 3
# In so many utterances stands what tells nothing of whose it is; of few utterances hardly anything can be told.
USUAL, FEWEST = 0.012, 10
WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


class OwnWords:
    """Knows how usual words are among `texts`."""

    def __init__(self, texts: Iterable[str]) -> None:
        said = list(dict.fromkeys(texts))
        self._counts = Counter(word for text in said for word in set(_words(text)))
        self._log_usual = math.log(max(FEWEST, USUAL * len(said)))
        endings = Counter(word[-n:] for word in self._counts for n in range(1, LONGEST_ENDING + 1) if len(word) > n)
        self._endings = {ending for ending, count in endings.items() if count >= max(2, ENDING * len(self._counts))}

    def of(self, text: str) -> dict[str, float]:
        """Stems of the text's words and how much each makes it one person's, 0-1 together: the rarer the more."""
        words, found = _words(text), {}
        for word in words:
            stem = self._stem(word)
            found[stem] = found.get(stem, 0.0) + self._rarity(word) / len(words)
        return found

    def foreign(self, text: str, known: str) -> float:
        """How much the text brings from somewhere else, 0-1: its own words whose stem does not stand in `known`."""
        return sum(weight for stem, weight in self.of(text).items() if stem not in known)

    def _rarity(self, word: str) -> float:
        """0 for what is said everywhere, 1 for what is said once or never."""
        return max(0.0, 1 - math.log(max(1, self._counts[word])) / self._log_usual)

    def _stem(self, word: str) -> str:
        return next((word[:-n] for n in range(LONGEST_ENDING, 0, -1) if len(word) > n and word[-n:] in self._endings), word)


def _words(text: str) -> list[str]:
    return [word for word in (WORD.match(part)[2] for part in text.split()) if word]
