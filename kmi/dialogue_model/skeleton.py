"""The bones of a turn: its everyday words and endings, the rest blank.

A model as small as ours learns grammar slowly and copying soon. So it is shown the bones of a turn that a counsellor once said under the
same label, `□를 □에서 □시는 게 마음이 쓰여요`, and learns to fill them from what this client says (retrieve and edit, Hashimoto et al. 2018).
In training they are the bones of the very turn that follows.

Not covered: whose bones are shown (`kmi.writers.chatbot`).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable

BLANK = "<|blank|>"
# A word said in so many of all turns is everyday; an ending is one that so many of all different words have.
EVERYDAY, ENDING = 1e-3, 7e-4
# In so many turns stands what tells nothing of whose turn it is.
USUAL = 0.012
LONGEST_ENDING = 3
WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


class Skeletons:
    """Bones of turns; what is everyday is learned from `texts`."""

    def __init__(self, texts: Iterable[str]) -> None:
        said = list(dict.fromkeys(texts))
        self._counts = words = Counter(word for text in said for word in {WORD.match(part)[2] for part in text.split()})
        endings = Counter(word[-n:] for word in words for n in range(1, LONGEST_ENDING + 1) if len(word) > n)
        self._log_usual = math.log(max(10.0, USUAL * len(said)))  # of few turns hardly anything can be told
        self._words = {word for word, count in words.items() if count >= max(2, EVERYDAY * len(said))}
        self._endings = {ending for ending, count in endings.items() if count >= max(2, ENDING * len(words))}

    def of(self, text: str) -> str:
        """The text with every word that is not everyday made `BLANK`, its ending kept where it is a usual one."""
        return " ".join(self._bones(part) for part in text.split())

    def own(self, text: str) -> dict[str, float]:
        """Stems of the text's words and how much each makes the turn one person's, 0-1 together: the rarer the more."""
        words = [word for word in (WORD.match(part)[2] for part in text.split()) if word]
        found: dict[str, float] = {}
        for word in words:
            stem = word.removesuffix(self._ending(word))
            found[stem] = found.get(stem, 0.0) + self._rarity(word) / len(words)
        return found

    def foreign(self, text: str, known: str) -> float:
        """How much the text brings from somewhere else, 0-1: its own words that do not stand in `known`."""
        return sum(weight for stem, weight in self.own(text).items() if stem not in known)

    def _rarity(self, word: str) -> float:
        """0 for what is said everywhere, 1 for what is said once or never."""
        return max(0.0, 1 - math.log(max(1, self._counts[word])) / self._log_usual)

    def _bones(self, part: str) -> str:
        before, word, after = WORD.match(part).groups()
        return before + BLANK + self._ending(word) + after if word and word not in self._words else part

    def _ending(self, word: str) -> str:
        return next((word[-n:] for n in range(LONGEST_ENDING, 0, -1) if len(word) > n and word[-n:] in self._endings), "")
