"""What the coder reads: who speaks, the turn, and the turn before it.

One classifier of 11 labels serves both speakers: the turn opens with a token for its speaker, and the probabilities
of the other speaker's labels come out near 0. The turn before is the second text of the pair, a mark in front of each of its
words: the checkpoint averages over all tokens and could not tell the two texts apart otherwise.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from kmi.codes import TALK_TYPES, THERAPIST_LABELS
from kmi.dialogue import Dialogue

LABELS: tuple[str, ...] = (*THERAPIST_LABELS, *TALK_TYPES)
"""The checkpoint's labels in order: the 8 of therapists, then the 3 of clients."""
COLUMNS = {"therapist": slice(0, len(THERAPIST_LABELS)), "client": slice(len(THERAPIST_LABELS), len(LABELS))}
SPEAKER = {"therapist": "[T]", "client": "[C]"}
BEFORE = "[B]"
WORDS_BEFORE = 6  # of the turn before, its last: the end is what a turn answers, and 40 words drowned the turn itself in trials
LANGUAGES = ("ko", "en")
BREAK = "\u2060"  # a word joiner: the tokenizer cuts a word here and drops it


@dataclass(frozen=True, slots=True)
class Example:
    """One coded turn of a dialogue; `label` indexes `LABELS`."""

    role: str
    text: str
    before: str
    label: int
    dialogue: str = ""


def pair_of(role: str, text: str, before: str = "") -> tuple[str, str]:
    """The two texts the checkpoint's tokenizer takes."""
    words = before.split()[-WORDS_BEFORE:]
    return f"{SPEAKER[role]} {text}", " ".join(f"{BEFORE} {word}" for word in words)


def examples_of(dialogues: Iterable[Dialogue], languages: Iterable[str] = LANGUAGES) -> Iterator[Example]:
    """Every coded turn of the dialogues, in each language that it has."""
    for dialogue in dialogues:
        for language in languages:
            texts = [turn.utterance_ko if language == "ko" else turn.utterance_en for turn in dialogue.utterances]
            for i, turn in enumerate(dialogue.utterances):
                code = turn.label if turn.role == "therapist" else turn.talk
                if code and texts[i]:
                    yield Example(turn.role, texts[i], texts[i - 1] if i else "", LABELS.index(code), dialogue.id)
