"""Writes with a language model on this machine, batching across sessions.

Whatever requests wait when the sessions have nothing else to do become one batch of
similar lengths, generated in a thread while the event loop goes on. Under `accelerate
launch` every process holds a copy of the model on its own device and works on its own
sessions.

A request's answer follows from its seed and hardly depends on its batch (see
`kmi.writers.chat_model`); what makes a resumed run exact is the ledger.

Not covered: serving at scale. On a GPU serve the model and use the openai writer.
"""

import asyncio
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmi.errors import ConfigError, WriterError
from kmi.writers.base import Completion, WriteRequest, answer_text

if TYPE_CHECKING:
    from kmi.writers.chat_model import ChatModel, Row

# How long the event loop must bring no new request before a batch starts unfilled.
SETTLE_SEC = 0.01
EMPTY_RETRIES = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    row: "Row"
    answer: "asyncio.Future[list[int]]"  # new token ids


class LocalWriter:
    """Generates with the model at `model_path`.

    Args:
        model_path: folder of a chat model (safetensors), or the Hub name of one that is
            already in the Hugging Face cache.
        batch_size: most requests generated at once.
        device: as torch calls it ("cpu", "cuda:0", "mps"); None leaves the choice to Accelerate.
        dtype: "float32", "bfloat16", ...; None takes float32 on CPU, the model's own elsewhere.
    """

    name = "local"

    def __init__(
        self, model_path: str | Path, *, batch_size: int = 16, device: str | None = None, dtype: str | None = None
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f"Expected a batch_size of at least 1, got {batch_size}.")
        self.model_path, self.batch_size, self.device, self.dtype = str(model_path), batch_size, device, dtype
        # While one half is generated, the other half's sessions prepare their next requests.
        self.concurrency = 2 * batch_size
        self._chat_model: ChatModel | None = None
        self._loading = asyncio.Lock()
        self._waiting: list[_Job] = []
        self._worker: asyncio.Task | None = None
        self._stop = threading.Event()

    def describe(self) -> dict[str, Any]:
        """Model and number format; batch size and device do not decide the answers."""
        return {"writer": self.name, "model": self.model_path, "dtype": self.dtype}

    async def prepare(self) -> None:
        """Loads the model and tries its chat template."""
        await self._model()

    async def write(self, request: WriteRequest) -> Completion:
        """Answers one request; an empty answer is drawn again with the next seed."""
        from kmi.writers.chat_model import Row

        model = await self._model()
        try:
            # Tokenizers are not made for several threads: this one is used on the event loop only.
            prompt = model.encode(list(request.messages), request.max_tokens)
            for attempt in range(EMPTY_RETRIES + 1 if request.temperature > 0 else 1):
                tokens = await self._enqueue(Row(prompt, request.max_tokens, request.temperature, request.seed + attempt))
                text = answer_text(model.decode(tokens))
                if text:
                    return Completion(text, len(prompt), len(tokens), Path(self.model_path).name)
        except WriterError as error:
            raise WriterError(f"Request {request.id}: {error.problem}", error.next_step) from None
        raise WriterError(f"Request {request.id}: the model wrote nothing, or only reasoning up to its token limit.")

    async def close(self) -> None:
        """Stops a running batch at its next token and lets go of the model."""
        self._stop.set()
        if self._worker:
            await asyncio.gather(self._worker, return_exceptions=True)
        self._chat_model = None

    async def _model(self) -> "ChatModel":
        async with self._loading:
            if self._chat_model is None:
                from kmi.writers.chat_model import ChatModel

                self._chat_model = await asyncio.to_thread(ChatModel, self.model_path, self.device, self.dtype)
            return self._chat_model

    async def _enqueue(self, row: "Row") -> list[int]:
        job = _Job(row, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await job.answer

    async def _work(self) -> None:
        """Generates batch after batch until nothing waits."""
        model = await self._model()
        while self._waiting:
            await self._settle()
            batch = self._take()
            try:
                answers = await asyncio.to_thread(model.generate, [job.row for job in batch], self._stop)
            except Exception as error:
                # Whatever went wrong belongs to those who asked; a session given up no longer asks.
                answers = [error] * len(batch)
            for job, answer in zip(batch, answers, strict=True):
                if job.answer.done():
                    continue
                if isinstance(answer, Exception):
                    job.answer.set_exception(answer)
                else:
                    job.answer.set_result(answer)

    async def _settle(self) -> None:
        """Waits until a batch is full or the sessions bring nothing more for the moment."""
        before = -1
        while before < len(self._waiting) < self.batch_size:
            before = len(self._waiting)
            await asyncio.sleep(SETTLE_SEC)

    def _take(self) -> list[_Job]:
        """The job that waits longest and those nearest to it in length: little padding, and nobody starves."""
        waiting = [job for job in self._waiting if not job.answer.done()]
        if not waiting:
            self._waiting = []
            return []
        by_length = sorted(waiting, key=lambda job: len(job.row.prompt))
        start = by_length.index(waiting[0]) - self.batch_size // 2
        start = max(0, min(start, len(by_length) - self.batch_size))
        batch = by_length[start : start + self.batch_size]
        self._waiting = [job for job in waiting if job not in batch]
        return batch
