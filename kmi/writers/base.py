"""What a writer is: one request in, one completion out.

The simulation builds a `WriteRequest` for every utterance (turn mode) or session
(plan mode) and awaits `Writer.write`; it knows no more of a writer than the protocol
here. Two errors of `kmi.errors` end a wait: `WriterError` for this one request,
`WriterUnavailable` for all of them.

Not covered: the prompts (`kmi.simulation`), checking and asking again, and the ledger
that stores answers under `WriteRequest.key`.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

_THOUGHT = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)


class NotYet(Exception):
    """The answer will come later (offline batch). Not a fault: the session waits for the next run."""


@dataclass(frozen=True, slots=True)
class Cue:
    """What a request is about, for writers that do not read prompts (retrieval)."""

    role: str  # "therapist", "client", or "session" for a whole dialogue at once
    label: str | None = None  # therapist label wanted, full English name
    talk: str | None = None  # client talk wanted
    talk_subtype: str | None = None
    category: str = ""
    process: str | None = None
    context: str = ""
    history: tuple[str, ...] = ()  # utterances so far, oldest first
    crisis: bool = False
    last: bool = False  # the session's last turn

    @property
    def said(self) -> list[tuple[str, str]]:
        """The history as (role, text): speakers take turns, and the last was not the one who speaks now."""
        other = {"therapist": "client", "client": "therapist"}
        roles = [self.role if number % 2 else other[self.role] for number in range(len(self.history))][::-1]
        return list(zip(roles, self.history, strict=True))

    @property
    def kind(self) -> str | None:
        """The label or talk type wanted."""
        return self.label if self.role == "therapist" else self.talk


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """One thing to write.

    Args:
        id: unique in a run, "<session>/<step>/<attempt>".
        messages: chat messages, each with "role" and "content".
        max_tokens: upper bound of the answer's length in the model's tokens.
        temperature: 0 is greedy.
        seed: passed on to the model; how far it decides the answer is the writer's to say.
        cue: the same wish in structured form; not part of the key, since the
            messages already say all of it.
    """

    id: str
    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int
    cue: Cue

    @property
    def key(self) -> str:
        """SHA-256 (64 hex digits) of all that decides the answer, and of the id.

        The id keeps intended repeats of one prompt apart; changed settings give a new key.
        """
        content = [self.id, self.messages, self.max_tokens, self.temperature, self.seed]
        # ASCII escapes: a lone surrogate in a post can still be hashed.
        text = json.dumps(content, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()


@dataclass(frozen=True, slots=True)
class Completion:
    """An answer, stripped of surrounding space; token counts are 0 and `model` is "" where unknown."""

    text: str
    prompt_tokens: int = 0
    output_tokens: int = 0
    model: str = ""


class Writer(Protocol):
    """Anything that answers requests."""

    name: str
    """What `--writer` calls it: "retrieval", "openai", "local" or "batch"."""

    concurrency: int
    """How many sessions are worth running at once."""

    def describe(self) -> dict[str, Any]:
        """The settings that decide the answers, JSON-ready, never a key.

        A run refuses to resume under another description.
        """
        ...

    async def prepare(self) -> None:
        """Checks cheaply, before any work, that answers can be had; raises `WriterUnavailable`."""
        ...

    async def write(self, request: WriteRequest) -> Completion:
        """Answers one request.

        Raises:
            WriterError: this request cannot be answered; others may be.
            WriterUnavailable: none can be answered; the run stops and can resume.
            NotYet: the answer will come later.
        """
        ...

    async def close(self) -> None:
        """Releases connections and memory; the writer is not used afterwards."""
        ...


def answer_text(raw: str) -> str:
    """What a model says aloud: without `<think>` blocks and surrounding space.

    Reasoning models write them into the answer unless their server takes them out; a
    block cut off by the token limit leaves an empty answer.
    """
    return _THOUGHT.sub("", raw).strip()
