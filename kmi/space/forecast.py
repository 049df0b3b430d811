"""Forecast: a session is typed or pasted, the probabilities of the next therapist behaviour follow every change.

Not covered: the forecast itself (`kmi.forecaster`).
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from kmi.corpus.readers import typed_turns
from kmi.dialogue import Forecast, Utterance
from kmi.errors import KmiError
from kmi.forecaster import Forecaster
from kmi.forecaster.features import FEATURE_NAMES, HANGUL_FEATURE, Turn, features_of, turns_of
from kmi.space.engine import Engine
from kmi.space.markup import bars, chip, notice, session
from kmi.space.page import Page
from kmi.space.words import cue_text, word

LONGEST = 40_000  # characters of a pasted session
EXPLAINED = 3
SMALLEST = 0.005  # an effect that does not show in two digits


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
    ranked = engine.forecaster.forecast(turns)
    return bars(ranked, language) + because(engine.forecaster, turns, ranked[:EXPLAINED], language), session(coded, language)


def because(forecaster: Forecaster, turns: Sequence[Turn], ranked: Sequence[Forecast], language: str) -> str:
    """Under each label, what in the session raised or lowered its probability."""
    features = dict(zip(FEATURE_NAMES, features_of(turns), strict=True))
    model = forecaster.model
    usual = dict(zip(FEATURE_NAMES, (model.korean if features[HANGUL_FEATURE] else model.professional).mean.tolist(), strict=True))
    reasons = [reason for reason in forecaster.explain(turns, [option.label for option in ranked]) if abs(reason.effect) >= SMALLEST]
    parts = []
    for option in ranked:
        told = [(reason.effect, cue_text(reason.cue, features[reason.cue], usual[reason.cue], language)) for reason in reasons if reason.label == option.label]
        rows = "".join(f"<li>{_way(effect, language)}<span>{escape(text)}</span></li>" for effect, text in told)
        parts.append(f'<h5>{chip(option.label, language)} {option.probability:.2f}</h5><ul class="kmi-why">{rows}</ul>' if rows else "")
    return f"<h4>{escape(word('forecast.because', language))}</h4><p>{escape(word('forecast.because_lead', language))}</p>{''.join(parts)}" if any(parts) else ""


def _way(effect: float, language: str) -> str:
    """The direction as sign, number and, for those who hear the page, word."""
    way, sign = ("up", "▲ +") if effect > 0 else ("down", "▼ −")
    return f'<span class="kmi-way kmi-{way}" aria-label="{escape(word(f"forecast.{way}", language))} {abs(effect):.2f}" role="img">{sign}{abs(effect):.2f}</span>'
