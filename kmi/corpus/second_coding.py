"""Second coding: an independent coder codes the held-out dialogues, knowing words and definitions alone.

`write_export` gives out unlabelled text in parts and the guide (definitions and rules of
`kmi.codes`, nothing else); the coder answers with a line per turn; `read_codes` takes the
answer back as the records that stand beside the sources in `<batch>.second.jsonl`:

    # kmi-family-031                      # kmi-family-031
    목표 행동: 말을 먼저 꺼내기                0 OQ
    0 T | 오늘은 어떤 이야기를 할까요?     ->  1 neutral
    1 C | 그냥요.                          ...

`agreement_of` is computed from both codes as first given; what is corrected afterwards stands in
`<batch>.corrections.jsonl` with its reason (`kmi.corpus.sources`).

Not covered: the formulas (`kmi.metrics.agreement`).
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed
from kmi.metrics import agreement
from kmi.metrics.scores import USUAL, Resampling, Score

HELD_OUT = ("validation", "test")
AGREEMENT_FILE = "agreement.json"
PER_PART = 8
SPEAKER = {"therapist": "T", "client": "C"}


def guide() -> str:
    """What the coder is given beside the text: every code with its definition and example, and the rules."""
    lines = ["# 코딩 안내 / Coding guide", "", "상담자(T) / therapist"]
    lines += [f"- {code.abbreviation} {code.ko}, {code.name}: {_meaning(code)}" for code in codes.THERAPIST.values()]
    lines += ["", "내담자(C) / client"]
    lines += [f"- {code.name} {code.ko}: {_meaning(code)}" for code in codes.TALK.values()]
    lines += [f"  - change: {code.ko} ({code.name}): {_meaning(code)}" for code in codes.SUBTYPES.values()]
    lines += ["", "규칙 / rules", *(f"- {SPEAKER[rule.role]}: {rule.ko} / {rule.en}" for rule in codes.RULES)]
    lines += ["", "답 / answer: 회기마다 '# 번호' 한 줄, 그 아래 차례마다 '순서 코드' 한 줄 (예: 0 OQ, 1 neutral)."]
    return "\n".join(lines) + "\n"


def write_export(dialogues: Iterable[Dialogue], folder: Path) -> list[Path]:
    """Writes `guide.md` and the unlabelled text in parts of 8 dialogues, `part-NN.txt`; returns the parts.

    A part shows post, target behaviour and the words of each turn; neither code nor plan nor process.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "guide.md").write_text(guide(), encoding="utf-8")
    texts = [_unlabelled(dialogue) for dialogue in dialogues]
    parts = []
    for start in range(0, len(texts), PER_PART):
        path = folder / f"part-{start // PER_PART + 1:02d}.txt"
        path.write_text("\n\n".join(texts[start : start + PER_PART]) + "\n", encoding="utf-8")
        parts.append(path)
    return parts


def read_codes(path: Path, dialogues: Sequence[Dialogue]) -> Iterator[tuple[Dialogue, dict[str, Any]]]:
    """Yields each coded dialogue with its record of second codes; every turn must be coded once.

    Raises:
        DataError: naming file and line, for an unknown dialogue, a missing turn or a code of the other speaker.
    """
    known = {dialogue.id: dialogue for dialogue in dialogues}
    for id_, header, lines in _sections(path):
        if id_ not in known:
            raise DataError(f"{path}, line {header}: expected a held-out dialogue, got {id_!r}.")
        dialogue = known[id_]
        found = [_code(dialogue, *line) for line in lines]
        if [entry["turn"] for entry in found] != list(range(dialogue.turns)):
            raise DataError(f"{path}, line {header}: {id_} has turns 0 to {dialogue.turns - 1}; expected each once and in order, got {len(found)}.")
        yield dialogue, {"id": id_, "codes": found}


def agreement_of(dialogues: Iterable[Dialogue], resampling: Resampling = USUAL) -> dict[str, dict[str, Score]]:
    """Cohen's kappa between first and second codes: "therapist" and "client", each overall and per code."""
    coded = [dialogue for dialogue in dialogues if any(turn.label_second or turn.talk_second for turn in dialogue.utterances)]
    if not coded:
        raise DataError("No dialogue has a second coding.", "Export with: python scripts/second_coding.py export --out DIR")
    pairs = {"therapist": ("label", "label_second", codes.THERAPIST_LABELS), "client": ("talk", "talk_second", codes.TALK_TYPES)}
    found = {}
    for role, (first, second, names) in pairs.items():
        turns = [(d.id, turn) for d in coded for turn in d.utterances if turn.role == role]
        given = agreement.codings([(getattr(t, first), getattr(t, second)) for _, t in turns], [id_ for id_, _ in turns], names)
        found[role] = {**agreement.cohen(given, resampling), "raw": agreement.raw_agreement(given, resampling)}
    return found


def agreement_json(found: Mapping[str, Mapping[str, Score]]) -> str:
    """The text of `agreement.json`, rounded so that it is the same on every machine."""
    plain = {
        role: {name: [None if figure is None else round(figure, 3) for figure in (score.value, score.low, score.high)] for name, score in scores.items()}
        for role, scores in found.items()
    }
    return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"


def read_agreement(source: Path) -> dict[str, dict[str, Score]]:
    """What `agreement.json` in a source folder says; empty where there is none."""
    path = source / AGREEMENT_FILE
    plain = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {role: {name: Score(*figures) for name, figures in scores.items()} for role, scores in plain.items()}


def _meaning(code: codes.Code) -> str:
    example = f" 예: '{code.example_ko}'" if code.example_ko else ""
    return f"{code.definition_ko} / {code.definition_en}{example}"


def _unlabelled(dialogue: Dialogue) -> str:
    lines = [f"# {dialogue.id}", f"글: {dialogue.context}", f"목표 행동: {dialogue.profile.target_behaviour}"]
    return "\n".join(lines + [f"{i} {SPEAKER[turn.role]} | {turn.utterance_ko}" for i, turn in enumerate(dialogue.utterances)])


def _sections(path: Path) -> Iterator[tuple[str, int, list[tuple[str, str]]]]:
    """Id, line and coded lines (place, text) of each dialogue in an answer."""
    section: tuple[str, int, list[tuple[str, str]]] | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        line = line.strip()
        if line.startswith("#"):
            if section:
                yield section
            section = (line.lstrip("# "), number, [])
        elif line and section is None:
            raise DataError(f"{path}, line {number}: expected '# <dialogue id>' first, got {line!r:.60}.")
        elif line:
            section[2].append((f"{path}, line {number}", line))
    if section:
        yield section


def _code(dialogue: Dialogue, place: str, line: str) -> dict[str, Any]:
    turn, _, code = line.partition(" ")
    if not turn.isdigit() or int(turn) >= dialogue.turns:
        raise DataError(f"{place}: expected '<turn> <code>' with a turn from 0 to {dialogue.turns - 1}, got {line!r:.60}.")
    code = code.strip()
    if dialogue.utterances[int(turn)].role == "therapist":
        if code not in codes.ABBREVIATIONS:
            raise DataError(f"{place}: the therapist speaks; expected one of {allowed(codes.ABBREVIATIONS)}, got {code!r}.")
        return {"turn": int(turn), "label_second": codes.ABBREVIATIONS[code]}
    if code not in codes.TALK:
        raise DataError(f"{place}: the client speaks; expected one of {allowed(codes.TALK)}, got {code!r}.")
    return {"turn": int(turn), "talk_second": code}
