"""The page: title, language, crisis bar and the tabs.

    launch(build(Engine(writer_from(os.environ))))
"""

import json
from pathlib import Path

import gradio as gr

from kmi.space import about, analyse, chat, explore, forecast, practise, simulate
from kmi.space.downloads import KEPT
from kmi.space.engine import Engine
from kmi.space.markup import crisis_bar
from kmi.space.page import Page
from kmi.space.words import LANGUAGES, word

HERE = Path(__file__).parent
TABS = {"chat": chat, "practise": practise, "forecast": forecast, "analyse": analyse, "explore": explore, "simulate": simulate, "about": about}
LARGEST_FILE = "20mb"
SWEEP = 600  # seconds between two looks for what visitors sent or took, to be deleted after `KEPT`
# White on this green has a contrast of 6.7.
THEME = gr.themes.Default(primary_hue="teal", font=["system-ui"], font_mono=["monospace"]).set(
    button_primary_background_fill="#00694F", button_primary_background_fill_hover="#00543F", button_primary_text_color="#FFFFFF",
    button_primary_background_fill_dark="#00694F", button_primary_background_fill_hover_dark="#00543F",
    input_placeholder_color="#5F6672", input_placeholder_color_dark="#A5ACB8", body_text_color_subdued="#5F6672", body_text_color_subdued_dark="#A5ACB8",
)  # fmt: skip


def build(engine: Engine) -> gr.Blocks:
    """Lays out the whole page."""
    with gr.Blocks(title=word("page.title", "ko"), analytics_enabled=False, delete_cache=(SWEEP, KEPT)) as blocks:
        with gr.Row(elem_id="head"):
            title = gr.HTML()
            page = Page()
        bar = gr.HTML(crisis_bar("ko"), elem_id="crisis")
        # All seven in sight on a phone too: a menu hid four of them.
        with gr.Tabs(overflow_behavior="wrap"):
            for name, tab in TABS.items():
                with page.make(gr.Tab, {"label": f"{name}.tab"}, id=name):
                    tab.build(page, engine)
        page.on_load(lambda language: (f"<h1>{word('page.title', language)}</h1>", crisis_bar(language)), [page.language], [title, bar])
        page.connect(blocks)
    return blocks


def launch(blocks: gr.Blocks, **settings) -> None:
    """Serves the page; errors are shown as plain messages, never with a path of the server."""
    blocks.queue(default_concurrency_limit=4).launch(
        css_paths=[HERE / "style.css"], head=head(), theme=THEME, max_file_size=LARGEST_FILE,
        share=False, show_error=False, footer_links=[], **settings,
    )  # fmt: skip


def head() -> str:
    """The page's own script, with the words it needs."""
    said = {
        language: {"title": word("page.title", language), "queue": word("page.queue", language, place="{place}", size="{size}"), "working": word("page.working", language)}
        for language in LANGUAGES
    }
    return f"<script>const SAID = {json.dumps(said, ensure_ascii=False)};\n{(HERE / 'browser.js').read_text(encoding='utf-8')}</script>"
