"""About: what this is, how it works, what it cannot do, where help is, how to cite it."""

import gradio as gr

from kmi.space.engine import Engine
from kmi.space.page import Page


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab."""
    page.make(gr.Markdown, {"value": "about.text"}, elem_id="about-text")
