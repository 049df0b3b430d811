"""Which of several drafts is said: the one that is most of the wanted kind, answers what was said and is not a copy.

Small models wander; among some drafts there is usually one that wanders less. The coder reads each draft's code, the words shared with
what was said tell whether it answers it, words of its own that nobody here has said that it does not, and a draft that is a training
turn over again falls back.

Not covered: drawing drafts (`kmi.writers.chatbot`); the checks of every turn (`kmi.corpus.utterance_checks`).
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from kmi.coder.api import Coder
from kmi.coder.text import LABELS
from kmi.corpus.own_words import OwnWords
from kmi.dialogue_model.copying import Turns

# On the scale of a log-probability of the wanted code.
RELEVANCE_WEIGHT = 8.0
FOREIGN_COST = 6.0
COPY_COST = 2.0
# Half-sentences answer nothing.
SHORTEST, SHORT_COST = 8, 6.0


def best(drafts: Sequence[str], role: str, kind: str | None, said: Sequence[str], coder: Coder, turns: Turns, post: str = "") -> int:
    """Index of the draft to say.

    Args:
        drafts: one or more texts, none empty.
        role: who says it.
        kind: label or talk type wanted; None where any will do.
        said: what was said before, oldest first.
        coder: reads the drafts' codes.
        turns: turns that are not to be copied.
        post: what the client has written before the session.
    """
    before = said[-1] if said else ""
    scores = np.array([-SHORT_COST * (len(draft) < SHORTEST) - COPY_COST * turns.copied(draft) for draft in drafts])
    known = " ".join((post, *said))
    scores += RELEVANCE_WEIGHT * relevance(drafts, said) - FOREIGN_COST * np.array([_own_words().foreign(draft, known) for draft in drafts])
    if kind:
        probabilities = coder.probabilities([(role, draft, before) for draft in drafts])[:, LABELS.index(kind)]
        scores += np.log(np.maximum(probabilities, 1e-6))
    return int(scores.argmax())


def relevance(drafts: Sequence[str], said: Sequence[str]) -> np.ndarray:
    """Nearness of each draft to the last things said, by rare character n-grams in common, 0-1 [n]."""
    vectoriser = _vectoriser()
    weights = 0.5 ** np.arange(len(said[-3:]))[::-1]
    told = sum((weight * vectoriser.transform([text]) for weight, text in zip(weights, said[-3:], strict=True)), start=vectoriser.transform([""]))
    norm = np.sqrt(told.multiply(told).sum()) or 1.0
    return (vectoriser.transform(drafts) @ told.T).toarray().ravel() / norm


@cache
def training_turns() -> Turns:
    """All turns of the train split, to be compared with."""
    return Turns(_texts())


@cache
def _own_words() -> OwnWords:
    return OwnWords(_texts())


@cache
def _vectoriser():
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32).fit(_texts())


@cache
def _texts() -> tuple[str, ...]:
    from kmi.corpus.load import shipped_dialogues

    return tuple(turn.text for dialogue in shipped_dialogues("train") for turn in dialogue.utterances)
