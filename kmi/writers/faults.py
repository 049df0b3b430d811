"""Plans of what goes wrong at the dummy server, request by request.

A plan is a function; `script` and `seeded` make the two kinds that tests need. Which
bytes a fault puts on the wire is `kmi.writers.dummy_server`'s; what a fault makes of a good
answer's words is `spoiled`, for the compact notation (`T CR | 한국어 | English`).

Not covered: answers that are wrong in ways that only a reader notices (off topic, unkind,
another label's words).
"""

import json
import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kmi.errors import ConfigError, allowed

Payload = dict[str, Any]
"""The JSON body of a chat completion request."""

WIRE_FAULTS = ("status", "rate_limit", "quota", "redirect", "drop", "hang", "slow", "truncate", "not_json", "empty")
WORD_FAULTS = ("english", "role_leak", "label_leak", "too_long", "duplicate")
FAULT_KINDS = WIRE_FAULTS + WORD_FAULTS

# Head and words of a turn in the compact notation.
TURN = re.compile(r"^([TC] [^|\n]*\|)([^|\n]*)", re.M)
# The last thing said in a prompt that shows the conversation as "speaker: words".
LAST_SAID = re.compile(r".*^(?:상담자|내담자): ([^\n]+)$", re.M | re.S)
# Longer than any turn may be (`kmi.corpus.utterance_checks.MAX_LENGTH`).
TOO_LONG = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Args:
        kind: "status" answers with HTTP status `value`; "rate_limit" with 429 and
            Retry-After `value` seconds (0: no such header); "quota" with 429 because nothing
            is left of the account; "redirect" points to the URL `value`; "drop" closes the connection at once, "hang" after `value` seconds;
            "slow" answers well, but `value` seconds later; "truncate" sends half of the JSON,
            "not_json" a web page, "empty" a completion without text. The rest come as good
            completions with wrong words: "english" says it in English, "role_leak" names the
            speaker, "label_leak" the label, "too_long" goes on and on, "duplicate" says again
            what was said last in the prompt, or its own words twice where nothing was.
        value: a status, seconds or a URL.
    """

    kind: str
    value: float | str = 0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ConfigError(f"Unknown fault {self.kind!r}; known are {allowed(FAULT_KINDS)}.")


FaultPlan = Callable[[Payload, int], Fault | None]
"""From a payload and how often the same messages came before, the fault to commit or None."""

COMMON_FAULTS = (Fault("status", 500), Fault("rate_limit", 0.05), Fault("drop"), Fault("truncate"), Fault("empty"))
HOSTILE_FAULTS = (*COMMON_FAULTS, Fault("status", 503), Fault("hang", 10), Fault("slow", 0.5), *map(Fault, WORD_FAULTS))
"""All that a run must live through; a hang of 10 s asks for a shorter `timeout_sec`."""


def script(*faults: Fault | None) -> FaultPlan:
    """The given faults in order of arrival, None for a good answer; only good answers afterwards."""
    rest, lock = iter(faults), threading.Lock()

    def plan(payload: Payload, attempt: int) -> Fault | None:
        with lock:
            return next(rest, None)

    return plan


def always(fault: Fault) -> FaultPlan:
    """The same fault every time."""
    return lambda payload, attempt: fault


def seeded(rate: float, seed: int, kinds: tuple[Fault, ...] = COMMON_FAULTS) -> FaultPlan:
    """A fault with probability `rate` (0-1), decided by seed, messages and attempt, not by arrival.

    So two runs that ask the same things meet the same faults, however their requests interleave.
    """

    def plan(payload: Payload, attempt: int) -> Fault | None:
        chance = random.Random(f"{seed}/{attempt}/{json.dumps(payload.get('messages'))}")
        return chance.choice(kinds) if chance.random() < rate else None

    return plan


def spoiled(answer: str, kind: str, payload: Payload) -> str:
    """A good answer with the words of its first turn made wrong as `kind`, one of `WORD_FAULTS`, says."""
    if not TURN.search(answer):
        return _wrong(answer, kind, payload)
    return TURN.sub(lambda turn: f"{turn[1]} {_wrong(turn[2].strip(), kind, payload)} ", answer, count=1).strip()


def _wrong(words: str, kind: str, payload: Payload) -> str:
    match kind:
        case "english":
            return "I am sorry, but I can only answer in English."
        case "role_leak":
            return f"상담자: {words}"
        case "label_leak":
            return f"[OQ] {words}"
        case "too_long":
            return " ".join([words] * (TOO_LONG // max(1, len(words)) + 1))
    found = LAST_SAID.match("\n".join(message["content"] for message in payload["messages"]))
    return found[1] if found else f"{words} {words}"
