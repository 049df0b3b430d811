"""The arcs of a session as numbers: how often drawn, how they end, how client talk moves.

The curves and weights stand in `arcs.toml`; `kmi.codes.ARCS` says what each arc means.
"""

import random
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kmi.codes import ARCS, ENDINGS


@dataclass(frozen=True, slots=True)
class Arc:
    """One arc; curves hold probabilities at 0, 1/4, 1/2, 3/4 and the end of the session."""

    name: str
    weight: float
    endings: tuple[float, ...]
    change: tuple[float, ...]
    sustain: tuple[float, ...]
    planning_from: float

    def talk_probabilities(self, position: float) -> dict[str, float]:
        """Probabilities of change, sustain and neutral talk at `position` (0-1 of the session)."""
        change, sustain = _interpolate(self.change, position), _interpolate(self.sustain, position)
        return {"change": change, "sustain": sustain, "neutral": 1 - change - sustain}

    def draw_ending(self, rng: random.Random) -> str:
        """An ending by this arc's weights."""
        return rng.choices(list(ENDINGS), self.endings)[0]


@cache
def arcs() -> dict[str, Arc]:
    """Every arc by name, in the order of `kmi.codes.ARCS`."""
    with Path(__file__).with_name("arcs.toml").open("rb") as file:
        data = tomllib.load(file)
    return {
        name: Arc(name, **{key: tuple(v) if isinstance(v, list) else v for key, v in data[name].items()})
        for name in ARCS
    }


def draw_arc(rng: random.Random, *, crisis: bool) -> Arc:
    """The crisis arc where there is danger to life, else one of the others by weight."""
    if crisis:
        return arcs()["crisis"]
    others = [arc for arc in arcs().values() if arc.name != "crisis"]
    return rng.choices(others, [arc.weight for arc in others])[0]


def _interpolate(curve: tuple[float, ...], position: float) -> float:
    place = min(max(position, 0.0), 1.0) * (len(curve) - 1)
    left = min(int(place), len(curve) - 2)
    return curve[left] + (curve[left + 1] - curve[left]) * (place - left)
