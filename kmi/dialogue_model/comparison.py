"""Writers side by side: each answers the same therapist turns of written sessions, under the same label.

What came before is the session as written, so that no writer inherits another's slips. Counted is what needs no reader; `pairs` sets out
answers side by side, unnamed and in drawn order, for those who judge fluency and relevance blind.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kmi.coder.api import Coder
from kmi.coder.text import LABELS
from kmi.corpus.repetition import distinct
from kmi.dialogue import Dialogue
from kmi.dialogue_model.copying import Turns
from kmi.errors import WriterError
from kmi.simulation.answers import read_therapist
from kmi.writers.base import Cue, Writer, WriteRequest

MAX_TOKENS, TEMPERATURE = 300, 0.7


@dataclass(frozen=True, slots=True)
class Place:
    """A therapist turn to be answered anew: number `turn` of a dialogue, with its label and everything before it."""

    dialogue: Dialogue
    turn: int

    @property
    def label(self) -> str:
        """The label asked for: the one the turn was written under."""
        return self.dialogue.utterances[self.turn].label

    @property
    def said(self) -> tuple[str, ...]:
        """What was said before, oldest first."""
        return tuple(turn.text for turn in self.dialogue.utterances[: self.turn])

    def request(self) -> WriteRequest:
        """What every writer is asked."""
        dialogue, turn = self.dialogue, self.dialogue.utterances[self.turn]
        cue = Cue(
            "therapist", label=turn.label, category=dialogue.category, process=turn.process, context=dialogue.context,
            history=self.said, last=self.turn == dialogue.turns - 1,
        )  # fmt: skip
        return WriteRequest(f"{dialogue.id}/{self.turn}/0", (), MAX_TOKENS, TEMPERATURE, self.turn, cue)


def places(dialogues: Iterable[Dialogue]) -> list[Place]:
    """Every labelled therapist turn that answers a client; crisis sessions are left out, their lines are fixed."""
    return [
        Place(dialogue, number)
        for dialogue in dialogues
        if dialogue.arc != "crisis"
        for number, turn in enumerate(dialogue.utterances)
        if number and turn.role == "therapist" and turn.label
    ]


def answer(writer: Writer, where: Sequence[Place], on_answer: Callable[[], None] = lambda: None) -> tuple[list[str], float]:
    """The writer's text at each place, "" where it had none, and the seconds it took for one on average."""

    async def all_of_them() -> list[str]:
        await writer.prepare()
        found = []
        for place in where:
            try:
                completion = await writer.write(place.request())
                found.append(read_therapist(completion.text, place.label).utterance_ko)
            except WriterError:
                found.append("")
            on_answer()
        await writer.close()
        return found

    start = time.perf_counter()
    texts = asyncio.run(all_of_them())
    return texts, (time.perf_counter() - start) / max(1, len(where))


def figures(texts: Sequence[str], where: Sequence[Place], coder: Coder, turns: Turns) -> dict[str, float]:
    """What can be counted of one writer's answers.

    Returns:
        `unanswered`, `agreement` (the coder gives the label asked for; higher is better), `copied` (a training turn over again; lower is
        better), all 0-1; `distinct_2` (0-1, higher is more varied); `characters`, the mean length.
    """
    given = [(text, place) for text, place in zip(texts, where, strict=True) if text]
    found = coder.probabilities([("therapist", text, place.said[-1]) for text, place in given]).argmax(1)
    return {
        "turns": len(texts),
        "unanswered": 1 - len(given) / len(texts),
        "agreement": sum(LABELS[i] == place.label for i, (_, place) in zip(found, given, strict=True)) / len(given),
        "copied": sum(turns.copied(text) for text, _ in given) / len(given),
        "distinct_2": distinct((text for text, _ in given), 2),
        "characters": sum(len(text) for text, _ in given) / len(given),
    }


def pairs(answers: dict[str, Sequence[str]], where: Sequence[Place], count: int, seed: int = 0) -> Iterator[dict]:
    """Records for blind reading: what was said last, and an answer of each writer, in drawn order.

    Yields:
        `id`, `label`, `said` (the last four turns), `answers` (texts) and `key` (whose they are; to be kept from the readers).
    """
    rng = random.Random(seed)
    whole = [i for i in range(len(where)) if all(texts[i] for texts in answers.values())]
    for i in sorted(rng.sample(whole, min(count, len(whole)))):
        names = rng.sample(sorted(answers), len(answers))
        place = where[i]
        said = [f"{'상담자' if turn.role == 'therapist' else '내담자'}: {turn.text}" for turn in place.dialogue.utterances[max(0, place.turn - 4) : place.turn]]
        yield {"id": f"{place.dialogue.id}/{place.turn}", "label": place.label, "said": said, "answers": [answers[name][i] for name in names], "key": names}
