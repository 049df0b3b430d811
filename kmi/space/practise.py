"""Practise: the visitor is the therapist, a simulated client answers, and every turn is coded as it is said.

The client keeps to a written session of the dataset as long as it has a line that fits, so that one person is talking. The forecaster
says what it would have done, each time, and a sheet at the end what went well.

Not covered: what a behaviour meets (`kmi.space.answering`), the sheet's judgement (`kmi.space.feedback`), how a session unfolds
(`kmi.simulation.director`).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import gradio as gr

from kmi.chatbot.guard import reply, shared_guard
from kmi.clients.cases import Case
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import Dialogue, Utterance
from kmi.errors import DataError, KmiError, WriterError
from kmi.simulation.decision import POLICIES, Decision
from kmi.simulation.director import Director
from kmi.simulation.turn_mode import SessionFailed, client_turn
from kmi.space.answering import asks_permission, next_step
from kmi.space.engine import Engine
from kmi.space.feedback import sheet, standing
from kmi.space.markup import notice, plain_block, session
from kmi.space.page import Page
from kmi.space.words import word
from kmi.writers import Completion, WriteRequest
from kmi.writers.retrieval import RetrievalWriter

CLIENTS = 12
"""Clients to choose from."""
LONGEST = 1000  # characters of a turn
SURE = 0.5


@dataclass
class Practice:
    """One exercise: who is sitting there, what was said, and what the forecaster would have done at each turn."""

    dialogue: Dialogue
    director: Director
    own: RetrievalWriter
    said: list[Utterance] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": "practise.intro"})
    who = page.make(gr.Dropdown, {"label": "practise.client"}, choices=[(described(d), d.id) for d in clients()], value=clients()[0].id, elem_id="practise-client")
    help_ = gr.HTML(elem_id="practise-help")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            talk = gr.HTML(elem_id="practise-talk")
            turn = page.make(gr.Textbox, {"label": "practise.turn", "placeholder": "practise.hint"}, lines=2, max_lines=5, max_length=LONGEST, elem_id="practise-turn")
            with gr.Row():
                say = page.make(gr.Button, {"value": "practise.say"}, variant="primary", elem_id="practise-say")
                end = page.make(gr.Button, {"value": "practise.end"}, elem_id="practise-end")
        with gr.Column(scale=2, min_width=280):
            figures = gr.HTML(elem_id="practise-figures")
    feedback = gr.HTML(elem_id="practise-feedback")
    state = gr.State(None, time_to_live=3600)

    def begin(name: str, language: str) -> tuple:
        return None, opening(name, language), standing((), language), "", ""

    def answer(text: str, practice: Practice | None, name: str, language: str) -> tuple:
        return take_turn(engine, text, practice, name, language)

    def finish(practice: Practice | None, language: str) -> str:
        return sheet(practice.said, practice.decisions, language) if practice else notice(word("practise.nothing", language))

    shown = [state, talk, figures, help_, feedback]
    who.change(begin, [who, page.language], shown, api_name=False)
    page.on_load(begin, [who, page.language], shown)
    gr.on([turn.submit, say.click], answer, [turn, state, who, page.language], [turn, *shown[:4]], api_name="practise", concurrency_id="writer", concurrency_limit=2, show_progress_on=talk)
    end.click(finish, [state, page.language], feedback, api_name="feedback")


def take_turn(engine: Engine, text: str, practice: Practice | None, name: str, language: str) -> tuple:
    """The visitor's turn, coded, and the client's answer; what the page shows: text box, exercise, talk, figures, help."""
    practice = practice or start(engine, name)
    # A counsellor may ask about dying: the exercise goes on, and help stands beside it in case the visitor means it. The guard learned
    # from clients; in a counsellor's words it counts only where it is sure.
    seen = shared_guard().look(text[:LONGEST])
    help_ = plain_block(reply(seen.kind, language)) if seen and (seen.words or seen.probability >= SURE) else ""
    said, decisions = list(practice.said), list(practice.decisions)
    try:
        if not text.strip() or len(text) > LONGEST:
            raise DataError(word("practise.length", language, most=LONGEST))
        if practice.director.finished:
            raise DataError(word("practise.over", language))
        decision = practice.director.decide()
        heard = engine.coder.code_turns([*((t.role, t.text) for t in said[-1:]), ("therapist", text)])[-1]
        said.append(Utterance("therapist", text, label=heard.label))
        answered = engine.run(_client(engine, practice, said, decision, heard.label))
    except (KmiError, SessionFailed) as error:
        return text, practice, shown(practice.dialogue, practice.said, language), standing(practice.said, language), notice(str(error)) + help_
    practice.said, practice.decisions = [*said, answered], [*decisions, decision]
    return "", practice, shown(practice.dialogue, practice.said, language), standing(practice.said, language), help_


def start(engine: Engine, name: str) -> Practice:
    """A new exercise with the client called `name`."""
    dialogue = client_called(name)
    case = Case(dialogue.id, dialogue.category, dialogue.context, dialogue.profile, dialogue.arc, dialogue.ending, random.Random(dialogue.id).randrange(2**31))
    return Practice(dialogue, Director(case, engine.forecaster, POLICIES["kmi"]), RetrievalWriter([dialogue]))


async def _client(engine: Engine, practice: Practice, said: list[Utterance], decision: Decision, label: str) -> Utterance:
    """The client's answer, from the written session where it has one left."""
    director = practice.director
    director.record_therapist(said[-1], decision, label)
    react(director, label, asks_permission([turn.text for turn in said if turn.role == "therapist"]))

    async def ask(request: WriteRequest) -> Completion:
        if engine.writer.name != "retrieval":
            return await engine.writer.write(request)
        try:
            return await practice.own.write(request)
        except WriterError:
            return await engine.writer.write(request)

    try:
        return await client_turn(director, said, ask)
    except (KmiError, SessionFailed):
        director.take_back()  # the visitor may send the turn again
        raise


def react(director: Director, label: str, asked: bool) -> None:
    """The client's next step follows the behaviour just noted."""
    place = len(director.turns) // 2
    if place < len(director.track.clients):
        steps = list(director.track.clients)
        steps[place] = next_step(steps, place, director.case, label, asked)
        director.track = replace(director.track, clients=tuple(steps))


def opening(name: str, language: str) -> str:
    """What the visitor reads before the first turn."""
    return shown(client_called(name), (), language)


def shown(dialogue: Dialogue, said: Sequence[Utterance], language: str) -> str:
    """The client's post and the talk so far."""
    return plain_block(f"{described(dialogue)}\n{dialogue.context}", "ko") + session(said, language)


def described(dialogue: Dialogue) -> str:
    """Who a client is, in a few words."""
    profile = dialogue.profile
    return " · ".join(part for part in (profile.age_band, profile.occupation, profile.target_behaviour) if part)


def client_called(name: str) -> Dialogue:
    """One of `clients` by its id, the first where there is none."""
    return next((dialogue for dialogue in clients() if dialogue.id == name), clients()[0])


@cache
def clients() -> tuple[Dialogue, ...]:
    """Clients of the test split, of as many categories as there is room for, none of them in danger."""
    by_category: dict[str, Dialogue] = {}
    for dialogue in shipped_dialogues("test"):
        if dialogue.arc != "crisis" and not dialogue.profile.risk:
            by_category.setdefault(dialogue.category, dialogue)
    return tuple(by_category.values())[:CLIENTS]
