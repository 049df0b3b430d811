"""The retrieval writer: the embedded default. No key, no weights, no network.

For each turn it picks the utterance of the shipped corpus that fits best: same role and
label (or talk), then nearness of what was said before to what stood before it and to itself
(character n-gram TF-IDF), few words of its own that nobody here has said, category, process and
place in the session; never twice in a session. Where little fits, one of the counsellor's turns in
`anywhere.txt` does, which are nobody's in particular. It writes nothing of its own, so its sessions
hang together only as far as the corpus is large: a baseline, and it says so. Sessions it makes are
refused by the dataset build.

Plan mode is not for it: a whole session cannot be picked at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kmi.clients.danger import speaks_of_danger
from kmi.codes import ABBREVIATIONS, label_of
from kmi.corpus.own_words import OwnWords
from kmi.dialogue import Dialogue
from kmi.errors import ConfigError, WriterError
from kmi.writers.base import Completion, Cue, WriteRequest
from kmi.writers.safety import safety_turn

# Weights beside nearness of what stood before; chosen by blind reading of 40 answers on the validation split: relevance (0-6) .8 with
# 1.0 and 1.5, 1.0 with 4.0 and 4.0, and with the turns that fit anywhere 1.2, 1.6 and 1.9 as they weigh 0.5, 0.8 and 1.2.
ECHO, FOREIGN = 4.0, 4.0
# What a turn that fits anywhere has in place of category, process and place.
ANYWHERE = 1.0
SHORT = {label: abbreviation for abbreviation, label in ABBREVIATIONS.items()}


@dataclass(frozen=True, slots=True)
class Entry:
    """One utterance of the corpus and the little that was around it."""

    role: str
    code: str
    kind: str  # therapist label or client talk type
    ko: str
    en: str
    before: str
    category: str
    process: str | None
    place: str  # "first", "middle" or "last"; "" for a turn that fits anywhere


class RetrievalWriter:
    """Picks utterances from `corpus` (default: the shipped dialogues, train split)."""

    name = "retrieval"
    concurrency = 1

    def __init__(self, corpus: list[Dialogue] | None = None) -> None:
        self._corpus = corpus

    def describe(self) -> dict[str, Any]:
        """The corpus decides the answers; its size names it well enough for a run."""
        return {"writer": self.name, "utterances": len(self._entries)}

    async def prepare(self) -> None:
        """Loads and indexes the corpus."""
        if not self._entries:
            raise ConfigError("The retrieval writer found no dialogue in the corpus.", "Build it: python scripts/build_dataset.py")

    async def write(self, request: WriteRequest) -> Completion:
        """The best unused utterance in the compact notation; `WriterError` where none is left."""
        cue = request.cue
        if cue.role == "session":
            raise ConfigError("The retrieval writer works turn by turn.", "Use --mode turn, or another --writer for --mode plan.")
        # Asked again after a failed check: the next best, for the best would fail again.
        attempt = int(request.id.rpartition("/")[2]) if request.id.rpartition("/")[2].isdecimal() else 0
        text = safety_turn(cue, request.seed) if cue.crisis and cue.role == "therapist" else self._pick(cue, attempt)
        return Completion(text, model="retrieval")

    async def close(self) -> None:
        """Nothing to close."""

    @property
    def _entries(self) -> list[Entry]:
        return self._index.entries

    @cached_property
    def _index(self) -> "Index":
        return Index(self._corpus) if self._corpus is not None else _shipped()

    def ranked(self, cue: Cue) -> list[Entry]:
        """Utterances of the corpus for this place, the best fitting first, none that was said already.

        Raises:
            WriterError: the corpus has none left.
        """
        index, used = self._index, set(cue.history)
        rows = np.array([row for row in index.groups.get((cue.role, cue.kind), ()) if index.entries[row].ko not in used], dtype=int)
        if not rows.size:
            raise WriterError(f"The corpus has no unused {cue.role} utterance left for {cue.kind}.", "A larger corpus has more.")
        scores = index.nearness(rows, cue) + np.array([_fit(index.entries[row], cue) for row in rows])
        # Highest score, then corpus order: the same session again gives the same choice.
        return [index.entries[rows[place]] for place in np.argsort(-scores, kind="stable")]

    def _pick(self, cue: Cue, attempt: int) -> str:
        found = self.ranked(cue)
        return _line(found[min(attempt, len(found) - 1)])


def _fit(entry: Entry, cue: Cue) -> float:
    """Bonus for category, process, place and subtype, on the scale of a cosine similarity."""
    if not entry.place:
        return ANYWHERE
    place = "last" if cue.last else "first" if len(cue.history) < 2 else "middle"
    wanted = f"{cue.talk}/{cue.talk_subtype}" if cue.talk_subtype else cue.talk
    return (
        0.25 * (entry.category == cue.category)
        + 0.10 * (entry.process == cue.process)
        + 0.30 * (entry.place == place)
        + 0.50 * (cue.role == "client" and entry.code == wanted)
    )


def _line(entry: Entry) -> str:
    return f"{'T' if entry.role == 'therapist' else 'C'} {entry.code} | {entry.ko}" + (f" | {entry.en}" if entry.en else "")


class Index:
    """The corpus by role and kind, with what was said and what was said before as character n-grams, and each utterance's own words."""

    def __init__(self, corpus: list[Dialogue], anywhere: Sequence[Entry] = ()) -> None:
        from scipy.sparse import csr_matrix
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.entries = [*(entry for dialogue in corpus if dialogue.arc != "crisis" for entry in _entries_of(dialogue)), *anywhere]
        self.groups: dict[tuple[str, str], list[int]] = {}
        for row, entry in enumerate(self.entries):
            self.groups.setdefault((entry.role, entry.kind), []).append(row)
        self._vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True, dtype=np.float32)
        said, before = [entry.ko for entry in self.entries], [entry.before for entry in self.entries]
        # What stood before is mostly another entry: every text is read once.
        places = {text: place for place, text in enumerate(dict.fromkeys((*said, *before)))}
        read = self._vectoriser.fit_transform(places or ["-"])
        self._said, self._before = (read[[places[text] for text in texts]] for texts in (said, before))
        words = OwnWords(said)
        own = [words.of(text) for text in said]
        self._stems = {stem: column for column, stem in enumerate(dict.fromkeys(stem for weights in own for stem in weights))}
        weighed = [(row, self._stems[stem], weight) for row, weights in enumerate(own) for stem, weight in weights.items()]
        rows, columns, weights = zip(*weighed, strict=True) if weighed else ((), (), ())
        self._own = csr_matrix((weights, (rows, columns)), shape=(len(own), len(self._stems)))

    def nearness(self, rows: np.ndarray, cue: Cue) -> np.ndarray:
        """How near the utterances `rows` [n] are to the place of a cue, [n]; on the scale of cosine similarities."""
        # The last thing said weighs most, then the turn before it, then the post.
        query = self._vectoriser.transform([" ".join((*cue.history[-2:], *cue.history[-1:], cue.context[:300]))]).T
        before, echo = ((matrix[rows] @ query).toarray().ravel() for matrix in (self._before, self._said))
        return before + ECHO * echo - FOREIGN * (self._own[rows] @ self._unknown(" ".join((cue.context, *cue.history))))

    def _unknown(self, known: str) -> np.ndarray:
        """1 for every stem that does not stand in `known`, else 0, [stems]."""
        unknown = np.ones(len(self._stems))
        longest = max(map(len, self._stems), default=0)
        for stem in {known[start : start + size] for size in range(1, longest + 1) for start in range(len(known) - size + 1)} & self._stems.keys():
            unknown[self._stems[stem]] = 0
        return unknown


