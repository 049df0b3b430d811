"""The track of a session before anything is said: length, processes and client talk.

Both modes follow it. In plan mode the writer is asked to realise it; in turn mode it tells
the client which way to lean at each turn, and the client's own mark is what counts.

Not covered: what the therapist does (`kmi.simulation.decision`).
"""

import random
from dataclasses import dataclass

from kmi.clients.arcs import Arc, arcs
from kmi.clients.cases import Case

# Utterances per session, therapist first and last, so always odd; mean about 24.
LENGTHS = {17: 2, 19: 8, 21: 14, 23: 20, 25: 22, 27: 18, 29: 10, 31: 6}
# Share of sessions in which a client corrects a reflection that was off (all of misattuned_repair besides).
# More became a signature: readers waited for the wrong guess by the fourth dialogue.
CORRECTION_SHARE = 0.24


@dataclass(frozen=True, slots=True)
class ClientStep:
    """What a client turn is meant to be."""

    talk: str
    subtype: str | None = None
    corrects_reflection: bool = False
    discloses_danger: bool = False

    @property
    def code(self) -> str:
        """In the compact notation, e.g. "change/desire"."""
        return f"{self.talk}/{self.subtype}" if self.subtype else self.talk


@dataclass(frozen=True, slots=True)
class Track:
    """`clients[i]` is the i-th client turn (utterance 2i+1); `processes[n]` belongs to utterance n."""

    length: int
    processes: tuple[str, ...]
    clients: tuple[ClientStep, ...]

    @property
    def therapist_turns(self) -> int:
        """Number of therapist turns, one more than client turns."""
        return self.length - len(self.clients)


def draw_track(case: Case, rng: random.Random) -> Track:
    """The track of a case; the same case and generator state give the same track."""
    arc = arcs()[case.arc]
    length = rng.choices(list(LENGTHS), list(LENGTHS.values()))[0]
    steps = _talk_steps(arc, case.ending, length // 2, rng)
    if arc.name == "crisis":
        # Early enough that checking safety and leaving with a plan both have room.
        steps[rng.randint(len(steps) // 4, len(steps) // 2)] = ClientStep("neutral", discloses_danger=True)
    elif arc.name == "misattuned_repair" or rng.random() < CORRECTION_SHARE:
        _place_correction(steps, rng)
    return Track(length, _processes(arc, case.ending, length, rng), tuple(steps))


def _talk_steps(arc: Arc, ending: str, count: int, rng: random.Random) -> list[ClientStep]:
    steps = []
    for i in range(count):
        position = i / (count - 1)
        chances = arc.talk_probabilities(position)
        talk = rng.choices(list(chances), list(chances.values()))[0]
        steps.append(ClientStep(talk, _subtype(position, ending, rng) if talk == "change" else None))
    _place_ending(steps, ending, rng)
    return steps


def _subtype(position: float, ending: str, rng: random.Random) -> str:
    """Preparatory talk (DARN) first, mobilising talk (CAT) late and only if the ending has any."""
    late = position > 0.66
    weights = {
        "desire": 3.0,
        "ability": 2.5 if position > 0.33 else 1.0,
        "reason": 5.0,
        "need": 2.0,
        "commitment": 3.0 if late and ending == "commitment" else 0.0,
        "activation": 2.5 if late and ending != "none" else 0.0,
        "taking_steps": {"commitment": 1.0, "partial": 0.6, "none": 0.3}[ending] if position > 0.4 else 0.15,
    }
    return rng.choices(list(weights), list(weights.values()))[0]


def _place_ending(steps: list[ClientStep], ending: str, rng: random.Random) -> None:
    """The closing turns carry what the ending says; one of the last two for a commitment."""
    place = len(steps) - rng.choice([1, 1, 2])
    if ending == "commitment":
        steps[place] = ClientStep("change", "commitment")
    elif ending == "partial":
        steps[place] = ClientStep("change", rng.choice(["activation", "activation", "ability"]))
    elif steps[-1].talk == "change":
        steps[-1] = ClientStep(rng.choice(["neutral", "sustain"]))


def _place_correction(steps: list[ClientStep], rng: random.Random) -> None:
    """A client turn of the second to the next-to-last quarter puts the reflection before it right."""
    place = rng.randint(max(1, len(steps) // 5), len(steps) - 4)
    step = steps[place]
    talk = step.talk if step.talk != "change" else rng.choice(["neutral", "sustain"])
    steps[place] = ClientStep(talk, corrects_reflection=True)


def _processes(arc: Arc, ending: str, length: int, rng: random.Random) -> tuple[str, ...]:
    """The four processes in order; planning only where the session ends in some commitment."""
    focusing = rng.uniform(0.14, 0.24)
    evoking = focusing + rng.uniform(0.08, 0.18)
    planning = arc.planning_from + rng.uniform(-0.04, 0.06) if ending != "none" else 2.0
    bounds = [("planning", planning), ("evoking", evoking), ("focusing", focusing), ("engaging", -1.0)]
    return tuple(next(name for name, start in bounds if n / length > start) for n in range(length))
