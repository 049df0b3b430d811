"""The record every part of KMI passes on: a labelled dialogue.

`Dialogue` keeps the reference release's fields (id, category, context, turns, dialogue
with role, utterance_ko, utterance_en, label) and adds what KMI knows: profile, arc,
ending, client talk, planned label, forecast and provenance. JSON uses the field names
as they stand here, except that `utterances` is stored under "dialogue" and `turns` is
its length.

Not covered: reading foreign formats (`kmi.corpus.readers`), the compact notation
(`kmi.corpus.notation`), checks of the text (`kmi.corpus.dialogue_checks`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.errors import DataError, allowed
from kmi.whole_files import whole


@dataclass(frozen=True, slots=True)
class Forecast:
    """One ranked option for the next therapist behaviour; `probability` is 0-1."""

    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Utterance:
    """One turn.

    Therapist turns carry `label` (realised) and, where planned, `planned_label`,
    `decision_reason` and the `forecast` it was chosen from, most probable first.
    Client turns carry `talk`, for change talk `talk_subtype` (DARN-CAT), and
    `corrects_reflection` where the client puts a reflection right that was off.
    `label_second` and `talk_second` are an independent second coder's.
    """

    role: str
    utterance_ko: str
    utterance_en: str = ""
    label: str | None = None
    process: str | None = None
    talk: str | None = None
    talk_subtype: str | None = None
    corrects_reflection: bool = False
    planned_label: str | None = None
    decision_reason: str | None = None
    forecast: tuple[Forecast, ...] = ()
    label_second: str | None = None
    talk_second: str | None = None

    @property
    def text(self) -> str:
        """The utterance in Korean, or in English where there is no Korean."""
        return self.utterance_ko or self.utterance_en


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """Who the client is; free Korean text, except `readiness` (stage of change)."""

    subtopic: str = ""
    age_band: str = ""
    gender: str = ""
    occupation: str = ""
    presenting_problem: str = ""
    ambivalence: str = ""
    target_behaviour: str = ""
    readiness: str = ""
    resistance_style: str = ""
    speech_style: str = ""
    risk: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """How a dialogue came to be. `seed` is None where no random choice was made."""

    writer: str = ""
    model: str = ""
    mode: str = ""
    seed: int | None = None
    forecaster_revision: str = ""
    package_version: str = ""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A counselling session: who, about what, and what was said, in order."""

    id: str
    category: str
    context: str
    utterances: tuple[Utterance, ...]
    profile: ClientProfile = field(default_factory=ClientProfile)
    arc: str | None = None
    ending: str | None = None
    split: str | None = None
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def turns(self) -> int:
        """Number of utterances of both speakers, as the reference release counts them."""
        return len(self.utterances)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form. Every key is present; unknown values are None."""
        record = asdict(self)
        utterances = record.pop("utterances")
        return {
            "id": record.pop("id"),
            "category": record.pop("category"),
            "context": record.pop("context"),
            "turns": self.turns,
            "dialogue": [{**turn, "forecast": list(turn["forecast"])} for turn in utterances],
            **record,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any], *, where: str = "record") -> "Dialogue":
        """Builds a dialogue from its JSON form and validates it.

        Args:
            record: as `to_dict` gives it; the reference's fields alone suffice.
            where: file and line, for messages.
        """
        if not isinstance(record, dict):
            raise DataError(f"{where}: expected a JSON object with id, category, context, dialogue; got {record!r:.80}.")
        _only_known(record, {"id", "category", "context", "turns", "dialogue", *_names(cls)} - {"utterances"}, where)
        for name in ("id", "dialogue"):
            if name not in record:
                raise DataError(f"{where}: field '{name}' is missing.")
        turns = record["dialogue"]
        if not isinstance(turns, list):
            raise DataError(f"{where}: field 'dialogue' should be a list of turns, got {turns!r:.80}.")
        dialogue = cls(
            id=_id(record["id"], where),
            category=record.get("category", ""),
            context=record.get("context", ""),
            utterances=tuple(_utterance(turn, f"{where}, turn {i}") for i, turn in enumerate(turns)),
            profile=_build(ClientProfile, record.get("profile") or {}, f"{where}, profile"),
            arc=record.get("arc"),
            ending=record.get("ending"),
            split=record.get("split"),
            provenance=_build(Provenance, record.get("provenance") or {}, f"{where}, provenance"),
        )
        if record.get("turns", dialogue.turns) != dialogue.turns:
            raise DataError(f"{where}: field 'turns' is {record['turns']!r}, but there are {dialogue.turns} utterances.")
        validate(dialogue, where=where)
        return dialogue


def validate(dialogue: Dialogue, *, where: str | None = None) -> None:
    """Raises `DataError` naming place, field, value and what is allowed, for the first wrong value."""
    where = where or f"dialogue {dialogue.id!r}"
    _text(dialogue.id, "id", where)
    if not dialogue.id.strip():
        raise DataError(f"{where}: field 'id' is empty; every dialogue needs a unique id.")
    _text(dialogue.context, "context", where)
    _one_of(dialogue.category, ["", *codes.CATEGORIES], "category", where)
    _one_of(dialogue.arc, [None, *codes.ARCS], "arc", where)
    _one_of(dialogue.ending, [None, *codes.ENDINGS], "ending", where)
    _one_of(dialogue.split, [None, *codes.SPLITS], "split", where)
    for part in ("profile", "provenance"):
        for name, value in asdict(getattr(dialogue, part)).items():
            if name != "seed":
                _text(value, f"{part}.{name}", where)
            elif value is not None and (not isinstance(value, int) or isinstance(value, bool)):
                raise DataError(f"{where}: field 'provenance.seed' should be an integer, got {value!r:.80}.")
    if not dialogue.utterances:
        raise DataError(f"{where}: field 'dialogue' is empty; a dialogue needs at least one turn.")
    for i, turn in enumerate(dialogue.utterances):
        _validate_turn(turn, f"{where}, turn {i}")


def _validate_turn(turn: Utterance, where: str) -> None:
    _one_of(turn.role, codes.ROLES, "role", where)
    for name in ("utterance_ko", "utterance_en"):
        _text(getattr(turn, name), name, where)
    _text("" if turn.decision_reason is None else turn.decision_reason, "decision_reason", where)
    if not isinstance(turn.corrects_reflection, bool):
        raise DataError(f"{where}: field 'corrects_reflection' should be true or false, got {turn.corrects_reflection!r:.80}.")
    if not turn.text.strip():
        raise DataError(f"{where}: 'utterance_ko' and 'utterance_en' are both empty; a turn needs text.")
    for name in ("label", "planned_label", "label_second"):
        _one_of(getattr(turn, name), [None, *codes.THERAPIST_LABELS], name, where)
    for name in ("talk", "talk_second"):
        _one_of(getattr(turn, name), [None, *codes.TALK_TYPES], name, where)
    _one_of(turn.talk_subtype, [None, *codes.TALK_SUBTYPES], "talk_subtype", where)
    _one_of(turn.process, [None, *codes.PROCESSES], "process", where)
    if turn.talk_subtype and turn.talk != "change":
        raise DataError(f"{where}: 'talk_subtype' is {turn.talk_subtype!r} but 'talk' is {turn.talk!r}; only change talk has one.")
    if turn.role == "client" and (turn.label or turn.planned_label):
        raise DataError(f"{where}: a client turn carries therapist label {turn.label or turn.planned_label!r}; use 'talk'.")
    if turn.role == "therapist" and turn.talk:
        raise DataError(f"{where}: a therapist turn carries client talk {turn.talk!r}; use 'label'.")
    for option in turn.forecast:
        _one_of(option.label, codes.THERAPIST_LABELS, "forecast.label", where)
        if not isinstance(option.probability, (int, float)) or not 0 <= option.probability <= 1:
            raise DataError(f"{where}: forecast probability should be between 0 and 1, got {option.probability!r}.")


def read_jsonl(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a KMI JSONL file, validated; errors name file and line."""
    for number, record in json_lines(path):
        yield Dialogue.from_dict(record, where=f"{path}, line {number}")


