"""How a session is written for the dialogue model.

A chat as everywhere: a system message with the client's post, the client as "user", the therapist as "assistant". Each turn is opened by
its code, `<|complex_reflection|>` or `<|change|>`, as the first thing in its content. To have a reply of a certain label, give an
assistant message that holds nothing but the opening and let the model continue it (`continue_final_message`), as pipelines do of themselves;
without it the model opens the turn itself. A "user" message with an opening, continued, makes the model play the client.

Not covered: tokens (`kmi.dialogue_model.tokenizer`), which sessions are learned from (`kmi.dialogue_model.training`).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kmi.codes import TALK_TYPES, THERAPIST_LABELS
from kmi.corpus.tables import POST_MARK, chat_rows, system_prompt
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed

POST, CLIENT, THERAPIST, END, PAD = "<|post|>", "<|client|>", "<|therapist|>", "<|end|>", "<|pad|>"
OPENINGS = {kind: f"<|{kind.lower().replace(' ', '_')}|>" for kind in (*THERAPIST_LABELS, *TALK_TYPES)}
"""What opens a turn of each therapist label and client talk type."""
ROLES = {"therapist": "assistant", "client": "user"}

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Thinning:
    """What is left out of a session while training, each with a chance 0-1, so that the model can do without it.

    `post`: the client's post. `opening`: the first therapist turn, since people often begin. `label`, `talk`: a turn's code.
    """

    post: float
    opening: float
    label: float
    talk: float


def opening(kind: str) -> str:
    """The token that opens a turn of this label or talk type.

    Raises:
        DataError: unknown label or talk type.
    """
    if kind not in OPENINGS:
        raise DataError(f"Expected a label or talk type among {allowed(OPENINGS, 11)}, got {kind!r}.")
    return OPENINGS[kind]


def plain(text: str) -> str:
    """The text with the model's own marks defused: what a person types must not open or end a turn."""
    return text.replace("<|", "< |")


def session_messages(dialogue: Dialogue, thinning: Thinning | None = None, rng: random.Random | None = None) -> Messages:
    """A session of the corpus as chat messages, every turn opened by its code; thinned out where wished."""

    def left_out(part: str) -> bool:
        return thinning is not None and rng.random() < getattr(thinning, part)

    (row,) = chat_rows(dialogue)
    system, *said = row["messages"]
    messages = [{**system, "content": system_prompt()} if left_out("post") else system]
    for number, (turn, message) in enumerate(zip(dialogue.utterances, said, strict=True)):
        kind, part = (turn.label, "label") if turn.role == "therapist" else (turn.talk, "talk")
        if number == 0 and turn.role == "therapist" and left_out("opening"):
            continue
        mark = opening(kind) if kind and not left_out(part) else ""
        messages.append({**message, "content": mark + message["content"]})
    return messages


def prompt_messages(said: Sequence[tuple[str, str]], role: str, kind: str, post: str = "") -> Messages:
    """What the model continues: the turns so far as (role, text), then an opened turn of `role`.

    Args:
        said: turns in order, "therapist" or "client"; the model's own marks in them are defused.
        role: who speaks next.
        kind: label or talk type of the next turn.
        post: the client's post, if there is one.
    """
    system = system_prompt() + (POST_MARK + plain(post) if post.strip() else "")
    turns = ({"role": ROLES[speaker], "content": plain(text)} for speaker, text in said)
    return [{"role": "system", "content": system}, *turns, {"role": ROLES[role], "content": opening(kind)}]


def chat_template() -> str:
    """The Jinja template of the shipped checkpoint's tokenizer."""
    return Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8").replace("POST_MARK", repr(POST_MARK))
