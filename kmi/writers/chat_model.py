"""A causal language model with a chat template, in this process: messages in, answers out, in batches.

Every row draws from its own seed, so its answer does not depend on its neighbours,
except where rounding (about 1e-6 in float32, more in bfloat16) tips a choice. Of the
model's own generation settings top_k, top_p, the repetition penalty and the end tokens
count; the temperature is the row's.

Not covered: models larger than one device, quantisation, fetching from the network, and
who asks when (`kmi.writers.local`).
"""

import os
import threading
from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kmi.errors import MissingExtra, WriterError, WriterUnavailable

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Row:
    """One prompt as token ids, and how to go on from it; temperature 0 takes the likeliest tokens."""

    prompt: list[int]
    max_tokens: int
    temperature: float
    seed: int


class ChatModel:
    """Loads at once; raises `WriterUnavailable` where there is no usable chat model.

    Args:
        path: folder with safetensors, or the Hub name of a model in the Hugging Face cache.
        device: as torch calls it; None leaves the choice to Accelerate.
        dtype: "float32", "bfloat16", ...; None takes float32 on CPU, where halves are
            slower, and the model's own elsewhere.
    """

    def __init__(self, path: str, device: str | None = None, dtype: str | None = None) -> None:
        # Two OpenMP threads that spin beside any other busy process run 20 times slower; read when torch is loaded.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        try:
            from accelerate import PartialState
            from accelerate.utils import parse_flag_from_env
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise MissingExtra("The writer 'local'", error.name or "torch", "generate") from None

        self.path = path
        # Like Accelerator, and unlike PartialState alone, heed the launcher's wish for the CPU; a state that exists is shared.
        device = device or str(PartialState(cpu=parse_flag_from_env("ACCELERATE_USE_CPU")).device)
        # "cpu:0" among several processes
        dtype = dtype or ("float32" if device.startswith("cpu") else "auto")
        source = {"pretrained_model_name_or_path": path, "local_files_only": True}
        try:
            self.tokenizer = AutoTokenizer.from_pretrained(**source)
            self.model = AutoModelForCausalLM.from_pretrained(**source, dtype=dtype, use_safetensors=True)
            self.model = self.model.to(device).eval()
        except (OSError, ValueError, RuntimeError) as error:
            raise self._unusable(error) from None
        self._try_template()
        self._read_generation_settings()

    def encode(self, messages: list[dict[str, str]], max_tokens: int) -> list[int]:
        """Token ids of the prompt; `WriterError` where the template or the model's length refuses it.

        Not for several threads at once.
        """
        from jinja2 import TemplateError

        try:
            # Templates of reasoning models read the last argument, the others ignore it.
            prompt = self.tokenizer.apply_chat_template(
                messages, add_generation_prompt=True, return_dict=True, enable_thinking=False
            )["input_ids"]
        except TemplateError as error:
            raise WriterError(f"the model's chat template refuses the messages: {error}.") from None
        room = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        if room and len(prompt) + max_tokens > room:
            needed = f"{len(prompt)} prompt tokens and {max_tokens} for the answer"
            raise WriterError(f"{needed} do not fit into the model's {room}.")
        return prompt

    def decode(self, tokens: list[int]) -> str:
        """Text of token ids, without special tokens. Not for several threads at once."""
        return self.tokenizer.decode(tokens, skip_special_tokens=True)

    def generate(self, rows: list[Row], stop: threading.Event) -> list[list[int] | WriterError]:
        """New token ids of each row, without end tokens; an error where the device cannot hold even the row alone.

        A batch that is too large is halved. Setting `stop` ends it at the next token with `WriterError`.
        """
        import torch

        if not rows:
            return []
        try:
            return self._generate(rows, stop)
        except torch.OutOfMemoryError:
            if len(rows) == 1:
                return [WriterError("the device has too little memory for this request alone.")]
        torch.cuda.empty_cache()
        middle = len(rows) // 2
        return self.generate(rows[:middle], stop) + self.generate(rows[middle:], stop)

    def _generate(self, rows: list[Row], stop: threading.Event) -> list[list[int] | WriterError]:
        import torch

        width = max(len(row.prompt) for row in rows)
        ids = torch.full((len(rows), width), self._settings.pad_token_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        for line, row in enumerate(rows):
            ids[line, width - len(row.prompt) :] = torch.tensor(row.prompt)
            mask[line, width - len(row.prompt) :] = 1
        device, settings = self.model.device, copy(self._settings)
        settings.max_new_tokens = max(row.max_tokens for row in rows)
        with torch.inference_mode():
            output = self.model.generate(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                generation_config=settings,
                logits_processor=[_SeededDraw(rows, width, self._top_k, self._top_p, device, stop)],
            )
        return [self._cut(new[: row.max_tokens]) for row, new in zip(rows, output[:, width:].tolist(), strict=True)]

    def _cut(self, tokens: list[int]) -> list[int]:
        end = next((place for place, token in enumerate(tokens) if token in self._ends), len(tokens))
        return tokens[:end]

    def _try_template(self) -> None:
        if not self.tokenizer.chat_template:
            problem = f"The model at {self.path!r} has no chat template."
            raise WriterUnavailable(problem, "Choose an instruction-tuned model with --model.")
        try:
            self.encode([{"role": "system", "content": "상담"}, {"role": "user", "content": "안녕하세요"}], 1)
        except WriterError as error:
            problem = f"The model at {self.path!r} cannot be used: {error.problem}"
            raise WriterUnavailable(problem, "Choose another with --model.") from None

    def _read_generation_settings(self) -> None:
        """Takes over the model's settings, except sampling, which `_SeededDraw` does."""
        settings = deepcopy(self.model.generation_config)
        self._top_k, self._top_p = settings.top_k, settings.top_p
        ends = settings.eos_token_id if settings.eos_token_id is not None else self.tokenizer.eos_token_id
        self._ends = set(ends if isinstance(ends, list) else [] if ends is None else [ends])
        settings.update(do_sample=False, temperature=None, top_k=None, top_p=None, max_length=None)
        settings.eos_token_id = sorted(self._ends) or None
        # Padding is masked on the left and cut off on the right, so any id serves.
        settings.pad_token_id = min(self._ends, default=0)
        self._settings = settings

    def _unusable(self, error: Exception) -> WriterUnavailable:
        reason = " ".join(str(error).split())[:200]
        if not Path(self.path).is_dir():
            reason = "there is no such folder, and no such model in the Hugging Face cache"
        return WriterUnavailable(
            f"Expected a causal language model at {self.path!r}, but: {reason}.",
            "Check --model, or fetch one first: hf download MODEL --local-dir FOLDER",
        )


class _SeededDraw:
    """A logits processor that draws each row's token from the row's own random numbers.

    One uniform number a token and row, prepared on the CPU and so the same on every
    device, is looked up in the cumulated probabilities; greedy search then takes the one
    token left. Rows with temperature 0 pass through.
    """

    def __init__(
        self, rows: list[Row], width: int, top_k: int | None, top_p: float | None, device: Any, stop: threading.Event
    ) -> None:
        import torch
        from transformers import TopKLogitsWarper, TopPLogitsWarper

        self.width, self.stop = width, stop
        self.warpers = [TopKLogitsWarper(top_k)] if top_k else []
        self.warpers += [TopPLogitsWarper(top_p)] if top_p and top_p < 1 else []
        temperature = torch.tensor([float(row.temperature) for row in rows])
        self.drawn = (temperature > 0).to(device)
        self.temperature = torch.where(temperature > 0, temperature, 1.0).to(device)
        steps = max(row.max_tokens for row in rows)
        generators = [torch.Generator().manual_seed(row.seed) for row in rows]
        self.uniform = torch.stack([torch.rand(steps, generator=generator) for generator in generators]).to(device)

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        import torch

        if self.stop.is_set():
            raise WriterError("the writer was closed.")
        warped = scores / self.temperature[:, None]
        for warper in self.warpers:
            warped = warper(input_ids, warped)
        cumulated = warped.softmax(-1).cumsum(-1)
        step = input_ids.shape[1] - self.width
        point = self.uniform[:, step, None] * cumulated[:, -1:]
        token = torch.searchsorted(cumulated, point, right=True).clamp(max=scores.shape[1] - 1)
        only = torch.full_like(scores, float("-inf")).scatter(1, token, 0.0)
        return torch.where(self.drawn[:, None], only, scores)
