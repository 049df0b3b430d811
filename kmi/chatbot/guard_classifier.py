"""The guard's second layer: small models over hashed character n-grams and pattern hits, read with numpy alone.

Is somebody in danger, and if so which kind? Three opinions are added: a linear model of danger, linear models of each kind (the loudest
of them), and what the nearest known messages were (`guard_neighbours`). Small on purpose: they load in milliseconds, run in a
few, and what they learnt can be looked at. What each hand-written pattern is worth beside the words around it is learnt too, so that
"죽겠어요" alone decides nothing.

Not covered: the patterns (`guard_patterns`), some of which decide alone (`guard`); training (`guard_training`).
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

from kmi.chatbot.guard_neighbours import Neighbours
from kmi.chatbot.guard_patterns import KINDS, hits
from kmi.chatbot.guard_spelling import readings
from kmi.corpus.korean import SENTENCE_END

BUCKETS = 2**17
SPACED, CLOSE = (2, 3, 4), (2, 3, 4)
"""Sizes of the n-grams within words, and of those of the text without its spaces."""
# What stands first or last in a long message counts as much as the whole of it.
WINDOW = 160
# An n-gram of a short message weighs about a tenth; a pattern somewhat more.
HIT = 0.15
# "네." and "그냥요." say nothing by themselves.
SHORTEST = 8
# Out of its message a sentence says less for sure: so much is taken off its log-odds. Without looking at sentences a quarter of the
# dangers beside a calm sentence were missed (measured on 119: none of it .77 seen, at 0 .97, at this .95).
ALONE = 0.4
# What the nearest messages say, on the scale of log-odds.
VOTE = 1.5
# Long messages tell more of everything: what is usual at a length must not speak through the words.
LENGTHS, LENGTH = (8, 16, 32, 48, 64, 96), 0.5
WEIGHTS = "guard_weights.safetensors"


@dataclass(frozen=True, slots=True)
class Classifier:
    """`weights` [1 + kinds, buckets] and `bias` [1 + kinds]: danger first, then each kind against harmless; an alarm is `threshold` or more."""

    weights: np.ndarray
    bias: np.ndarray
    neighbours: Neighbours
    threshold: float

    @classmethod
    def shipped(cls) -> "Classifier":
        """The one in the package."""
        from safetensors.numpy import load_file

        with as_file(files("kmi.chatbot").joinpath(WEIGHTS)) as path:
            tensors = load_file(path)
        return cls(tensors["weights"].astype(np.float32), tensors["bias"], Neighbours.from_tensors(tensors), float(tensors["threshold"][0]))

    def danger(self, message: str) -> tuple[float, str]:
        """How likely the message's most alarming part, sentence and reading tells of danger, 0-1, and which kind it would be."""
        found = [self._opinion(part) for part in parts(message)]
        alone = dict.fromkeys(sentence for reading in readings(message) for sentence in sentences(reading))
        found += [(log_odds - ALONE, kind) for log_odds, kind in map(self._opinion, alone)]
        log_odds, kind = max(found)
        return float(1 / (1 + np.exp(-log_odds))), KINDS[kind]

    def _opinion(self, text: str) -> tuple[float, int]:
        """Log-odds of danger, not calibrated, the threshold fits them; and the number of the likeliest kind."""
        buckets, values = features(text)
        logits = self.weights[:, buckets] @ values + self.bias
        linear = (logits[0] + np.logaddexp.reduce(logits[1:])) / 2
        return float(linear + VOTE * self.neighbours.vote(buckets, values)), int(logits[1:].argmax())


def parts(message: str) -> list[str]:
    """Every reading of a message, long ones in overlapping windows, none twice."""
    return list(dict.fromkeys(part for reading in readings(message) for part in windows(reading)))


def sentences(text: str) -> list[str]:
    """The sentences of a text with several: danger is often one of them, and the calm ones beside it must not drown it."""
    found = SENTENCE_END.split(text)
    return [part for sentence in found if len(sentence) >= SHORTEST for part in windows(sentence)] if len(found) > 1 else []


def windows(text: str) -> list[str]:
    """The text, or overlapping parts of a long one."""
    if len(text) <= WINDOW:
        return [text]
    return [text[start : start + WINDOW] for start in range(0, len(text) - WINDOW // 2, WINDOW // 2)]


def features(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Buckets and values of one reading: n-grams of unit length together, and one for each pattern that hits."""
    spaced, close = f" {text} ", "".join(text.split())
    grams = _buckets({*_grams(spaced, SPACED, ""), *_grams(close, CLOSE, "_")})
    found = _buckets({f"#{name}" for name in hits(text)})
    size = _buckets({f"#length/{sum(len(close) >= step for step in LENGTHS)}"})
    values = np.concatenate([np.full(len(grams), 1 / np.sqrt(max(1, len(grams)))), np.full(len(found), HIT), [LENGTH]])
    return np.concatenate([grams, found, size]), values.astype(np.float32)


def _grams(text: str, sizes: Iterable[int], mark: str) -> Iterable[str]:
    for size in sizes:
        for start in range(len(text) - size + 1):
            gram = text[start : start + size]
            # Within words only, a space marking where one begins or ends.
            if " " not in gram[1:-1]:
                yield mark + gram


def _buckets(names: set[str]) -> np.ndarray:
    return np.unique(np.fromiter((zlib.crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names), dtype=np.int64, count=len(names)))
