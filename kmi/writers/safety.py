"""Safety turns: what the embedded writers say in a simulated crisis. Fixed lines, since no small model is trusted with them.

Not covered: crises of real people (`kmi.chatbot.guard`).
"""

import tomllib
from functools import cache
from pathlib import Path

from kmi.codes import THERAPIST
from kmi.writers.base import Cue

SAFETY_TURNS = Path(__file__).with_name("safety_turns.toml")


def safety_turn(cue: Cue, seed: int) -> str:
    """A line in the compact notation that asks about safety, or names the helpline, and was not said yet."""
    turns = _safety_turns()["ask" if cue.label == "Closed Question" else "line"]
    left = [turn for turn in turns if turn["ko"] not in cue.history]
    turn = left[seed % len(left)]
    return f"T {THERAPIST[cue.label].abbreviation} | {turn['ko']} | {turn['en']}"


@cache
def _safety_turns() -> dict[str, list[dict[str, str]]]:
    return tomllib.loads(SAFETY_TURNS.read_text(encoding="utf-8"))
