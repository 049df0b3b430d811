"""Prompts: template files filled for one therapist turn, one client turn, one whole session.

The Korean templates stand in `prompts/`: parts opened by `--- system` or `--- user`, fields as
`$name`. What people wrote (posts, utterances) is put in as data: on one line, without the
angle brackets that fence it, so that it can neither close its fence nor open a role.
"""

import random
import tomllib
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from string import Template

from kmi import codes
from kmi.clients.cases import Case
from kmi.corpus.utterance_checks import Finding
from kmi.dialogue import ClientProfile, Utterance
from kmi.simulation.decision import Decision
from kmi.simulation.track import ClientStep

FOLDER = Path(__file__).with_name("prompts")
SPEAKERS = {"therapist": "상담자", "client": "내담자"}
PROFILE_FIELDS = {
    "subtopic": "주제",
    "age_band": "나이",
    "gender": "성별",
    "occupation": "하는 일",
    "presenting_problem": "겪는 문제",
    "ambivalence": "두 마음",
    "target_behaviour": "이야기될 변화",
    "readiness": "준비 정도",
    "resistance_style": "버티는 방식",
    "speech_style": "말투",
    "risk": "위험",
}

Messages = tuple[dict[str, str], ...]


def therapist_messages(case: Case, history: Sequence[Utterance], decision: Decision, process: str, note: str) -> Messages:
    """Asks for the next therapist turn under the decided label."""
    label = codes.THERAPIST[decision.label]
    return _fill(
        "therapist_turn",
        context=as_data(case.context),
        history=_history(history),
        process_ko=codes.PROCESSES[process].ko,
        process_definition=codes.PROCESSES[process].definition_ko,
        label=label.name,
        label_ko=label.ko,
        abbreviation=label.abbreviation,
        label_definition=label.definition_ko,
        label_example=label.example_ko,
        reason=decision.reason,
        note=note,
        counsellor=directions(case)["counsellor"],
    )


def client_messages(case: Case, history: Sequence[Utterance], step: ClientStep, note: str) -> Messages:
    """Asks for the next client turn, leaning the way the track says."""
    talk = codes.TALK[step.talk]
    subtype = codes.SUBTYPES.get(step.subtype or "")
    return _fill(
        "client_turn",
        context=as_data(case.context),
        profile=profile_lines(case.profile),
        history=_history(history),
        talk_codes=_talk_codes(),
        code=step.code,
        talk_ko=f"{talk.ko}, {subtype.ko}" if subtype else talk.ko,
        talk_definition=(subtype or talk).definition_ko,
        note=note,
        client=directions(case)["client"],
    )


def session_messages(case: Case, plan: str) -> Messages:
    """Asks for a whole session along `plan` (`kmi.simulation.plan.plan_lines`)."""
    arc, ending = codes.ARCS[case.arc], codes.ENDINGS[case.ending]
    return _fill(
        "whole_session",
        id=case.id,
        category=case.category,
        profile=profile_lines(case.profile),
        arc_ko=arc.ko,
        arc_definition=arc.definition_ko,
        ending_ko=ending.ko,
        ending_definition=ending.definition_ko,
        context=as_data(case.context) or note_text("context_wanted"),
        context_request=note_text("context_given" if case.context else "context_wanted"),
        plan=plan,
        overused=", ".join(_overused()),
        directions="\n".join(f"- {line}" for line in directions(case).values()),
    )


def directions(case: Case) -> dict[str, str]:
    """Stage directions of a session, drawn by its seed; none about plans where the ending has none."""
    rng = random.Random(f"{case.seed}/directions")
    drawn = {name: rng.choice(lines) for name, lines in _directions().items()}
    if case.ending == "none":
        del drawn["plan"]
    return drawn


def again(messages: Messages, answer: str, findings: Sequence[Finding]) -> Messages:
    """The same request after an answer that failed the checks, saying what to change."""
    problems = " ".join(dict.fromkeys(finding.message for finding in findings))
    return (*messages, {"role": "assistant", "content": answer}, *_fill("ask_again", problems=problems))


def profile_lines(profile: ClientProfile) -> str:
    """The known fields of a profile, one a line, named in Korean."""
    values = {name: as_data(value) for name, value in asdict(profile).items() if value}
    if "readiness" in values:
        values["readiness"] = _readiness_ko().get(values["readiness"], values["readiness"])
    return "\n".join(f"- {title}: {values[name]}" for name, title in PROFILE_FIELDS.items() if name in values)


def as_data(text: str) -> str:
    """What a person wrote, made safe to stand inside a prompt."""
    return " ".join(text.replace("<", "‹").replace(">", "›").split())


@cache
def _notes() -> dict[str, str]:
    return tomllib.loads((FOLDER / "notes.toml").read_text(encoding="utf-8"))


def note_text(name: str) -> str:
    """A line of `prompts/notes.toml`."""
    return _notes()[name]


@cache
def _directions() -> dict[str, list[str]]:
    return tomllib.loads((FOLDER / "directions.toml").read_text(encoding="utf-8"))


@cache
def _overused() -> list[str]:
    """Phrases that earlier batches wore out; grows as the corpus does."""
    return (FOLDER / "overused.txt").read_text(encoding="utf-8").split("\n")[:-1]


@cache
def _readiness_ko() -> dict[str, str]:
    from kmi.clients.catalogue import axes

    return {entry["id"]: entry["ko"] for entry in axes()["readiness"]}


@cache
def _talk_codes() -> str:
    lines = [f"- {code.name} {code.ko}: {code.definition_ko}" for code in codes.TALK.values()]
    lines += [f"- change/{code.name} {code.ko}: {code.definition_ko} 예: {code.example_ko}" for code in codes.SUBTYPES.values()]
    return "\n".join(lines)


@cache
def _template(name: str) -> tuple[tuple[str, Template], ...]:
    parts = []
    for block in (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("--- ")[1:]:
        role, _, body = block.partition("\n")
        parts.append((role.strip(), Template(body.strip())))
    return tuple(parts)


def _fill(name: str, **values: str) -> Messages:
    # Template.substitute leaves values alone: "$" and braces in a post stay what they are.
    return tuple({"role": role, "content": body.substitute(values)} for role, body in _template(name))


def _history(history: Sequence[Utterance]) -> str:
    if not history:
        return "(아직 없음)"
    return "\n".join(f"{SPEAKERS[turn.role]}: {as_data(turn.utterance_ko)}" for turn in history)
