"""The dialogue model as the rest of KMI uses it: what was said in, drafts of the next turn out.

The bare model has no guard: what people read goes through `kmi.chatbot`. Not covered: which draft is said (`kmi.dialogue_model.choice`).
"""

from collections.abc import Sequence
from pathlib import Path

from kmi.checkpoints import checkpoint_source, load_with_tokenizer, shipped_checkpoint
from kmi.dialogue_model.format import hinted, prompt_messages

NAME = "kmi-chatbot"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
TRAIN_HINT = "Train one with: accelerate launch scripts/train_chatbot.py"
MAX_TOKENS = 96
TEMPERATURE = 0.8
TOP_P = 0.92
# What is read of a session: the last of it. More costs time and changes little.
WINDOW = 512


class DialogueModel:
    """Speaks as therapist or client; load one with `DialogueModel.from_pretrained()`."""

    def __init__(self, model, tokenizer) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path | None = None) -> "DialogueModel":
        """Loads a checkpoint.

        Args:
            name_or_path: a folder, a Hub repository, or "kmi-chatbot" (also the default) for the one that comes with KMI.
        """
        wanted = shipped_checkpoint(NAME) if name_or_path in (None, NAME) else name_or_path
        source = checkpoint_source(wanted, FILES, "dialogue model", TRAIN_HINT)
        return cls(*load_with_tokenizer("AutoModelForCausalLM", source, "dialogue model", TRAIN_HINT, use_safetensors=True))

    def prompt(self, said: Sequence[tuple[str, str]], role: str, kind: str, post: str = "") -> list[int]:
        """Token ids of what was said, the oldest left out beyond `WINDOW`, and of the opened turn; see `prompt_messages`."""
        while True:
            text = self.tokenizer.apply_chat_template(prompt_messages(said, role, kind, post), tokenize=False, continue_final_message=True)
            ids = self.tokenizer(text)["input_ids"]
            if len(ids) <= WINDOW or not said:
                return ids[-WINDOW:]
            said = said[1:]

    def hint(self, bones: str) -> list[int]:
        """Token ids of a hint (`kmi.dialogue_model.skeleton`)."""
        return self.tokenizer(hinted(bones))["input_ids"]

    def drafts(self, prompt: list[int], hints: Sequence[list[int]], seed: int, max_tokens: int = MAX_TOKENS) -> list[str]:
        """A draft of the turn that the prompt opens for each hint, `[]` for none, drawn from `seed`; empty ones and half ones are left out.

        Not for several threads at once.
        """
        import torch

        longest = max(map(len, hints))
        # The prompt is read once, the hints stand against its end: between them is what nobody looks at.
        rest = [[self.tokenizer.pad_token_id] * (longest - len(hint)) + prompt[-1:] + hint for hint in hints]
        ids = torch.tensor([prompt[:-1] + row for row in rest], device=self.model.device)
        seen = torch.tensor([[1] * (len(prompt) - 1) + [0] * (longest - len(hint)) + [1] * (1 + len(hint)) for hint in hints], device=self.model.device)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            cache = self.model(ids[:1, : len(prompt) - 1], use_cache=True).cache if len(prompt) > 1 else None
            if cache is not None:
                cache.batch_repeat_interleave(len(hints))
            found = self.model.generate(
                ids, cache=cache, attention_mask=seen, max_new_tokens=max_tokens, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P,
                top_k=None, eos_token_id=self.tokenizer.eos_token_id, pad_token_id=self.tokenizer.pad_token_id,
            )  # fmt: skip
        new = found[:, ids.shape[1] :].tolist()
        whole = (tokens for tokens in new if self.tokenizer.eos_token_id in tokens)
        texts = (self.tokenizer.decode(tokens[: tokens.index(self.tokenizer.eos_token_id)], skip_special_tokens=True).strip() for tokens in whole)
        return [text for text in texts if text]
