"""Forecast: a session is typed or pasted, the probabilities of the next therapist behaviour follow every change.

Not covered: the forecast itself (`kmi.forecaster`).
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from kmi.corpus.readers import typed_turns
from kmi.dialogue import Utterance
from kmi.errors import KmiError
from kmi.forecaster.api import Reason
from kmi.forecaster.features import turns_of
from kmi.space.engine import Engine
from kmi.space.markup import bars, notice, session
from kmi.space.page import Page
from kmi.space.words import cue_name, label_name, word

LONGEST = 40_000  # characters of a pasted session


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": "forecast.intro"})
    with gr.Row():
        with gr.Column(min_width=300):
            text = page.make(gr.Textbox, {"label": "forecast.session", "value": "forecast.example"}, lines=8, max_lines=20, elem_id="forecast-session")
            until = page.make(gr.Slider, {"label": "forecast.step_label"}, minimum=0, maximum=40, step=1, value=40, elem_id="forecast-step")
        with gr.Column(min_width=300):
            shown = gr.HTML(elem_id="forecast-bars")
            coded = gr.HTML(elem_id="forecast-coded")

    def forecast(typed: str, steps: int, language: str) -> tuple[str, str]:
        return look(engine, typed, int(steps), language)

    inputs, outputs = [text, until, page.language], [shown, coded]
    gr.on([text.change, until.change], forecast, inputs, outputs, api_name="forecast", trigger_mode="always_last", show_progress="minimal")
    page.on_load(forecast, inputs, outputs)


def look(engine: Engine, typed: str, steps: int, language: str) -> tuple[str, str]:
    """Bars with reasons, and the session as it was coded up to `steps` turns."""
    if not typed.strip():
        return notice(word("forecast.empty", language)), ""
    try:
        said = typed_turns(typed[:LONGEST])[:steps] if steps else []
        found = engine.coder.code_turns(said) if said else []
    except KmiError as error:
        return notice(str(error)), ""
    coded = [
        Utterance(role, text, label=code.label if role == "therapist" else None, talk=code.label if role == "client" else None)
        for (role, text), code in zip(said, found, strict=True)
    ]
    turns = turns_of(coded)
    return bars(engine.forecaster.forecast(turns), language) + reasons(engine.forecaster.explain(turns), language), session(coded, language)


def reasons(found: Sequence[Reason], language: str) -> str:
    """Which cue moved which label, as a list."""
    rows = []
    for reason in found:
        way = word("forecast.up" if reason.effect > 0 else "forecast.down", language)
        rows.append(f"<li>{escape(label_name(reason.label, language))}: {escape(cue_name(reason.cue, language))} · {way} {abs(reason.effect):.2f}</li>")
    return f"<h4>{word('forecast.because', language)}</h4><ul>{''.join(rows)}</ul>" if rows else ""
