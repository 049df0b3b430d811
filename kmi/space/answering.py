"""How a practised client takes a turn: the kind of talk that the visitor's behaviour meets.

The client's arc says how likely each kind of talk is at this place of the session; the behaviour moves that by as much as it does in the
train split, P(talk | behaviour) / P(talk) at lag 1 (`kmi.metrics.sequences`): change talk is likelier after an affirmation, a reflection or
an open question than after a closed question or a backchannel. The dataset's counsellors ask before they advise, so the split cannot tell
what unasked advice does: it meets sustain talk, as MI expects of behaviour against its spirit.

One draw for each place of a client's session: the same turn gets the same answer, and a behaviour that makes change talk likelier never
gets less of it. Not covered: the client's words (`kmi.writers.retrieval`).
"""

import random
import re
from collections.abc import Sequence
from functools import cache

from kmi.clients.arcs import arcs
from kmi.clients.cases import Case
from kmi.codes import REFLECTIONS
from kmi.metrics.coded import from_dialogues
from kmi.metrics.scores import NO_INTERVALS
from kmi.metrics.sequences import sequences
from kmi.simulation.track import ClientStep
from kmi.space.explore import dialogues

PUSHES = {"Advise", "Give Information"}
# Leave to go on, not always to advise: in the dataset's calm sessions 204 of 370 turns of advice or information have it before them, and
# 222 of the 310 turns that have it are followed by one.
PERMISSION = re.compile(
    r"[가-힣]도\s*(될|되|돼|괜찮)[^.!?]*\?|(들어|들으)\s?(보시|보실|보겠|볼래|시겠|실)[^.!?]*\?|(드릴|꺼내 볼|말해 볼|얘기해 볼|이야기해 볼|전해 볼|보탤|알려 줄)까요\?"
)
FAVOURABLE = ("change", "neutral", "sustain")
"""Talk types, the one hoped for first."""


def next_step(planned: Sequence[ClientStep], place: int, case: Case, label: str, asked: bool) -> ClientStep:
    """What the client's turn `place` is to be after a behaviour; as planned where the behaviour does not change the talk.

    Args:
        planned: the client's steps of the whole session.
        asked: whether the visitor asked permission for advice or information.
    """
    step = planned[place]
    if label in PUSHES and not asked:
        return ClientStep("sustain")
    if step.corrects_reflection and label in REFLECTIONS:
        return step
    odds = chances(arcs()[case.arc].talk_probabilities(place / max(1, len(planned) - 1)), label)
    drawn = random.Random(f"{case.seed}/practice/{place}").random()
    talk = next((talk for n, talk in enumerate(FAVOURABLE, start=1) if drawn < sum(odds[name] for name in FAVOURABLE[:n])), FAVOURABLE[-1])
    return step if step.talk == talk else ClientStep(talk)


def chances(planned: dict[str, float], label: str) -> dict[str, float]:
    """Probability of each kind of talk after a behaviour where the arc alone gives `planned`."""
    weights = {talk: chance * lifts()[label][talk] for talk, chance in planned.items()}
    return {talk: weight / sum(weights.values()) for talk, weight in weights.items()}


@cache
def lifts() -> dict[str, dict[str, float]]:
    """P(talk | behaviour) / P(talk) in the train split, by behaviour and talk."""
    found = sequences(from_dialogues(d for d in dialogues() if d.split == "train"), resampling=NO_INTERVALS)
    base = {talk: sum(row[talk] for row in found.table.values()) / found.pairs for talk in FAVOURABLE}
    return {label: {talk: row[talk] / sum(row.values()) / base[talk] for talk in FAVOURABLE} for label, row in found.table.items()}


def asks_permission(texts: Sequence[str]) -> bool:
    """Whether the last two of a counsellor's turns ask leave to inform or advise."""
    return any(PERMISSION.search(text) for text in texts[-2:])
