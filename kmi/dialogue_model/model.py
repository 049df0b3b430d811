"""The dialogue model as the rest of KMI uses it: what was said in, drafts of the next turn out.

The bare model has no guard: what people read goes through `kmi.chatbot`. Not covered: which draft is said (`kmi.dialogue_model.choice`).
"""

from collections.abc import Sequence
from pathlib import Path

from kmi.checkpoints import checkpoint_source, find_checkpoint, load_with_tokenizer
from kmi.dialogue_model.format import prompt_messages

NAME = "kmi-chatbot"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
TRAIN_HINT = "Train one with: accelerate launch scripts/train_chatbot.py"
MAX_TOKENS = 96
TEMPERATURE = 0.45
TOP_P = 0.9
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
            name_or_path: a folder, a Hub repository, or "kmi-chatbot" (also the default): see `kmi.checkpoints.find_checkpoint`.
        """
        wanted = find_checkpoint(NAME) if name_or_path in (None, NAME) else name_or_path
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

    def drafts(self, prompt: list[int], count: int, seed: int, max_tokens: int = MAX_TOKENS) -> list[str]:
        """`count` drafts of the turn that the prompt opens, drawn from `seed`; empty ones and half ones are left out.

        Not for several threads at once.
        """
        import torch

        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            ids = torch.tensor([prompt], device=self.model.device)
            # The prompt is read once and not once for each draft.
            cache = self.model(ids[:, :-1], use_cache=True).cache if len(prompt) > 1 else None
            if cache is not None:
                cache.batch_repeat_interleave(count)
            found = self.model.generate(
                ids.repeat(count, 1), cache=cache, attention_mask=torch.ones_like(ids).repeat(count, 1),
                max_new_tokens=max_tokens, do_sample=True, temperature=TEMPERATURE, top_p=TOP_P, top_k=None,
                eos_token_id=self.tokenizer.eos_token_id, pad_token_id=self.tokenizer.pad_token_id,
            )  # fmt: skip
        new = found[:, len(prompt) :].tolist()
        whole = (tokens for tokens in new if self.tokenizer.eos_token_id in tokens)
        texts = (self.tokenizer.decode(tokens[: tokens.index(self.tokenizer.eos_token_id)], skip_special_tokens=True).strip() for tokens in whole)
        return [text for text in texts if text]
