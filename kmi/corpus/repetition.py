"""Repetition over many dialogues: distinct-n, repeated turns, shared spans, near duplicates.

Words are whitespace tokens (eojeol), so figures compare with others only at the same count
of dialogues and the same tokens. Near duplicates are found by MinHash (datasketch).

Not covered: repetition within one dialogue (`utterance_checks`), habits (`style_checks`).
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from kmi.dialogue import Dialogue
from kmi.errors import MissingExtra

SPAN_WORDS = 7
SHINGLE_WORDS = 3
PERMUTATIONS = 128


def distinct(texts: Iterable[str], n: int) -> float | None:
    """Distinct-n: different word n-grams / all word n-grams, 0-1, higher is more varied; None without any."""
    grams = [gram for text in texts for gram in _grams(text.split(), n)]
    return len(set(grams)) / len(grams) if grams else None


def distinct_by_role(dialogues: Sequence[Dialogue], *, sample: int = 190, seed: int = 0) -> dict[str, dict[int, float | None]]:
    """Distinct-2 and distinct-3 for each role over `sample` dialogues drawn at random (all, if fewer).

    The figure falls as text grows, so it only compares at equal counts of dialogues.
    """
    drawn = list(dialogues)
    if len(drawn) > sample:
        drawn = random.Random(seed).sample(drawn, sample)
    return {role: {n: distinct(_texts(drawn, role), n) for n in (2, 3)} for role in ("therapist", "client")}


def repeated_turns(dialogues: Iterable[Dialogue], *, longer_than: int = 12) -> list[tuple[str, list[str]]]:
    """Therapist turns of more than `longer_than` characters that occur word for word again, with the ids."""
    places: dict[str, list[str]] = defaultdict(list)
    for dialogue in dialogues:
        for text in _texts([dialogue], "therapist"):
            if len(text) > longer_than:
                places[text].append(dialogue.id)
    return [(text, ids) for text, ids in places.items() if len(ids) > 1]


def shared_spans(dialogues: Iterable[Dialogue], *, most: int = 3) -> list[tuple[str, int]]:
    """Spans of 7 words that occur in more than `most` dialogues, most widespread first."""
    found: Counter[tuple[str, ...]] = Counter()
    for dialogue in dialogues:
        found.update({gram for turn in dialogue.utterances for gram in _grams(turn.utterance_ko.split(), SPAN_WORDS)})
    return [(" ".join(gram), count) for gram, count in found.most_common() if count > most]


def near_duplicates(dialogues: Sequence[Dialogue], *, similarity: float = 0.4) -> list[tuple[str, str, float]]:
    """Pairs of dialogues whose estimated Jaccard similarity of 3-word shingles exceeds `similarity`."""
    try:
        from datasketch import MinHash, MinHashLSH
    except ImportError:
        raise MissingExtra("Finding near duplicates", "datasketch", "corpus") from None
    # Looser than asked, since LSH misses pairs near its threshold; the estimate then decides.
    index = MinHashLSH(threshold=similarity * 0.6, num_perm=PERMUTATIONS)
    pairs, hashes = [], {}
    for dialogue in dialogues:
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([" ".join(gram).encode() for gram in _shingles(dialogue)])
        for other in index.query(sketch):
            estimate = float(sketch.jaccard(hashes[other]))
            if estimate > similarity:
                pairs.append((other, dialogue.id, estimate))
        index.insert(dialogue.id, sketch)
        hashes[dialogue.id] = sketch
    return pairs


def _shingles(dialogue: Dialogue) -> set[tuple[str, ...]]:
    return {gram for turn in dialogue.utterances for gram in _grams(turn.utterance_ko.split(), SHINGLE_WORDS)}


def _texts(dialogues: Iterable[Dialogue], role: str) -> Iterator[str]:
    return (turn.utterance_ko for dialogue in dialogues for turn in dialogue.utterances if turn.role == role)


def _grams(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return zip(*(words[i:] for i in range(n)), strict=False)
