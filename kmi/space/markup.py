"""The few pieces of HTML on the page; whatever a visitor or a file brought is escaped here and nowhere else.

Not covered: style (`style.css`), words (`kmi.space.words`).
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from kmi.codes import TALK, THERAPIST
from kmi.dialogue import Forecast, Utterance
from kmi.space.words import label_name, word

# Okabe & Ito 2008, darkened where white text stands on them; the name stands beside the colour all the same.
COLOURS = {
    "Simple Reflection": "#00629B", "Complex Reflection": "#00446B", "Open Question": "#00694F", "Closed Question": "#4B6B00",
    "Affirm": "#8A4B00", "Give Information": "#7A3B69", "Advise": "#A03A00", "General": "#50555C",
    "change": "#00694F", "sustain": "#A03A00", "neutral": "#50555C",
}  # fmt: skip


HANGUL = re.compile("[가-힣]")
BOLD = re.compile(r"\*\*([^*\n]+)\*\*")


def crisis_bar(language: str) -> str:
    """The quiet bar with the lines to call, on every tab."""
    return f'<aside class="kmi-crisis" role="note" aria-label="{escape(word("page.crisis_label", language))}">{word("page.crisis", language)}</aside>'


def notice(text: str) -> str:
    """A plain message about something that went wrong; nothing for no text."""
    return f'<p class="kmi-notice" role="alert">{escape(text)}</p>' if text else ""


def plain(text: str) -> str:
    """A message for the chat window, which reads HTML: shown as it was typed, but for **words** that fixed texts set in bold."""
    return BOLD.sub(r"<strong>\1</strong>", escape(text))


def plain_block(text: str, language: str = "") -> str:
    """A text of several lines, set apart; `language` where it is not the page's."""
    tongue = f' lang="{language}"' if language else ""
    return f'<p class="kmi-block"{tongue}>{plain(text)}</p>'


def curve(values: Sequence[float], title: str) -> str:
    """Shares (0-1) in order as a small line, with the last in words for those who cannot see it."""
    if not values:
        return ""
    step = 280 / max(1, len(values) - 1)
    points = [(10 + step * n, 70 - 60 * value) for n, value in enumerate(values)]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3"/>' for x, y in points)
    label = escape(f"{title}: {values[-1]:.2f}")
    return (
        f'<figure class="kmi-curve"><svg viewBox="0 0 300 80" role="img" aria-label="{label}"><path d="M10 10V70H290" class="kmi-axis"/>'
        f'<polyline points="{line}"/>{dots}</svg><figcaption>{label}</figcaption></figure>'
    )


def chip(label: str, language: str) -> str:
    """A code as a coloured name."""
    return f'<span class="kmi-chip" style="background:{COLOURS.get(label, "#50555C")}">{escape(label_name(label, language))}</span>' if label else ""


def bars(forecast: Sequence[Forecast], language: str, chosen: str = "") -> str:
    """The forecast as bars, the likeliest first."""
    rows = "".join(
        f'<tr{" class=kmi-chosen" if option.label == chosen else ""}><th scope="row">{escape(label_name(option.label, language))}</th>'
        f'<td><span class="kmi-bar" style="width:{100 * option.probability:.1f}%;background:{COLOURS[option.label]}"></span></td><td class="kmi-number">{option.probability:.2f}</td></tr>'
        for option in forecast
    )
    return f'<table class="kmi-bars"><caption>{escape(word("forecast.caption", language))}</caption>{rows}</table>' if rows else ""


def session(turns: Iterable[Utterance], language: str, texts: str = "ko") -> str:
    """A session to read: speaker, code, words. `texts` is "ko", "en" or "both"."""
    return f'<ol class="kmi-session">{"".join(_turn(turn, language, texts) for turn in turns)}</ol>'


def _turn(turn: Utterance, language: str, texts: str) -> str:
    both = {"ko": (turn.utterance_ko,), "en": (turn.utterance_en or turn.utterance_ko,), "both": (turn.utterance_ko, turn.utterance_en)}[texts]
    said = "".join(f'<p lang="{spoken_in(text)}">{escape(text)}</p>' for text in both if text)
    return f'<li class="kmi-turn kmi-{turn.role}"><span class="kmi-speaker">{escape(word(f"page.{turn.role}", language))}</span>{chip(turn.label or turn.talk or "", language)}{said}</li>'


def spoken_in(text: str) -> str:
    """The language of what was said, whatever the page's: screen readers choose their voice by it."""
    return "ko" if HANGUL.search(text) else "en"


def legend(language: str) -> str:
    """All codes with their colours."""
    return '<p class="kmi-legend">' + " ".join(chip(label, language) for label in (*THERAPIST, *TALK)) + "</p>"
