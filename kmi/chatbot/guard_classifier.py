"""The guard's second layer: two small linear models over hashed character n-grams and pattern hits, read with numpy alone.

Is somebody in danger, and if so which kind? Small on purpose: it loads in milliseconds, runs in a few, and what it learnt can
be looked at. What each hand-written pattern is worth beside the words around it is learnt too, so that "죽겠어요" alone decides nothing.

Not covered: the patterns (`guard_patterns`), some of which decide alone (`guard`); training (`guard_training`).
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import as_file, files

import numpy as np

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
ALONE = np.array([0.4, 0, 0, 0, 0, 0], dtype=np.float32)
# Long messages tell more of everything: what is usual at a length must not speak through the words.
LENGTHS, LENGTH = (8, 16, 32, 48, 64, 96), 0.5
WEIGHTS = "guard_weights.safetensors"


@dataclass(frozen=True, slots=True)
class Classifier:
    """`weights` [1 + kinds, buckets] and `bias` [1 + kinds]: danger first, then the kinds; an alarm is a danger of `threshold` or more."""

    weights: np.ndarray
    bias: np.ndarray
    threshold: float

    @classmethod
    def shipped(cls) -> "Classifier":
        """The one in the package."""
        from safetensors import safe_open

        with as_file(files("kmi.chatbot").joinpath(WEIGHTS)) as path, safe_open(str(path), "np") as stored:
            weights, bias, threshold = (stored.get_tensor(name) for name in ("weights", "bias", "threshold"))
        return cls(weights.astype(np.float32), bias, float(threshold[0]))

    def danger(self, message: str) -> tuple[float, str]:
        """Probability of danger in the message's most alarming part, sentence and reading, 0-1, and which kind it would be."""
        whole = [self._logits(part) for part in parts(message)]
        alone = [self._logits(sentence) - ALONE for reading in readings(message) for sentence in sentences(reading)]
        worst = max((*whole, *alone), key=lambda logits: logits[0])
        return float(1 / (1 + np.exp(-worst[0]))), KINDS[int(worst[1:].argmax())]

    def _logits(self, text: str) -> np.ndarray:
        buckets, values = features(text)
        return self.weights[:, buckets] @ values + self.bias


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
