"""Turn mode, as in the paper: client and therapist are written one utterance at a time.

For each therapist turn the forecaster ranks, the policy decides, the writer writes under that
label; for each client turn the track says which way to lean and the client marks its talk.
Every utterance is checked and asked again at most twice; then the session fails with its reason.
"""

from collections.abc import Awaitable, Callable
from textwrap import shorten

from kmi.clients.cases import Case
from kmi.corpus.utterance_checks import Finding, check_utterance
from kmi.dialogue import Utterance
from kmi.simulation import prompting
from kmi.simulation.answers import read_client, read_therapist
from kmi.simulation.decision import Decision
from kmi.simulation.director import Director
from kmi.simulation.track import ClientStep
from kmi.writers.base import Completion, Cue, WriteRequest

Ask = Callable[[WriteRequest], Awaitable[Completion]]

ATTEMPTS = 3  # the first and two more
TEMPERATURE = 0.8
MAX_TOKENS = {"therapist": 400, "client": 500}
CRISIS_LINE = "109"
# Of an answer, in the reason why its session failed.
SHOWN_CHARACTERS = 80


class SessionFailed(Exception):
    """A session that could not be finished: the writer kept failing the checks. Holds the reason."""


async def simulate(director: Director, ask: Ask) -> tuple[Utterance, ...]:
    """Plays a session to its end and returns its utterances; raises `SessionFailed`."""
    said: list[Utterance] = []
    while not director.finished:
        if len(said) % 2 == 0:
            said.append(await therapist_turn(director, said, director.decide(), ask))
        else:
            said.append(await client_turn(director, said, ask))
    return tuple(said)


async def therapist_turn(director: Director, said: list[Utterance], decision: Decision, ask: Ask) -> Utterance:
    """Writes and records one therapist turn under `decision`."""
    process = director.process
    messages = prompting.therapist_messages(director.case, said, decision, process, _therapist_note(director, decision))
    cue = _cue(director, said, "therapist", label=decision.label, crisis=decision.override == "safety")
    must_name = CRISIS_LINE if decision.override == "safety" and decision.label == "Give Information" else ""

    def read(text: str) -> tuple[Utterance, list[Finding]]:
        turn = read_therapist(text, decision.label)
        findings = check_utterance(turn, said, must_name=must_name)
        return turn, [*findings, *_label_findings(turn, decision)]

    turn = await _write(director.case, len(said), messages, cue, read, ask)
    director.record_therapist(turn, decision, turn.label)
    return Utterance(
        "therapist",
        turn.utterance_ko,
        turn.utterance_en,
        label=turn.label,
        process=process,
        planned_label=decision.label,
        decision_reason=decision.reason,
        forecast=decision.forecast,
    )


async def client_turn(director: Director, said: list[Utterance], ask: Ask) -> Utterance:
    """Writes and records one client turn along the track."""
    step, process = director.client_step(), director.process
    messages = prompting.client_messages(director.case, said, step, _client_note(said, step))
    cue = _cue(director, said, "client", talk=step.talk, talk_subtype=step.subtype, crisis=step.discloses_danger)

    def read(text: str) -> tuple[Utterance, list[Finding]]:
        turn = read_client(text, step.talk, step.subtype)
        return turn, check_utterance(turn, said)

    turn = await _write(director.case, len(said), messages, cue, read, ask)
    director.record_client(turn, step)
    return Utterance(
        "client",
        turn.utterance_ko,
        turn.utterance_en,
        process=process,
        talk=turn.talk,
        talk_subtype=turn.talk_subtype,
        corrects_reflection=step.corrects_reflection,
    )


async def _write(case: Case, number: int, messages: prompting.Messages, cue: Cue, read: Callable, ask: Ask) -> Utterance:
    role = cue.role
    for attempt in range(ATTEMPTS):
        request = WriteRequest(
            id=f"{case.id}/{number}/{attempt}",
            messages=messages,
            max_tokens=MAX_TOKENS[role],
            temperature=TEMPERATURE,
            seed=(case.seed + 7919 * number + attempt) % 2**31,
            cue=cue,
        )
        answer = (await ask(request)).text
        turn, findings = read(answer)
        if not findings:
            return turn
        messages = prompting.again(messages, answer, findings)
    rules = ", ".join(dict.fromkeys(finding.rule for finding in findings))
    raise SessionFailed(f"turn {number} ({role}) failed the checks {ATTEMPTS} times, last {shorten(answer, SHOWN_CHARACTERS)!r} on: {rules}")


def _label_findings(turn: Utterance, decision: Decision) -> list[Finding]:
    """A writer may take another of the top three where no rule bars it and no override decided."""
    if turn.label == decision.label:
        return []
    if turn.label in decision.allowed:
        return []
    return [Finding("other_label", f"이번 말의 라벨은 {decision.label}입니다. 그 라벨로 써 주세요.")]


def _cue(director: Director, said: list[Utterance], role: str, **wanted: object) -> Cue:
    return Cue(
        role=role,
        category=director.case.category,
        process=director.process,
        context=director.case.context,
        history=tuple(turn.utterance_ko for turn in said),
        last=len(said) == director.track.length - 1,
        **wanted,
    )


def _therapist_note(director: Director, decision: Decision) -> str:
    if decision.override == "safety":
        return prompting.note_text("safety_ask" if decision.label == "Closed Question" else "safety_line")
    if decision.override in {"opening", "closing", "permission", "information", "correction", "affirmation"}:
        return prompting.note_text(decision.override)
    return ""


def _client_note(said: list[Utterance], step: ClientStep) -> str:
    if step.discloses_danger:
        return prompting.note_text("client_discloses")
    if step.corrects_reflection:
        return prompting.note_text("client_corrects")
    return prompting.note_text("client_first") if len(said) < 3 else ""
