"""The chatbot writer: kmi-chatbot, the dialogue model that comes with KMI, on this machine.

It draws several drafts under the wanted label and says the best of them (`kmi.dialogue_model.choice`). It reads no prompt, only what
was said, and plays therapist and client alike. What must be said in danger is not left to it (`kmi.writers.safety`).

Plan mode is not for it: it writes one turn at a time.
"""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmi.errors import ConfigError, WriterError
from kmi.writers.base import Completion, WriteRequest
from kmi.writers.safety import safety_turn

if TYPE_CHECKING:
    from kmi.coder.api import Coder
    from kmi.dialogue_model.model import DialogueModel

DRAFTS = 16


class ChatbotWriter:
    """Writes with the dialogue model at `model_path`, by default the one that comes with KMI; `drafts` are drawn for each turn."""

    name = "chatbot"
    concurrency = 1

    def __init__(self, model_path: str | Path | None = None, *, drafts: int = DRAFTS) -> None:
        if drafts < 1:
            raise ConfigError(f"Expected at least 1 draft, got {drafts}.")
        self.model_path, self.drafts = model_path, drafts
        self._turn = asyncio.Lock()
        self._loaded: tuple[DialogueModel, Coder] | None = None

    def describe(self) -> dict[str, Any]:
        """Checkpoint and number of drafts decide the answers."""
        return {"writer": self.name, "model": str(self.model_path or "kmi-chatbot"), "drafts": self.drafts}

    async def prepare(self) -> None:
        """Loads the model and the coder that reads its drafts."""
        async with self._turn:
            await asyncio.to_thread(self._load)

    async def write(self, request: WriteRequest) -> Completion:
        """The best of the drafts, without its code: the label of the request is it.

        Raises:
            WriterError: every draft was empty or did not come to an end.
            ConfigError: a whole session is asked for.
        """
        if request.cue.role == "session":
            raise ConfigError("The chatbot writer works turn by turn.", "Use --mode turn, or another --writer for --mode plan.")
        if request.cue.crisis and request.cue.role == "therapist":
            return Completion(safety_turn(request.cue, request.seed), model=self.name)
        async with self._turn:
            return await asyncio.to_thread(self._write, request)

    async def close(self) -> None:
        """Lets go of the model."""
        self._loaded = None

    def _load(self) -> "tuple[DialogueModel, Coder]":
        if self._loaded is None:
            from kmi.coder.api import Coder
            from kmi.dialogue_model.model import DialogueModel

            self._loaded = DialogueModel.from_pretrained(self.model_path), Coder.from_pretrained()
        return self._loaded

    def _write(self, request: WriteRequest) -> Completion:
        from kmi.dialogue_model import choice

        model, coder = self._load()
        cue = request.cue
        prompt = model.prompt(cue.said, cue.role, cue.kind, cue.context)
        drafts = model.drafts(prompt, self.drafts, request.seed)
        if not drafts:
            raise WriterError(f"Request {request.id}: all {self.drafts} drafts were empty or did not end.")
        said = choice.best(drafts, cue.role, cue.kind, cue.history, coder, choice.training_turns(), cue.context)
        return Completion(drafts[said], len(prompt), model=self.name)
