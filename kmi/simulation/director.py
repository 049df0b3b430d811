"""The director: keeps a session on its track and says what comes next.

One director per session. It holds the case, the drawn track and what was said so far, asks
the forecaster for a ranking and the policy for a decision. Turn mode asks it turn by turn
as texts come in; plan mode rolls it out to the end before anything is written.
"""

import random
from dataclasses import dataclass, field, replace

from kmi.clients.cases import Case
from kmi.codes import REFLECTIONS
from kmi.dialogue import Utterance
from kmi.forecaster.features import Turn
from kmi.simulation.decision import Decision, Policy, Situation
from kmi.simulation.track import ClientStep, Track, draw_track


@dataclass
class Director:
    """Decides therapist labels and hands out client steps for one case.

    Args:
        case: who comes; its seed decides every draw.
        forecaster: ranks the 8 labels for the next therapist turn (`kmi.forecaster.Forecaster`).
        policy: turns a ranking into a decision (`kmi.simulation.decision`).
    """

    case: Case
    forecaster: object
    policy: Policy
    track: Track = field(init=False)
    turns: list[Turn] = field(init=False, default_factory=list)
    _overrides: list[str | None] = field(init=False, default_factory=list)
    _danger_turn: int | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.track = draw_track(self.case, random.Random(f"{self.case.seed}/track"))

    @property
    def finished(self) -> bool:
        """True once the planned number of utterances is reached."""
        return len(self.turns) >= self.track.length

    @property
    def process(self) -> str:
        """The MI process of the next utterance."""
        return self.track.processes[min(len(self.turns), self.track.length - 1)]

    def client_step(self) -> ClientStep:
        """What the next client turn is meant to be; there is no correction where no reflection came."""
        step = self.track.clients[len(self.turns) // 2]
        reflected = bool(self.turns) and self.turns[-1].label in REFLECTIONS
        return step if reflected else replace(step, corrects_reflection=False)

    def decide(self) -> Decision:
        """The next therapist label. Depends on the seed and on what was recorded, not on how often it is called."""
        number = len(self.turns) // 2
        last = self.turns[-1] if self.turns else None
        situation = Situation(
            labels=tuple(turn.label for turn in self.turns if turn.role == "therapist"),
            last_talk=last.talk if last else None,
            last_subtype=last.talk_subtype if last else None,
            forecast=self.forecaster.forecast(self.turns),
            turn=number,
            turns=self.track.therapist_turns,
            process=self.process,
            must_reflect=number < len(self.track.clients) and self.track.clients[number].corrects_reflection,
            since_danger=None if self._danger_turn is None else number - self._danger_turn,
            permission_pending=bool(self._overrides) and self._overrides[-1] == "permission",
            permission_asked=self._overrides.count("permission"),
        )
        return self.policy(situation, random.Random(f"{self.case.seed}/decision/{number}"))

    def record_therapist(self, utterance: Utterance | None, decision: Decision, label: str | None = None) -> None:
        """Notes a therapist turn: its realised label (the decision's unless given) and text, None in a plan."""
        text = utterance.text if utterance else None
        self.turns.append(Turn("therapist", label or decision.label, None, None, text))
        self._overrides.append(decision.override)

    def take_back(self) -> None:
        """Forgets the therapist turn noted last: it was not answered."""
        self.turns.pop()
        self._overrides.pop()

    def record_client(self, utterance: Utterance | None, step: ClientStep) -> None:
        """Notes a client turn: its talk (the client's own mark where there is one) and text, None in a plan."""
        talk, subtype = (utterance.talk, utterance.talk_subtype) if utterance else (step.talk, step.subtype)
        self.turns.append(Turn("client", None, talk, subtype, utterance.text if utterance else None))
        if step.discloses_danger:
            # The therapist turn that answers the disclosure counts as the first since it.
            self._danger_turn = len(self.turns) // 2 - 1
