"""Analyse: a transcript, uploaded or pasted, is coded where it has no codes and reported: fidelity, change talk, sequences, plots.

Not covered: formats (`kmi.corpus.readers`), figures (`kmi.metrics.report`), their tables and plots (`kmi.space.figures`).
"""

import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import gradio as gr

from kmi.corpus.readers import read_dialogues
from kmi.dialogue import Dialogue
from kmi.errors import DataError, KmiError
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import Report, as_json, report
from kmi.metrics.scores import Resampling
from kmi.space.downloads import download
from kmi.space.engine import Engine
from kmi.space.figures import plots, tables
from kmi.space.markup import notice
from kmi.space.page import Page
from kmi.space.words import word

MOST_DIALOGUES = 2000
LONGEST = 2_000_000  # characters pasted
RESAMPLES = 500
KINDS = [".jsonl", ".json", ".csv", ".txt", ".parquet"]


def build(page: Page, engine: Engine) -> None:
    """Lays out the tab and says what happens."""
    page.make(gr.Markdown, {"value": "analyse.intro"})
    with gr.Row():
        file = page.make(gr.File, {"label": "analyse.file"}, file_types=KINDS, elem_id="analyse-file", height=130)
        text = page.make(gr.Textbox, {"label": "analyse.text", "placeholder": "analyse.text_hint"}, lines=5, max_lines=12, elem_id="analyse-text")
    go = page.make(gr.Button, {"value": "analyse.go"}, variant="primary", elem_id="analyse-go")
    told = gr.HTML(elem_id="analyse-told")
    with gr.Column():
        # Shown, a label would lie on the title drawn in the plot.
        drawn = [page.make(gr.Plot, {"label": f"analyse.{name}"}, show_label=False, visible=False, elem_id=f"analyse-{name}", elem_classes="kmi-plot") for name in ("fidelity", "talk", "sequences")]
    figures = gr.HTML(elem_id="analyse-figures", elem_classes="kmi-report")
    save = page.make(gr.DownloadButton, {"label": "analyse.save"}, visible=False, elem_id="analyse-save")

    def analyse(path: str | None, typed: str, language: str, progress: gr.Progress = gr.Progress()) -> tuple:  # noqa: B008 (gradio finds it by its default)
        return measure(engine, path, typed, language, progress)

    go.click(analyse, [file, text, page.language], [told, *drawn, figures, save], api_name="analyse", concurrency_limit=1)


def measure(engine: Engine, path: str | None, typed: str, language: str, progress=lambda share, desc: None) -> tuple:
    """What the page shows of a transcript: message, three plots, figures, file to download."""
    try:
        progress(0.1, desc=word("analyse.reading", language))
        dialogues = list(islice(given(path, typed, language), MOST_DIALOGUES))
        coded_before = sum(1 for d in dialogues for turn in d.utterances if turn.label or turn.talk)
        progress(0.3, desc=word("analyse.coding", language))
        coded = list(engine.coder.code_dialogues(dialogues))
        progress(0.7, desc=word("analyse.counting", language))
        found = report(from_dialogues(coded), Resampling(RESAMPLES))
    except KmiError as error:
        return notice(told_without_path(error, path)), *[gr.update(visible=False)] * 3, "", gr.update(visible=False)
    drawn = [gr.update(value=plot, visible=True) for plot in plots(found, language)]
    turns = sum(d.turns for d in dialogues)
    told = word("analyse.done" if coded_before == turns else "analyse.done_coded", language, dialogues=len(dialogues), turns=turns, coded=turns - coded_before)
    return f"<p>{told}</p>", *drawn, tables(found, language), gr.update(value=saved(found), visible=True)


def given(path: str | None, typed: str, language: str) -> Iterator[Dialogue]:
    """The dialogues of the file, or of the text where there is no file."""
    if path:
        yield from read_dialogues(path)
    elif typed and typed.strip():
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "text.txt"
            file.write_text(typed[:LONGEST], encoding="utf-8", errors="replace")
            yield from read_dialogues(file)
    else:
        raise DataError(word("analyse.nothing", language))


def told_without_path(error: KmiError, path: str | None) -> str:
    """What went wrong, the server's path of the file left out."""
    text = str(error)
    for folder in (str(Path(path).parent), tempfile.gettempdir()) if path else (tempfile.gettempdir(),):
        text = text.replace(f"{folder}/", "")
    return text


def saved(found: Report) -> str:
    """The report as a file."""
    return download("kmi-report.json", as_json(found))
