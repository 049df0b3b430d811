"""Plan mode: the whole session is decided first, then one request asks for its text.

`roll_out` lets the director play both sides without words: the track gives client talk, the
forecaster (labels only, no lengths) and the policy give therapist labels. The result is a
packet: a writer fills it in the compact notation, be it a model behind a server, a file
that comes back later, or anyone who writes by hand.
"""

from dataclasses import asdict, dataclass

from kmi import codes
from kmi.clients.cases import Case
from kmi.corpus.dialogue_checks import check_dialogue
from kmi.corpus.notation import read_notation
from kmi.corpus.sources import merge_packet
from kmi.corpus.utterance_checks import Finding
from kmi.dialogue import ClientProfile, Dialogue, Forecast, Provenance, Utterance, validate
from kmi.errors import DataError
from kmi.simulation import prompting
from kmi.simulation.director import Director
from kmi.simulation.turn_mode import ATTEMPTS, Ask, SessionFailed
from kmi.writers.base import Cue, WriteRequest

TEMPERATURE = 0.8
# The longest of the first 150 sessions has 10,452 characters in the notation, Korean and English; room to spare.
MAX_TOKENS = 8000


@dataclass(frozen=True, slots=True)
class PlannedTurn:
    """One turn of a packet: a therapist's label with forecast and reason, or a client's lean."""

    role: str
    process: str
    label: str | None = None
    talk: str | None = None
    talk_subtype: str | None = None
    corrects_reflection: bool = False
    discloses_danger: bool = False
    forecast: tuple[Forecast, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Packet:
    """A planned session: the case and its turns, ready to be written."""

    case: Case
    turns: tuple[PlannedTurn, ...]
    forecaster_revision: str

    def to_dict(self) -> dict:
        """The JSON form that is committed beside a source text; unset fields are left out."""
        record = asdict(self.case)
        record["turns"] = [{key: value for key, value in asdict(turn).items() if value} for turn in self.turns]
        for option in (option for turn in record["turns"] for option in turn.get("forecast", ())):
            option["probability"] = round(option["probability"], 4)
        record["provenance"] = {"mode": "plan", "seed": record.pop("seed"), "forecaster_revision": self.forecaster_revision}
        return record

    @classmethod
    def from_dict(cls, record: dict) -> "Packet":
        """Reads what `to_dict` wrote; a packet that does not hold is a `DataError`."""
        try:
            provenance = record["provenance"]
            case = Case(
                **{name: record[name] for name in ("id", "category", "context", "arc", "ending")},
                profile=ClientProfile(**record["profile"]),
                seed=provenance["seed"],
            )
            turns = tuple(
                PlannedTurn(**{**turn, "forecast": tuple(Forecast(**option) for option in turn.get("forecast", ()))})
                for turn in record["turns"]
            )
        except (KeyError, TypeError, AttributeError) as error:
            id_ = record.get("id") if isinstance(record, dict) else record
            raise DataError(f"packet {id_!r:.80} does not hold what a packet should: {error}.") from None
        packet = cls(case, turns, provenance.get("forecaster_revision", ""))
        _validate(packet)
        return packet


def _validate(packet: Packet) -> None:
    """A packet holds what a dialogue may hold, but for the words; and each turn is planned."""
    case, where = packet.case, f"packet {packet.case.id!r:.80}"
    turns = tuple(
        Utterance(turn.role, "-", label=turn.label, process=turn.process, talk=turn.talk, talk_subtype=turn.talk_subtype, forecast=turn.forecast)
        for turn in packet.turns
    )
    provenance = Provenance(seed=case.seed, forecaster_revision=packet.forecaster_revision)
    validate(
        Dialogue(case.id, case.category, case.context, turns, case.profile, case.arc, case.ending, provenance=provenance), where=where
    )
    for number, turn in enumerate(packet.turns):
        if not (turn.label or turn.talk):
            raise DataError(f"{where}, turn {number}: expected a therapist's 'label' or a client's 'talk', got neither.")


def roll_out(director: Director) -> Packet:
    """Plays the session without words and returns the plan."""
    turns = []
    while not director.finished:
        process = director.process
        if len(turns) % 2 == 0:
            decision = director.decide()
            director.record_therapist(None, decision)
            turns.append(PlannedTurn("therapist", process, decision.label, forecast=decision.forecast, reason=decision.reason))
        else:
            step = director.client_step()
            director.record_client(None, step)
            turns.append(
                PlannedTurn("client", process, None, step.talk, step.subtype, step.corrects_reflection, step.discloses_danger)
            )
    return Packet(director.case, tuple(turns), director.forecaster.revision)


def plan_lines(packet: Packet) -> str:
    """The plan in the compact notation, with the forecaster's top three and the reason in brackets."""
    lines, process = [], None
    for turn in packet.turns:
        if turn.process != process:
            process = turn.process
            lines.append(f"== {process}")
        lines.append(_therapist_line(turn) if turn.role == "therapist" else _client_line(turn))
    return "\n".join(lines)


async def write_session(packet: Packet, ask: Ask) -> Dialogue:
    """Asks for the whole session and checks it; raises `SessionFailed` after the third try."""
    messages = prompting.session_messages(packet.case, plan_lines(packet))
    for attempt in range(ATTEMPTS):
        request = WriteRequest(
            id=f"{packet.case.id}/session/{attempt}",
            messages=messages,
            max_tokens=MAX_TOKENS,
            temperature=TEMPERATURE,
            seed=(packet.case.seed + attempt) % 2**31,
            cue=Cue(role="session", category=packet.case.category, context=packet.case.context, crisis=packet.case.arc == "crisis"),
        )
        answer = (await ask(request)).text
        dialogue, findings = _read(answer, packet)
        if dialogue and not findings:
            return dialogue
        messages = prompting.again(messages, answer, findings)
    raise SessionFailed(f"the session failed the checks {ATTEMPTS} times, last on: {findings[0].message}")


def _read(answer: str, packet: Packet) -> tuple[Dialogue | None, list[Finding]]:
    where = f"answer for {packet.case.id}"
    try:
        found = list(read_notation(_only_notation(answer), where=where))
        if len(found) != 1:
            raise DataError(f"{where}: expected one session opened by #{{...}}, got {len(found)}.")
        dialogue = merge_packet(found[0], packet.to_dict(), where=where)
    except DataError as error:
        return None, [Finding("notation", str(error))]
    return dialogue, [Finding(f.rule, _place(f.turn) + f.message) for f in check_dialogue(dialogue)]


def _only_notation(answer: str) -> str:
    """Without the code fence and the talk around it that chat models add."""
    lines = [line for line in answer.splitlines() if not line.strip().startswith("```")]
    found = [n for n, line in enumerate(lines) if line.lstrip().startswith(("#{", "CTX ", "==", "T ", "C "))]
    return "\n".join(lines[found[0] : found[-1] + 1] if found else lines)


def _place(turn: int | None) -> str:
    """Where in the session, counted from one as a reader does; "" for the whole of it."""
    return "" if turn is None else f"{turn + 1}번째 말: "


def _therapist_line(turn: PlannedTurn) -> str:
    short = {label: abbreviation for abbreviation, label in codes.ABBREVIATIONS.items()}
    top = ", ".join(f"{short[option.label]} {option.probability:.2f}" for option in turn.forecast)
    return f"T {short[turn.label]}   ({top}; {turn.reason})"


def _client_line(turn: PlannedTurn) -> str:
    code = f"{turn.talk}/{turn.talk_subtype}" if turn.talk_subtype else turn.talk
    note = f"   ({prompting.note_text('client_discloses')})" if turn.discloses_danger else ""
    return f"C {code}{' !fix' if turn.corrects_reflection else ''}{note}"
