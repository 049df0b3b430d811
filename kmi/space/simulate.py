"""Simulate: from a client's post to a whole session, step by step, the forecaster's first three and the decision shown each time.

Not covered: the rules of a session (`kmi.simulation`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import gradio as gr

from kmi.chatbot.guard import reply, shared_guard
from kmi.chatbot.guard_output import fault
from kmi.clients.cases import case_for_post
from kmi.clients.contexts import SAMPLE_POSTS, Post, personal_data, read_posts
from kmi.codes import THERAPIST
from kmi.dialogue import Utterance
from kmi.errors import DataError, KmiError
from kmi.simulation.decision import POLICIES, Decision
from kmi.simulation.director import Director
from kmi.simulation.turn_mode import SessionFailed, client_turn, therapist_turn
from kmi.space.engine import Engine
from kmi.space.markup import bars, notice, plain_block, session
from kmi.space.page import Page
from kmi.space.words import label_name, reason_text, word

LONGEST = 3000  # characters of a post


@dataclass
class Simulation:
    """One simulated session on its way."""

    post: str
    director: Director
    said: list[Utterance] = field(default_factory=list)
    decision: Decision | None = None


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": "simulate.intro"})
    samples = [post.context for post in read_posts(SAMPLE_POSTS)]
    post = page.make(gr.Textbox, {"label": "simulate.post"}, value=samples[0], lines=4, max_lines=10, max_length=LONGEST, elem_id="simulate-post")
    wish = page.make(gr.Dropdown, {"label": "simulate.label", "choices": lambda language: [(word("simulate.forecaster", language), ""), *((label_name(name, language), name) for name in THERAPIST)]}, value="", elem_id="simulate-label")
    with gr.Row(elem_id="simulate-buttons"):
        step = page.make(gr.Button, {"value": "simulate.step"}, variant="primary", elem_id="simulate-step")
        run = page.make(gr.Button, {"value": "simulate.run"}, elem_id="simulate-run")
        stop = page.make(gr.Button, {"value": "simulate.stop"}, elem_id="simulate-stop")
        again = page.make(gr.Button, {"value": "simulate.again"}, elem_id="simulate-again")
    trouble = gr.HTML(elem_id="simulate-trouble")
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            talk = gr.HTML(elem_id="simulate-talk")
        with gr.Column(scale=2, min_width=280):
            why = gr.HTML(elem_id="simulate-why")
    state = gr.State(None, time_to_live=3600)

    def one(text: str, label: str, simulation: Simulation | None, language: str) -> tuple:
        return advance(engine, text, label, simulation, language)

    def all_(text: str, simulation: Simulation | None, language: str) -> Iterator[tuple]:
        while simulation is None or not simulation.director.finished:
            before = len(simulation.said) if simulation else 0
            shown = advance(engine, text, "", simulation, language)
            simulation = shown[0]
            yield shown
            if simulation is None or len(simulation.said) == before:
                return

    outputs = [state, talk, why, trouble]
    step.click(one, [post, wish, state, page.language], outputs, api_name="simulate", concurrency_id="writer", concurrency_limit=2, show_progress_on=talk)
    running = run.click(all_, [post, state, page.language], outputs, api_name=False, concurrency_id="writer", concurrency_limit=2, show_progress_on=talk)
    stop.click(None, None, None, cancels=[running], api_name=False)
    again.click(lambda: (None, "", "", ""), None, outputs, api_name=False, cancels=[running])


def advance(engine: Engine, post: str, label: str, simulation: Simulation | None, language: str) -> tuple:
    """One turn more; what the page shows: simulation, talk, the decision behind the last therapist turn, trouble."""
    post = post.strip()
    danger = shared_guard().look(post[:LONGEST])
    if danger:
        # A post may be the visitor's own: help comes first, and nobody is simulated on it.
        return None, plain_block(reply(danger.kind, language)), "", ""
    try:
        if simulation is None or simulation.post != post:
            simulation = start(engine, post, language)
        if simulation.director.finished:
            return simulation, session(simulation.said, language), decided(simulation.decision, language), notice(word("simulate.over", language))
        turn = engine.run(_turn(engine, simulation, label, language))
    except (KmiError, SessionFailed) as error:
        told = simulation.said if simulation else []
        return simulation, session(told, language), decided(simulation.decision if simulation else None, language), notice(str(error))
    simulation.said.append(turn)
    return simulation, session(simulation.said, language), decided(simulation.decision, language), ""


def start(engine: Engine, post: str, language: str) -> Simulation:
    """A session on a post.

    Raises:
        DataError: the post is empty, too long or holds personal data.
    """
    if not post or len(post) > LONGEST:
        raise DataError(word("simulate.length", language, most=LONGEST))
    if personal_data(post):
        raise DataError(word("simulate.personal", language))
    case = case_for_post(Post("space", post), seed=0)
    return Simulation(post, Director(case, engine.forecaster, POLICIES["kmi"]))


async def _turn(engine: Engine, simulation: Simulation, label: str, language: str) -> Utterance:
    director, said = simulation.director, simulation.said
    if len(said) % 2:
        return await client_turn(director, said, engine.writer.write)
    decision = director.decide()
    if label:
        decision = replace(decision, label=label, reason=word("simulate.yours", language), override=None)
    simulation.decision = decision
    turn = await therapist_turn(director, said, decision, engine.writer.write)
    if fault(turn.text):
        # What a visitor reads as a counsellor's words passes the check that stands after every model.
        director.take_back()
        raise DataError(word("simulate.unfit", language))
    return turn


def decided(decision: Decision | None, language: str) -> str:
    """The forecaster's first three, the label decided and why."""
    if decision is None:
        return ""
    return bars(decision.forecast[:3], language, decision.label) + plain_block(word("simulate.decided", language, label=label_name(decision.label, language), reason=reason_text(decision.reason, language)))

