"""The corpus as text: `source/<category slug>/<name>.txt` with what stands beside it.

- `<name>.txt`: sessions in compact notation. Gives the words, the realised codes, the processes.
- `<name>.packets.jsonl`: a plan per session, by its id. Gives what was planned (labels with
  forecast and reason), the post where there was one, and profile, arc, ending, split and
  provenance where the text's header is silent. A packet nobody has written yet simply remains.
- `<name>.second.jsonl`: an independent second coding, `{"id", "codes": [{"turn", "label_second"
  or "talk_second"}]}`, turns counted from 0.
- `<name>.corrections.jsonl`: codes found wrong when the two codings were compared, `{"id", "turn",
  "field", "from", "to", "reason"}`; `field` is label, label_second, talk or talk_second.

A text must follow its packet turn by turn: same speaker, same planned label.

Not covered: whether the dialogues are good (`kmi.corpus.dialogue_checks`), planning packets
(`kmi.simulation.plan_mode`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.corpus.notation import read_located
from kmi.dialogue import Dialogue, Forecast, Utterance, json_lines, read_jsonl
from kmi.errors import ConfigError, DataError, allowed

CATEGORY_OF = {code.slug: code.name for code in codes.CATEGORIES.values()}
RUN_FILE = "dialogues.jsonl"


def read_sources(folder: str | Path, *, corrected: bool = True) -> list[Dialogue]:
    """All dialogues under a source folder, whole and validated, sorted by id.

    Args:
        folder: the source folder.
        corrected: with corrections applied; False gives both codings as first made.

    Raises:
        ConfigError: if the folder is missing or holds no source text.
        DataError: naming file and line, where a text, packet or second coding does not hold.
    """
    folder = Path(folder)
    texts = sorted(folder.rglob("*.txt"))
    if not texts:
        raise ConfigError(f"Expected source texts at {folder}/<category>/*.txt, found none.", "Check --source.")
    for kind in ("second", "corrections"):
        for path in sorted(folder.rglob(f"*.{kind}.jsonl")):
            if path.with_name(path.name.replace(f".{kind}.jsonl", ".txt")) not in texts:
                raise DataError(f"{path}: {kind} codes without a text beside them.")
    found: dict[str, tuple[Dialogue, Path]] = {}
    for path in texts:
        if path.parent.parent != folder or path.parent.name not in CATEGORY_OF:
            raise DataError(f"{path}: expected source texts in a category folder of {folder}: {allowed(CATEGORY_OF)}.")
        for dialogue in read_batch(path, corrected=corrected):
            if dialogue.id in found:
                raise DataError(
                    f"{path}: id {dialogue.id!r} is already used in {found[dialogue.id][1]}; ids are unique."
                )
            found[dialogue.id] = (dialogue, path)
    return [found[id_][0] for id_ in sorted(found)]


def read_batch(path: str | Path, *, corrected: bool = True) -> Iterator[Dialogue]:
    """Yields the dialogues of one source text with its packets, second codes and corrections merged in.

    The category is that of the folder; a split must come from header or packet.
    """
    path = Path(path)
    packets = _by_id(path.with_suffix(".packets.jsonl"))
    seconds = _by_id(path.with_suffix(".second.jsonl"))
    corrections = _corrections(path.with_suffix(".corrections.jsonl")) if corrected else {}
    for located in read_located(_text(path), where=str(path)):
        dialogue = located.dialogue
        header = f"{path}, line {located.header_line}"
        if dialogue.id in packets:
            places = [f"{path}, line {number}" for number in located.turn_lines]
            dialogue = merge_packet(dialogue, packets[dialogue.id][1], where=header, turn_places=places)
        elif any(turn.planned_label for turn in dialogue.utterances):
            raise DataError(f"{header}: packet {dialogue.id!r} is not in {path.with_suffix('.packets.jsonl')}.")
        if dialogue.id in seconds:
            place, second = seconds.pop(dialogue.id)
            dialogue = merge_second_codes(dialogue, second, where=place)
        for place, correction in corrections.pop(dialogue.id, []):
            dialogue = merge_correction(dialogue, correction, where=place)
        yield _with_category_and_split(dialogue, path, header)
    for place, correction in (entry for entries in corrections.values() for entry in entries):
        raise DataError(f"{place}: a correction for {correction['id']!r}, which is not in {path.name}.")
    for place, record in seconds.values():
        raise DataError(f"{place}: second codes for {record['id']!r}, which is not in {path.name}.")


def read_run(folder: str | Path) -> Iterator[Dialogue]:
    """Yields the finished sessions of a generation run's folder."""
    path = Path(folder) / RUN_FILE
    if not path.is_file():
        raise ConfigError(f"Expected a run folder with {RUN_FILE} at {folder}, found none.", "Check --run.")
    return read_jsonl(path)


