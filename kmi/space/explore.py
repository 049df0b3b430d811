"""Explore: find dialogues of the dataset by category, arc, ending, label or words, and read one.

Not covered: loading the dataset elsewhere (`kmi.corpus.load`).
"""

from functools import cache
from html import escape

import gradio as gr

from kmi.codes import ARCS, CATEGORIES, ENDINGS, SPLITS, THERAPIST, Code
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import Dialogue
from kmi.space.engine import Engine
from kmi.space.markup import legend, notice, session
from kmi.space.page import Page
from kmi.space.words import code_name, word

MOST = 100
"""Hits listed at once."""
READING = 60  # characters of a post in the list


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": lambda language: word("explore.intro", language, dialogues=len(dialogues()), turns=f"{sum(d.turns for d in dialogues()):,}")})
    with gr.Row():
        chosen = [
            page.make(gr.Dropdown, {"label": f"explore.{name}", "choices": lambda language, codes=codes: options(codes, language)}, value="", min_width=150, elem_id=f"explore-{name}")
            for name, codes in {"category": CATEGORIES, "arc": ARCS, "ending": ENDINGS, "label": THERAPIST}.items()
        ]
        words = page.make(gr.Textbox, {"label": "explore.words", "placeholder": "explore.words_hint"}, min_width=150, elem_id="explore-words")
    count = gr.HTML(elem_id="explore-count")
    hits = page.make(gr.Dropdown, {"label": "explore.hits"}, choices=[], elem_id="explore-hits")
    texts = page.make(gr.Radio, {"label": "explore.texts", "choices": lambda language: [(word(f"explore.{name}", language), name) for name in ("ko", "en", "both")]}, value="ko", elem_id="explore-texts")
    reading = gr.HTML(elem_id="explore-reading")

    filters = [*chosen, words, page.language]
    gr.on([part.change for part in filters], search, filters, [count, hits], api_name="explore", trigger_mode="always_last", show_progress="minimal")
    gr.on([hits.change, texts.change, page.language.change], read, [hits, texts, page.language], reading, api_name="read", show_progress="hidden")
    page.on_load(search, filters, [count, hits])


def search(category: str, arc: str, ending: str, label: str, words: str, language: str) -> tuple[str, dict]:
    """How many dialogues fit, and the list to choose from."""
    found = [d for d in dialogues() if fits(d, category, arc, ending, label, words)]
    if not found:
        return notice(word("explore.none", language)), gr.update(choices=[], value=None)
    told = word("explore.found" if len(found) <= MOST else "explore.found_many", language, count=len(found), shown=MOST)
    choices = [(f"{code_name(CATEGORIES[d.category], language)} · {d.context[:READING]}…", d.id) for d in found[:MOST]]
    return f"<p>{escape(told)}</p>", gr.update(choices=choices, value=choices[0][1])


def fits(dialogue: Dialogue, category: str, arc: str, ending: str, label: str, words: str) -> bool:
    """Whether a dialogue has all that is asked for; an empty wish is none."""
    wanted = (words or "").strip().lower()
    return (
        (not category or dialogue.category == category)
        and (not arc or dialogue.arc == arc)
        and (not ending or dialogue.ending == ending)
        and (not label or any(turn.label == label for turn in dialogue.utterances))
        and (not wanted or wanted in _searchable()[dialogue.id])
    )


def read(name: str | None, texts: str, language: str) -> str:
    """A dialogue to read: who came, the post, every turn with its code."""
    dialogue = _by_id().get(name or "")
    if dialogue is None:
        return ""
    filed = ((CATEGORIES, dialogue.category), (ARCS, dialogue.arc), (ENDINGS, dialogue.ending))
    about = [dialogue.id, dialogue.split, *(code_name(codes[value], language) for codes, value in filed if value in codes)]
    profile = " · ".join(part for part in (dialogue.profile.age_band, dialogue.profile.gender, dialogue.profile.occupation, dialogue.profile.target_behaviour) if part)
    head = f"<p>{escape(' · '.join(filter(None, about)))}</p><p lang='ko'>{escape(profile)}</p><blockquote lang='ko'>{escape(dialogue.context)}</blockquote>"
    return head + legend(language) + session(dialogue.utterances, language, texts)


def options(codes: dict[str, Code], language: str) -> list[tuple[str, str]]:
    """What a filter offers, "all" first."""
    return [(word("explore.all", language), ""), *((code_name(code, language), name) for name, code in codes.items())]


@cache
def dialogues() -> tuple[Dialogue, ...]:
    """The whole dataset."""
    return tuple(dialogue for split in SPLITS for dialogue in shipped_dialogues(split))


@cache
def _by_id() -> dict[str, Dialogue]:
    return {dialogue.id: dialogue for dialogue in dialogues()}


@cache
def _searchable() -> dict[str, str]:
    """All words of each dialogue in small letters."""
    return {d.id: "\n".join([d.context, *(f"{turn.utterance_ko}\n{turn.utterance_en}" for turn in d.utterances)]).lower() for d in dialogues()}