def write_jsonl(dialogues: Iterable[Dialogue], path: str | Path) -> int:
    """Writes one dialogue a line and returns how many; the file appears whole or not at all."""
    with whole(Path(path)) as partial, partial.open("w", encoding="utf-8") as file:
        return sum(file.write(to_line(dialogue.to_dict())) > 0 for dialogue in dialogues)


def to_line(record: dict[str, Any]) -> str:
    """One JSON object as a line, Korean readable."""
    return json.dumps(record, ensure_ascii=False) + "\n"


def json_lines(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Yields line number (from 1) and parsed JSON of each non-empty line of a UTF-8 file."""
    if not Path(path).is_file():
        raise DataError(f"Expected a JSONL file at {path}, found none.", "Check the path.")
    number = 0
    try:
        with Path(path).open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, json.loads(line)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 after line {number} ({error.reason}).", "Save it as UTF-8.") from None
    except ValueError as error:  # JSONDecodeError, or a number of thousands of digits
        problem = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
        raise DataError(f"{path}, line {number}: not valid JSON ({problem}).") from None
    except RecursionError:
        raise DataError(f"{path}, line {number}: JSON nested too deeply.") from None


def is_whole(text: str) -> bool:
    """False where a text holds half a character (a lone surrogate), which no UTF-8 file can hold."""
    return re.search("[\ud800-\udfff]", text) is None


def _utterance(turn: Any, where: str) -> Utterance:
    if not isinstance(turn, dict):
        raise DataError(f"{where}: expected an object with role and utterance_ko, got {turn!r:.80}.")
    options = turn.get("forecast") or ()
    if not isinstance(options, (list, tuple)):
        raise DataError(f"{where}: field 'forecast' should be a list of label and probability, got {options!r:.80}.")
    forecast = tuple(_build(Forecast, option, f"{where}, forecast") for option in options)
    return _build(Utterance, {"utterance_ko": "", **turn, "forecast": forecast}, where)


def _id(value: Any, where: str) -> str:
    """The reference release numbers its dialogues; everything else uses text."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise DataError(f"{where}: field 'id' should be text or a number, got {value!r:.80}.")
    return str(value)


def _build(cls: type, values: Any, where: str) -> Any:
    if not isinstance(values, dict):
        raise DataError(f"{where}: expected an object, got {values!r:.80}.")
    _only_known(values, _names(cls), where)
    try:
        return cls(**values)
    except TypeError as error:
        raise DataError(f"{where}: {str(error).partition(') ')[2] or error}.") from None


@cache
def _names(cls: type) -> frozenset[str]:
    return frozenset(item.name for item in fields(cls))


def _only_known(values: dict, known: AbstractSet[str], where: str) -> None:
    unknown = sorted(values.keys() - known, key=str)
    if unknown:
        raise DataError(f"{where}: unknown field {unknown[0]!r}; known are {allowed(sorted(known), 30)}.")


def _text(value: Any, name: str, where: str) -> None:
    if not isinstance(value, str):
        raise DataError(f"{where}: field '{name}' should be text, got {value!r:.80}.")
    if not is_whole(value):
        raise DataError(f"{where}: field '{name}' holds half a character (a lone surrogate).", "Save the text again as UTF-8.")


def _one_of(value: Any, values: Sequence[Any], name: str, where: str) -> None:
    if value not in values:
        raise DataError(f"{where}: field '{name}' is {value!r}; allowed are {allowed(v for v in values if v)}.")