def merge_packet(
    dialogue: Dialogue, packet: dict[str, Any], *, where: str, turn_places: Sequence[str] = ()
) -> Dialogue:
    """The dialogue with what its packet planned; the text's own words and realised codes stay.

    Args:
        dialogue: as read from the text.
        packet: {"turns": [{"role", "label", "process", "forecast", "reason"}]} and any of
            "category", "profile", "arc", "ending", "split", "provenance", "context".
            A context in the packet is the client's own post and stands as it is.
        where: place of the text, for messages.
        turn_places: place of each turn, for messages.

    Raises:
        DataError: where text and packet contradict each other or the packet is damaged.
    """
    steps = packet.get("turns")
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise DataError(f"{where}: 'turns' of its packet should be a list of planned turns, got {steps!r:.80}.")
    if len(steps) != dialogue.turns:
        raise DataError(f"{where}: the session has {dialogue.turns} turns, but its packet plans {len(steps)}.")
    places = turn_places or [f"{where}, turn {i}" for i in range(dialogue.turns)]
    turns = [asdict(_planned(*parts)) for parts in zip(dialogue.utterances, steps, places, strict=True)]
    record = {**dialogue.to_dict(), "dialogue": turns, "context": packet.get("context") or dialogue.context}
    for name in ("category", "profile", "arc", "ending", "split", "provenance"):
        ours, planned = _known(record[name]), _known(packet.get(name))
        if ours and planned and ours != planned:
            raise DataError(f"{where}: '{name}' is {ours!r:.80} in the header, but {planned!r:.80} in its packet.")
        record[name] = ours or planned or record[name]
    return Dialogue.from_dict(record, where=where)


def merge_second_codes(dialogue: Dialogue, second: dict[str, Any], *, where: str) -> Dialogue:
    """The dialogue with an independent coder's codes; `second` is one line of a second coding."""
    turns = list(dialogue.utterances)
    entries = second.get("codes")
    if not isinstance(entries, list):
        raise DataError(f"{where}: field 'codes' should be a list, got {entries!r:.80}.")
    for entry in entries:
        index = entry.get("turn") if isinstance(entry, dict) else None
        if not isinstance(index, int) or not 0 <= index < len(turns):
            raise DataError(f"{where}: expected 'turn' between 0 and {len(turns) - 1} in each code, got {entry!r:.80}.")
        therapist = turns[index].role == "therapist"
        name = "label_second" if therapist else "talk_second"
        values = codes.THERAPIST_LABELS if therapist else codes.TALK_TYPES
        if set(entry) != {"turn", name} or entry[name] not in values:
            raise DataError(f"{where}: turn {index} needs '{name}' among {allowed(values)}, got {entry!r:.80}.")
        turns[index] = replace(turns[index], **{name: entry[name]})
    return replace(dialogue, utterances=tuple(turns))


