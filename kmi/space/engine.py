"""What all visitors share: forecaster, coder and writer, loaded once, and the loop that writers run in.

Which writer words the counsellor's replies is chosen by the environment: `KMI_SPACE_WRITER` ("retrieval" unless given; "chatbot",
"openai", "local"), `KMI_SPACE_BASE_URL` and `KMI_SPACE_MODEL`; the key of a server is `KMI_API_KEY`, as everywhere.

Not covered: a visitor's own session, which each tab keeps in the visitor's state.
"""

import asyncio
import logging
import threading
from collections.abc import Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from kmi.chatbot.guard import shared_guard
from kmi.coder import Coder
from kmi.forecaster import Forecaster
from kmi.writers import Writer, make_writer

log = logging.getLogger(__name__)


class Engine:
    """Models in memory, and one event loop for all that is asked of a writer: clients of a server belong to the loop they began in.

    Loading goes on in the background while the page is already up; who asks for a model before waits for it.
    """

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="writers", daemon=True).start()
        loader = ThreadPoolExecutor(1, "loading")
        self._forecaster, self._coder = loader.submit(Forecaster.from_pretrained), loader.submit(Coder.from_pretrained)
        loader.submit(shared_guard)
        asyncio.run_coroutine_threadsafe(writer.prepare(), self._loop).add_done_callback(_tell)

    @property
    def forecaster(self) -> Forecaster:
        """The shipped forecaster."""
        return self._forecaster.result()

    @property
    def coder(self) -> Coder:
        """The shipped coder."""
        return self._coder.result()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Does `work` in the writers' loop and waits for it; call it from a visitor's thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _tell(prepared: Future) -> None:
    """Visitors get a plain message when a writer cannot write; why stands in the log."""
    if prepared.exception():
        log.error("the writer is not ready: %s", prepared.exception())


def writer_from(environment: Mapping[str, str]) -> Writer:
    """The writer that the environment names."""
    name = environment.get("KMI_SPACE_WRITER") or "retrieval"
    model, url = environment.get("KMI_SPACE_MODEL"), environment.get("KMI_SPACE_BASE_URL")
    options = {"openai": {"base_url": url, "model": model}, "local": {"model_path": model}}.get(name, {})
    return make_writer(name, **{key: value for key, value in options.items() if value})
