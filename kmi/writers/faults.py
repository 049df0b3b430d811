"""Plans of what goes wrong at the dummy server, request by request.

A plan is a function; `script` and `seeded` make the two kinds that tests need. Which
bytes a fault puts on the wire is `kmi.writers.dummy_server`'s.

Not covered: answers that are wrong only in content (language, leaked labels,
repetitions); give the dummy server an `answer` function that writes them.
"""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kmi.errors import ConfigError, allowed

Payload = dict[str, Any]
"""The JSON body of a chat completion request."""

FAULT_KINDS = ("status", "rate_limit", "quota", "redirect", "drop", "hang", "truncate", "not_json", "empty")


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail.

    Args:
        kind: "status" answers with HTTP status `value`; "rate_limit" with 429 and
            Retry-After `value` seconds (0: no such header); "quota" with 429 because nothing
            is left of the account; "redirect" points to the URL `value`; "drop" closes the connection at once, "hang" after `value` seconds;
            "truncate" sends half of the JSON, "not_json" a web page, "empty" a
            completion without text.
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