def _entries_of(dialogue: Dialogue) -> list[Entry]:
    turns, entries = dialogue.utterances, []
    for number, turn in enumerate(turns):
        kind = turn.label or turn.talk
        # Talk of death and crisis lines belong to the person they were said to; `kmi.writers.safety` has its own.
        if kind is None or not turn.utterance_ko or speaks_of_danger(turn.utterance_ko) or "109" in turn.utterance_ko:
            continue
        code = SHORT[turn.label] if turn.label else f"{turn.talk}/{turn.talk_subtype}" if turn.talk_subtype else turn.talk
        place = "first" if number < 2 else "last" if number == len(turns) - 1 else "middle"
        before = turns[number - 1].utterance_ko if number else dialogue.context[:300]
        entries.append(
            Entry(turn.role, code, kind, turn.utterance_ko, turn.utterance_en, before, dialogue.category, turn.process, place)
        )
    return entries


@cache
def _anywhere() -> tuple[Entry, ...]:
    """The counsellor's turns of `anywhere.txt`."""
    lines = Path(__file__).with_name("anywhere.txt").read_text(encoding="utf-8").splitlines()
    turns = (line.split(" | ") for line in lines if not line.startswith("//"))
    return tuple(Entry("therapist", code, label_of(code), ko, en, "", "", None, "") for code, ko, en in turns)


@cache
def _shipped() -> Index:
    """Of the train split, made once a process: it takes seconds."""
    from kmi.corpus.load import shipped_dialogues

    return Index(list(shipped_dialogues("train")), _anywhere())
