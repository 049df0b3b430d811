"""A counselling conversation with a person: guard, coder, forecaster, decision, writer, output check.

    import asyncio
    from kmi.writers import make_writer
    session = ChatSession(make_writer("retrieval"))
    reply = asyncio.run(session.respond("담배를 끊고 싶은데 자꾸 실패해요"))
    print(reply.label, reply.text, reply.reason)

Each message goes first to the crisis guard (`kmi.chatbot.guard`), which no argument switches off; while it sees danger no model is
asked. Else the coder hears which talk it is, the forecaster ranks the 8 labels, the policy picks one, the writer words it, and the
output check (`kmi.chatbot.guard_output`) reads the result before anybody else does.

Not covered: simulated clients (`kmi.simulation`), whose talk of danger is written on purpose.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Protocol

from kmi.chatbot.guard import LANGUAGES, Danger, Watch
from kmi.chatbot.guard_output import fault
from kmi.chatbot.request import live_request
from kmi.corpus.korean import SENTENCE_END
from kmi.corpus.utterance_checks import check_utterance
from kmi.dialogue import Forecast, Utterance
from kmi.errors import ConfigError, DataError, allowed
from kmi.forecaster.features import turns_of
from kmi.simulation.answers import read_therapist
from kmi.simulation.decision import POLICIES, Decision, Situation
from kmi.writers.base import Writer

ATTEMPTS = 3
LONGEST_MESSAGE = 4000
# A live talk has no planned end; so much room is always left for information after permission.
ROOM = 10
# What is said when no attempt passed the checks: an honest invitation to go on.
INSTEAD = {
    "ko": "제가 알맞은 말을 고르지 못했어요. 방금 하신 이야기를 조금 더 들려주시겠어요?",
    "en": "I could not find the right words. Would you tell me a little more about what you just said?",
}
GUARD_LABEL = "Give Information"


class Forecasts(Protocol):
    """What is asked of a forecaster (`kmi.Forecaster`)."""

    def forecast(self, turns: list) -> tuple[Forecast, ...]:
        """All 8 labels for the next therapist turn, most probable first."""
        ...


class Codes(Protocol):
    """What is asked of a coder (`kmi.coder.Coder`)."""

    def code_turns(self, turns: list[tuple[str, str]]) -> list:
        """Codes turns given as (role, text), in order."""
        ...


@dataclass(frozen=True, slots=True)
class Reply:
    """What the person is answered.

    `label` and `reason` say which MI behaviour it is and why; `forecast` is the ranking it was chosen from; `talk` the coder's reading of
    the message. `danger` is set where the guard answers: the text is then fixed, no model took part, and the forecast is empty.
    `replaced` names why what the writer wrote was not shown (`kmi.chatbot.guard_output`), else None.
    """

    text: str
    label: str
    reason: str
    forecast: tuple[Forecast, ...] = ()
    talk: str | None = None
    danger: Danger | None = None
    replaced: str | None = None


@dataclass(slots=True)
class ChatSession:
    """One conversation with one person. Not for two messages at a time.

    Args:
        writer: words the replies; any of `kmi.writers`.
        forecaster: ranks the labels; by default the checkpoint that comes with KMI.
        coder: hears the client's talk; by default the checkpoint that comes with KMI.
        policy: "kmi" or "reference" (`kmi.simulation.decision`).
        language: "ko" or "en": of the guard's fixed texts, and of replies where the writer gives both.
        seed: of all draws; the same messages again give the same decisions.
    """

    writer: Writer
    forecaster: Forecasts | None = None
    coder: Codes | None = None
    policy: str = "kmi"
    language: str = "ko"
    seed: int = 0
    said: list[Utterance] = field(default_factory=list)
    overrides: list[str | None] = field(default_factory=list)
    _watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        if self.policy not in POLICIES:
            raise ConfigError(f"Expected a policy among {allowed(POLICIES)}, got {self.policy!r}.")
        if self.language not in LANGUAGES:
            raise ConfigError(f"Expected a language among {allowed(LANGUAGES)}, got {self.language!r}.")
        if self.forecaster is None:
            from kmi.forecaster import Forecaster

            self.forecaster = Forecaster.from_pretrained()
        if self.coder is None:
            from kmi.coder import Coder

            self.coder = Coder.from_pretrained()
        self._watch = Watch(self.language)

    async def respond(self, message: str) -> Reply:
        """Answers one message.

        Raises:
            DataError: the message is empty or longer than `LONGEST_MESSAGE` characters.
            WriterError: the writer cannot answer; the message is not kept, so that it can be sent again. The guard has heard it.
        """
        # The guard hears first, whatever is wrong with the message or the models.
        # Of an endless one the two ends: hearing a megabyte takes a minute, and it is refused below.
        crisis = self._watch.hear(message if len(message) <= 2 * LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]} {message[-LONGEST_MESSAGE:]}")
        if crisis is not None:
            return self._kept(message, None, Reply(crisis, GUARD_LABEL, f"guard: {self._watch.danger.kind}", danger=self._watch.danger))
        if not message.strip() or len(message) > LONGEST_MESSAGE:
            raise DataError(f"Expected a message of 1 to {LONGEST_MESSAGE:,} characters, got {len(message.strip()):,}.", "Send a shorter one, or several.")
        talk = self._talk(message)
        before = [*self.said, Utterance("client", message, talk=talk)]
        decision = self._decide(before)
        reply, override = await self._write(before, decision)
        self.overrides.append(override)
        return self._kept(message, talk, replace(reply, talk=talk))

    async def stream(self, message: str) -> AsyncIterator[str]:
        """The same answer, sentence by sentence; nothing is shown before the whole of it has passed the output check."""
        reply = await self.respond(message)
        for number, part in enumerate([reply.text] if reply.danger else SENTENCE_END.split(reply.text)):
            yield f" {part}" if number else part

    def _talk(self, message: str) -> str:
        last = self.said[-1:]
        return self.coder.code_turns([*((turn.role, turn.text) for turn in last), ("client", message)])[-1].label

    def _decide(self, before: list[Utterance]) -> Decision:
        labels = tuple(turn.label for turn in before if turn.role == "therapist")
        situation = Situation(
            labels=labels,
            last_talk=before[-1].talk,
            last_subtype=None,
            forecast=self.forecaster.forecast(turns_of(before)),
            # Turn 0 opens a session; here the person has spoken already.
            turn=len(labels) + 1,
            turns=len(labels) + 1 + ROOM,
            process=process_of(before),
            permission_pending=bool(self.overrides) and self.overrides[-1] == "permission",
            permission_asked=self.overrides.count("permission"),
        )
        return POLICIES[self.policy](situation, random.Random(f"{self.seed}/decision/{len(labels)}"))

    async def _write(self, before: list[Utterance], decision: Decision) -> tuple[Reply, str | None]:
        """The first attempt that passes the checks; the last one too where only style is at fault."""
        wrong: Counter[str] = Counter()
        request = live_request(before, decision, process_of(before), self.seed)
        for attempt in range(ATTEMPTS):
            answer = await self.writer.write(request(attempt))
            turn = read_therapist(answer.text, decision.label)
            in_english = self.language == "en" and bool(turn.utterance_en)
            text = turn.utterance_en if in_english else turn.utterance_ko
            bad = fault(text)
            if bad:
                wrong[bad] += 1
            # The checks of style know Korean only; the last attempt is shown with its style.
            elif in_english or attempt == ATTEMPTS - 1 or not check_utterance(turn, before):
                return Reply(text, turn.label, decision.reason, decision.forecast), decision.override
        return Reply(INSTEAD[self.language], "Open Question", decision.reason, decision.forecast, replaced=wrong.most_common(1)[0][0]), None

    def _kept(self, message: str, talk: str | None, reply: Reply) -> Reply:
        self.said += [Utterance("client", message, talk=talk), Utterance("therapist", reply.text, label=reply.label)]
        return reply


def process_of(said: list[Utterance]) -> str:
    """The MI process a live talk seems to be in: it begins with engaging, and plans only once the client leans towards change."""
    talks = [turn.talk for turn in said if turn.role == "client"]
    if len(talks) <= 2:
        return "engaging"
    if len(talks) <= 4:
        return "focusing"
    return "planning" if len(talks) > 6 and talks[-3:].count("change") >= 2 else "evoking"
