"""The compact notation: dialogues as text that is cheap to write and unambiguous to parse.

    #{"packet": "family-0007", "category": "가족"}
    CTX 내담자가 상담 게시판에 올린 글, 한 줄
    == engaging
    T OQ | 오늘은 어떤 이야기로 시작할까요? | Where shall we start today?
    C sustain | 할 말이 별로 없어요. | I don't have much to say.
    T CR>SR | 별로 없으시군요. | Not much.
    C neutral !fix | 없는 건 아니고요, 모르겠어서요. | It's not that. I just don't know.

A `#{...}` line opens a session; its JSON holds "id" or "packet" and whatever else is known
(category, profile, arc, ending, split, provenance). `CTX` is the client's post, `== process`
opens a stretch, `T` and `C` are turns: code, Korean, English (English may be left out).
`T CR>SR` means Complex Reflection planned, Simple Reflection realised. `T CR` alone means
both where the header names a packet, and nothing planned where it has only an id. `!fix`
marks a client who corrects a reflection. Blank lines and lines opening with `//` are skipped.

Not covered: forecasts, decision reasons and second codes, which stand beside the text
(`kmi.corpus.sources`), and whether the dialogue is any good (`kmi.corpus.dialogue_checks`).
"""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, NamedTuple

from kmi import codes
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import DataError, allowed

HEADER_FIELDS = ("id", "packet", "category", "profile", "arc", "ending", "split", "provenance")
ABBREVIATION_OF = {label: short for short, label in codes.ABBREVIATIONS.items()}
FULL_WIDTH_BAR = "\uff5c"
TURN_FORM = "'T <label> | 한국어 | English' or 'C <talk> | 한국어 | English'"


class Located(NamedTuple):
    """A dialogue and where it stands in its text; line numbers count from 1."""

    dialogue: Dialogue
    header_line: int
    turn_lines: tuple[int, ...]


def read_notation(text: str, *, where: str = "text") -> Iterator[Dialogue]:
    """Yields the dialogues of a text in compact notation, in order.

    Args:
        text: any number of sessions; a byte order mark, CRLF and outer spaces do no harm.
        where: file name for messages; they read "<where>, line 12: ...".

    Raises:
        DataError: on the first line that cannot be read, once iteration reaches it.
    """
    return (located.dialogue for located in read_located(text, where=where))


def read_located(text: str, *, where: str = "text") -> Iterator[Located]:
    """As `read_notation`, each dialogue with the lines of its header and its turns."""
    session: _Session | None = None
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for number, line in enumerate(map(str.strip, lines), start=1):
        place = f"{where}, line {number}"
        if not line or line.startswith("//"):
            continue
        if line.startswith("#{"):
            if session:
                yield session.located()
            session = _Session(line, number, place)
        elif session is None:
            raise DataError(
                f'{place}: expected a header such as #{{"id": "..."}} before anything else, got {line!r:.60}.'
            )
        else:
            session.add(line, number, place)
    if session:
        yield session.located()


def read_turn(line: str, *, where: str = "turn") -> Utterance:
    """One `T ...` or `C ...` line as an utterance; `planned_label` only where `>` gives one.

    Raises:
        DataError: naming `where`, what was found and what is allowed.
    """
    line = line.strip()
    head, bar, rest = line.partition("|")
    if not bar:
        hint = f" The bar is full-width ({FULL_WIDTH_BAR}); type |." if FULL_WIDTH_BAR in line else ""
        raise DataError(f"{where}: expected {TURN_FORM}, got {line!r:.60} without a bar.{hint}")
    texts = [part.strip() for part in rest.split("|")]
    if len(texts) > 2:
        raise DataError(
            f"{where}: found {len(texts) + 1} fields; a text must not hold the bar '|', which parts fields."
        )
    if not texts[0]:
        raise DataError(f"{where}: the Korean text is empty; expected {TURN_FORM}.")
    words = dict(zip(("utterance_ko", "utterance_en"), texts, strict=False))
    role, *marks = head.split() or [""]
    if role == "T":
        return Utterance(role="therapist", **words, **_therapist_code(marks, where))
    if role == "C":
        return Utterance(role="client", **words, **_client_code(marks, where))
    raise DataError(
        f"{where}: expected a turn opening with T or C, got {head.strip()!r:.60}; it should read {TURN_FORM}."
    )


def write_notation(dialogue: Dialogue) -> str:
    """The dialogue in compact notation, ending with a newline; `read_notation` gives it back exactly.

    Forecasts, decision reasons and second codes have no place in the notation and are left out.

    Raises:
        DataError: where the notation cannot hold the dialogue: a turn without Korean or without
            a code, a bar or line break in a text, a turn outside any process after a process.
    """
    where = f"dialogue {dialogue.id!r}"
    turns = dialogue.utterances
    planned = all(turn.planned_label for turn in turns if turn.role == "therapist")
    lines = ["#" + json.dumps(_header(dialogue, "packet" if planned else "id"), ensure_ascii=False)]
    if dialogue.context:
        lines.append(f"CTX {_one_line(dialogue.context, f'{where}, context')}")
    process = None
    for i, turn in enumerate(turns):
        place = f"{where}, turn {i}"
        if turn.process != process:
            if turn.process is None:
                raise DataError(
                    f"{place}: it has no process but follows {process!r}; every turn after the first '==' has one."
                )
            lines.append(f"== {turn.process}")
            process = turn.process
        lines.append(_turn_line(turn, planned, place))
    return "\n".join(lines) + "\n"