def merge_correction(dialogue: Dialogue, correction: dict[str, Any], *, where: str) -> Dialogue:
    """The dialogue with one code put right; it must be what the correction says it was, and the reason given."""
    turns = list(dialogue.utterances)
    turn, name = correction.get("turn"), correction.get("field")
    if not isinstance(turn, int) or not 0 <= turn < len(turns):
        raise DataError(f"{where}: expected 'turn' between 0 and {len(turns) - 1}, got {turn!r:.80}.")
    fields_ = ("label", "label_second") if turns[turn].role == "therapist" else ("talk", "talk_second")
    if name not in fields_:
        raise DataError(f"{where}: expected 'field' among {allowed(fields_)}, got {name!r:.80}.")
    if getattr(turns[turn], name) != correction.get("from"):
        raise DataError(f"{where}: turn {turn} has {name} {getattr(turns[turn], name)!r}, not {correction.get('from')!r}.")
    values = codes.THERAPIST_LABELS if turns[turn].role == "therapist" else codes.TALK_TYPES
    if correction.get("to") not in values:
        raise DataError(f"{where}: expected 'to' among {allowed(values)}, got {correction.get('to')!r:.80}.")
    if not str(correction.get("reason") or "").strip():
        raise DataError(f"{where}: a correction needs its 'reason'.")
    changes = {name: correction["to"]}
    if name == "talk" and correction["to"] != "change":
        changes["talk_subtype"] = None
    turns[turn] = replace(turns[turn], **changes)
    return replace(dialogue, utterances=tuple(turns))


def _corrections(path: Path) -> dict[str, list[tuple[str, dict[str, Any]]]]:
    """Corrections by dialogue id, in order, each with its place."""
    found: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for number, record in json_lines(path) if path.exists() else ():
        place = f"{path}, line {number}"
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            raise DataError(f"{place}: expected an object with id, turn, field, from, to and reason, got {record!r:.80}.")
        found.setdefault(record["id"], []).append((place, record))
    return found


def _planned(turn: Utterance, step: dict[str, Any], place: str) -> Utterance:
    """The turn with its plan; `asdict` of it goes through the record's own validation."""
    if step.get("role") != turn.role:
        raise DataError(f"{place}: the {turn.role} speaks, but the packet plans {step.get('role')!r}.")
    turn = replace(turn, process=turn.process or step.get("process"))
    if turn.role == "client":
        return turn
    planned = step.get("label")
    if planned not in codes.THERAPIST_LABELS:
        raise DataError(f"{place}: the packet plans {planned!r}; allowed are {allowed(codes.THERAPIST_LABELS)}.")
    if turn.planned_label not in (None, planned):
        raise DataError(
            f"{place}: the planned label is {turn.planned_label!r}, but the packet plans {planned!r}.",
            "Write T PLANNED>REALISED where the two differ.",
        )
    try:
        forecast = tuple(Forecast(**option) for option in step.get("forecast") or ())
    except TypeError:
        raise DataError(
            f"{place}: 'forecast' in the packet should list label and probability, got {step['forecast']!r:.80}."
        ) from None
    return replace(turn, planned_label=planned, decision_reason=step.get("reason"), forecast=forecast)


def _with_category_and_split(dialogue: Dialogue, path: Path, where: str) -> Dialogue:
    category = CATEGORY_OF[path.parent.name]
    if dialogue.category not in ("", category):
        raise DataError(f"{where}: category is {dialogue.category!r}, but the folder is that of {category!r}.")
    if not dialogue.split:
        raise DataError(f"{where}: no split; header or packet must say one of {allowed(codes.SPLITS)}.")
    return replace(dialogue, category=category)


def _by_id(path: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Place and record of each line of a JSONL file, by id; {} where the file is absent."""
    records: dict[str, tuple[str, dict[str, Any]]] = {}
    for number, record in json_lines(path) if path.exists() else ():
        place = f"{path}, line {number}"
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            raise DataError(f"{place}: expected an object with a text 'id', got {record!r:.80}.")
        if record["id"] in records:
            raise DataError(f"{place}: id {record['id']!r} stands in this file twice.")
        records[record["id"]] = (place, record)
    return records


def _known(value: Any) -> Any:
    """The value without its unknown parts, so that a partly filled object compares as what it says."""
    if isinstance(value, dict):
        return {name: part for name, part in value.items() if part not in (None, "")}
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} at byte {error.start}).", "Save it as UTF-8.") from None
