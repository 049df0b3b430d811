"""The Space's engine with the shipped forecaster and coder and a writer over a few sessions; the Space itself, served and in Chromium."""

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from itertools import islice

import pytest
from pages import CHROMIUM, DESKTOP, PATIENCE

from kmi.codes import QUESTIONS, REFLECTIONS
from kmi.corpus.annomi import COLUMNS
from kmi.corpus.load import shipped_dialogues
from kmi.space.engine import Engine
from kmi.writers.retrieval import RetrievalWriter

# The server as it is started, kept from every address but this machine's.
LOOPBACK_ONLY = """
    import runpy, socket, sys

    connect = socket.socket.connect
    def guarded(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise ConnectionError(f"a connection to {address}")
        return connect(self, address)
    socket.socket.connect = guarded
    runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="session")
def engine():
    return Engine(RetrievalWriter(list(islice(shipped_dialogues("train"), 40))))


@pytest.fixture(scope="session")
def transcripts(tmp_path_factory, repository):
    """The same few sessions in every format that the page takes."""
    folder = tmp_path_factory.mktemp("transcripts")
    dialogues = list(islice(shipped_dialogues("test"), 3))
    records = [dialogue.to_dict() for dialogue in dialogues]
    reference = [{"id": r["id"], "category": r["category"], "context": r["context"], "turns": r["turns"], "dialogue": [{"role": t["role"], "utterance_ko": t["utterance_ko"], "label": t["label"] or t["talk"]} for t in r["dialogue"]]} for r in records]
    texts = {
        "jsonl": "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records),
        "json": json.dumps(reference, ensure_ascii=False),
        "txt": "\n".join(f"{'상담자' if turn.role == 'therapist' else '내담자'}: {turn.text}" for turn in dialogues[0].utterances),
        "csv": annomi_table(dialogues),
    }
    paths = {kind: folder / f"sessions.{kind}" for kind in (*texts, "parquet")}
    for kind, text in texts.items():
        paths[kind].write_text(text, encoding="utf-8")
    shutil.copy(next((repository / "loading_script/data/dialogues").glob("validation-*.parquet")), paths["parquet"])
    return {kind: str(path) for kind, path in paths.items()}


def annomi_table(dialogues):
    """Sessions as rows of AnnoMI's table, written for the purpose: its own text is never in the repository."""
    file = io.StringIO()
    rows = csv.DictWriter(file, COLUMNS, restval="n/a")
    rows.writeheader()
    for number, dialogue in enumerate(dialogues):
        for place, turn in enumerate(dialogue.utterances):
            row = {"mi_quality": "high", "transcript_id": number, "topic": "drinking", "utterance_id": place, "interlocutor": turn.role, "utterance_text": turn.utterance_en, "annotator_id": 1}
            if turn.role == "client":
                row["client_talk_type"] = turn.talk
            elif turn.label in QUESTIONS:
                row |= {"main_therapist_behaviour": "question", "question_subtype": turn.label.split()[0].lower()}
            elif turn.label in REFLECTIONS:
                row |= {"main_therapist_behaviour": "reflection", "reflection_subtype": turn.label.split()[0].lower()}
            else:
                row["main_therapist_behaviour"] = "other"
            rows.writerow(row)
    return file.getvalue()


@pytest.fixture(scope="session")
def address(repository, tmp_path_factory):
    """Address of a running Space."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("space") / "log.txt"
    environment = {**os.environ, "GRADIO_SERVER_PORT": str(port), "GRADIO_SERVER_NAME": "127.0.0.1"}
    with log.open("w") as file:
        server = subprocess.Popen([sys.executable, "-c", textwrap.dedent(LOOPBACK_ONLY), str(repository / "spaces/kmi/app.py")], stdout=file, stderr=file, env=environment)
    url = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(100):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(url, timeout=5)
                break
            except OSError:
                time.sleep(1)
        yield url
    finally:
        server.terminate()
        server.wait(20)
    assert "a connection to" not in log.read_text()


# Of one file: while it runs, Playwright keeps an event loop in this thread, in which other tests could not start theirs.
@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install -e .[dev]")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, address):
    """Opens the page at a size; fails if it asked anybody else for anything."""
    opened, asked = [], []

    def run(size=DESKTOP, query=""):
        page = browser.new_page(viewport=size)
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address + query)
        page.wait_for_selector("#chat-message textarea")
        opened.append(page)
        return page

    yield run
    for page in opened:
        page.close()
    assert asked and not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