class _Session:
    """Collects the lines of one session and builds its dialogue."""

    def __init__(self, line: str, number: int, place: str) -> None:
        self.place = place
        self.header_line = number
        self.turn_lines: list[int] = []
        header = _parse_header(line, place)
        self.planned = "packet" in header
        packet = header.pop("packet", None)
        self.record: dict[str, Any] = {"id": packet, **header, "context": "", "dialogue": []}
        self.process: str | None = None

    def add(self, line: str, number: int, place: str) -> None:
        if line.startswith("=="):
            self.process = line[2:].strip()
            if self.process not in codes.PROCESSES:
                raise DataError(
                    f"{place}: expected '== ' and a process among {allowed(codes.PROCESSES)}, got {line!r:.60}."
                )
        elif line.split(maxsplit=1)[0] == "CTX":
            self._add_context(line, place)
        else:
            turn = asdict(read_turn(line, where=place))
            if self.planned and not turn["planned_label"]:
                turn["planned_label"] = turn["label"]
            self.record["dialogue"].append({**turn, "process": self.process})
            self.turn_lines.append(number)

    def _add_context(self, line: str, place: str) -> None:
        if self.record["context"] or self.record["dialogue"]:
            raise DataError(f"{place}: expected one CTX line, before the first turn, got another {line!r:.60}.")
        self.record["context"] = line[3:].strip()
        if not self.record["context"]:
            raise DataError(f"{place}: CTX is empty; write the client's post on the same line or leave CTX out.")

    def located(self) -> Located:
        if not self.record["dialogue"]:
            raise DataError(
                f"{self.place}: session {self.record['id']!r} has no turns; expected lines such as {TURN_FORM}."
            )
        return Located(Dialogue.from_dict(self.record, where=self.place), self.header_line, tuple(self.turn_lines))


def _parse_header(line: str, place: str) -> dict[str, Any]:
    try:
        header = json.loads(line[1:])
    except (ValueError, RecursionError) as error:
        raise DataError(f'{place}: the header is not valid JSON ({error}); expected e.g. #{{"id": "..."}}.') from None
    unknown = [key for key in header if key not in HEADER_FIELDS]
    if unknown:
        raise DataError(f"{place}: unknown header field {unknown[0]!r:.60}; known are {allowed(HEADER_FIELDS)}.")
    given = [key for key in ("id", "packet") if key in header]
    if not given:
        raise DataError(f"{place}: the header names neither 'id' nor 'packet'; every session needs one.")
    for key in given:
        if not isinstance(header[key], str) or not header[key].strip():
            raise DataError(f"{place}: header field '{key}' should be a non-empty text, got {header[key]!r:.60}.")
    return header


def _therapist_code(marks: list[str], where: str) -> dict[str, Any]:
    if len(marks) != 1:
        raise DataError(
            f"{where}: expected T and one label among {allowed(codes.ABBREVIATIONS)}, got 'T {' '.join(marks)}'."
        )
    planned, arrow, realised = marks[0].partition(">")
    try:
        label = codes.label_of(realised if arrow else planned)
        return {"label": label, "planned_label": codes.label_of(planned) if arrow else None}
    except DataError as error:
        raise DataError(f"{where}: {error}") from None


def _client_code(marks: list[str], where: str) -> dict[str, Any]:
    corrects = marks[1:] == ["!fix"]
    if len(marks) != 1 + corrects:
        raise DataError(
            f"{where}: expected C, one of {allowed(codes.TALK_TYPES)} (change/<subtype>) and at most '!fix', "
            f"got 'C {' '.join(marks)}'."
        )
    try:
        talk, subtype = codes.split_talk(marks[0])
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    return {"talk": talk, "talk_subtype": subtype, "corrects_reflection": corrects}


def _header(dialogue: Dialogue, id_field: str) -> dict[str, Any]:
    values = {name: getattr(dialogue, name) for name in ("category", "arc", "ending", "split")}
    for name in ("profile", "provenance"):
        values[name] = {key: value for key, value in asdict(getattr(dialogue, name)).items() if value not in ("", None)}
    return {id_field: dialogue.id, **{name: value for name, value in values.items() if value}}


def _turn_line(turn: Utterance, planned: bool, place: str) -> str:
    if turn.role == "therapist":
        if not turn.label:
            raise DataError(f"{place}: a therapist turn without label cannot be written in the notation.")
        code = ABBREVIATION_OF[turn.label]
        if turn.planned_label and (turn.planned_label != turn.label or not planned):
            code = f"{ABBREVIATION_OF[turn.planned_label]}>{code}"
        head = f"T {code}"
    else:
        if not turn.talk:
            raise DataError(f"{place}: a client turn without talk type cannot be written in the notation.")
        subtype = f"/{turn.talk_subtype}" if turn.talk_subtype else ""
        head = f"C {turn.talk}{subtype}{' !fix' if turn.corrects_reflection else ''}"
    if not turn.utterance_ko:
        raise DataError(f"{place}: a turn without Korean text cannot be written in the notation.")
    texts = [turn.utterance_ko, turn.utterance_en] if turn.utterance_en else [turn.utterance_ko]
    for text in texts:
        if "|" in _one_line(text, place):
            raise DataError(f"{place}: the text holds the bar '|', which parts fields in the notation: {text!r:.60}.")
    return " | ".join([head, *texts])


def _one_line(text: str, place: str) -> str:
    if text != text.strip() or "\n" in text or "\r" in text:
        raise DataError(f"{place}: the notation holds a text on one line without outer spaces, got {text!r:.60}.")
    return text
