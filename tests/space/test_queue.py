"""A visitor who has to wait sees the place in the queue, in words of the page's language."""

import asyncio
import threading
import time

import pytest
from pages import IN_BROWSER, PATIENCE, PHONE, in_english, keep, send

from kmi.space.app import build, launch
from kmi.space.chat import AT_ONCE
from kmi.space.engine import Engine
from kmi.writers import Completion

gradio_client = pytest.importorskip("gradio_client")
Status = gradio_client.utils.Status
pytestmark = IN_BROWSER
BEFORE = 2
"""Visitors who wait already."""


class Patient:
    """Writes nothing before it is let go."""

    name, concurrency = "patient", AT_ONCE

    def __init__(self):
        self.go = threading.Event()

    async def prepare(self):
        """Nothing to prepare."""

    async def close(self):
        """Nothing to close."""

    async def write(self, request):
        while not self.go.is_set():
            await asyncio.sleep(0.05)
        return Completion("T SR | 끊고 싶은 마음이 드시는군요.")


@pytest.fixture
def busy():
    """Address of a Space whose writer is at work for others, and what lets it go."""
    writer = Patient()
    blocks = build(Engine(writer))
    launch(blocks, prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    visitors = [gradio_client.Client(blocks.local_url, verbose=False) for _ in range(AT_ONCE + BEFORE)]
    jobs = [visitor.submit("담배 얘기예요.", [], "ko", api_name="/chat") for visitor in visitors]
    while any(job.status().code is Status.STARTING for job in jobs):  # until all of them stand in the queue
        time.sleep(0.1)
    yield blocks.local_url, writer
    writer.go.set()
    for job in jobs:
        job.result(timeout=60)
    blocks.close()


@pytest.mark.parametrize(("language", "place", "size"), [("ko", "대기 순서 3번째, 기다리는 사람 3명", PHONE), ("en", "Place 3 of 3 in the queue", {"width": 1280, "height": 900})])
def test_who_waits_sees_the_place_in_the_queue(browser, busy, language, place, size):
    url, writer = busy
    page = browser.new_page(viewport=size)
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#chat-message textarea")
    if language == "en":
        in_english(page)
    send(page, "담배를 끊고 싶어요")
    told = page.locator("#chat-window").get_by_text(place)
    told.wait_for()
    # To be read: in sight, in the window's box, as large as the page's words, and nothing of it left in Gradio's own.
    box, window = told.bounding_box(), page.locator("#chat-window").bounding_box()
    assert window["x"] <= box["x"] and box["x"] + box["width"] <= window["x"] + window["width"] and box["y"] + box["height"] <= window["y"] + window["height"]
    assert told.evaluate("(it) => parseFloat(getComputedStyle(it).fontSize)") >= 13
    assert "queue:" not in page.inner_text("body")
    keep(page, f"queue-{language}-{size['width']}")
    writer.go.set()
    page.get_by_text("끊고 싶은 마음이 드시는군요.").wait_for()
    assert not page.get_by_text(place).is_visible()
    page.close()
