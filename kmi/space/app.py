"""The page: title, language, crisis bar and the tabs.

    launch(build(Engine(writer_from(os.environ))))
"""

from pathlib import Path

import gradio as gr

from kmi.space import about, analyse, chat, explore, forecast, practise, simulate
from kmi.space.downloads import KEPT
from kmi.space.engine import Engine
from kmi.space.markup import crisis_bar
from kmi.space.page import Page
from kmi.space.words import word

HERE = Path(__file__).parent
TABS = {"chat": chat, "practise": practise, "forecast": forecast, "analyse": analyse, "explore": explore, "simulate": simulate, "about": about}
LARGEST_FILE = "20mb"
SWEEP = 600  # seconds between two looks for what visitors sent or took, to be deleted after `KEPT`
# White on this green has a contrast of 6.7.
THEME = gr.themes.Default(primary_hue="teal", font=["system-ui"], font_mono=["monospace"]).set(
    button_primary_background_fill="#00694F", button_primary_background_fill_hover="#00543F", button_primary_text_color="#FFFFFF",
    button_primary_background_fill_dark="#00694F", button_primary_background_fill_hover_dark="#00543F",
)  # fmt: skip
# Enter that ends a syllable under composition is no Enter: caught before the text box sees it.
COMPOSITION = "<script>document.addEventListener('keydown', (e) => { if (e.key === 'Enter' && (e.isComposing || e.keyCode === 229)) e.stopImmediatePropagation(); }, true); document.documentElement.lang = 'ko';</script>"


def build(engine: Engine) -> gr.Blocks:
    """Lays out the whole page."""
    with gr.Blocks(title=word("page.title", "ko"), analytics_enabled=False, delete_cache=(SWEEP, KEPT)) as blocks:
        with gr.Row(elem_id="head"):
            title = gr.HTML()
            page = Page()
        bar = gr.HTML(crisis_bar("ko"), elem_id="crisis")
        for name, tab in TABS.items():
            with page.make(gr.Tab, {"label": f"{name}.tab"}, id=name):
                tab.build(page, engine)
        page.on_load(lambda language: (f"<h1>{word('page.title', language)}</h1>", crisis_bar(language)), [page.language], [title, bar])
        page.connect(blocks)
    return blocks


def launch(blocks: gr.Blocks, **settings) -> None:
    """Serves the page; errors are shown as plain messages, never with a path of the server."""
    blocks.queue(default_concurrency_limit=4).launch(
        css_paths=[HERE / "style.css"], head=COMPOSITION, theme=THEME, max_file_size=LARGEST_FILE,
        share=False, show_error=False, footer_links=[], **settings,
    )  # fmt: skip
