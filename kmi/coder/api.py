"""The coder as the rest of KMI uses it: turns in, codes with probabilities out.

Torch is imported when a checkpoint is loaded, not before. Not covered: training (`kmi.coder.training`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kmi.checkpoints import checkpoint_source, find_checkpoint, load_with_tokenizer
from kmi.coder.text import COLUMNS, LABELS, pair_of
from kmi.coder.tokenizer import MAX_TOKENS
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed

NAME = "kmi-coder"
FILES = ("config.json", "model.safetensors", "tokenizer.json")
TRAIN_HINT = "Train one with: accelerate launch scripts/train_coder.py"
BATCH = 64


@dataclass(frozen=True, slots=True)
class CodedTurn:
    """A turn's code: for a therapist one of the 8 labels, for a client a talk type; `probability` 0-1, calibrated."""

    role: str
    label: str
    probability: float
    probabilities: dict[str, float]


class Coder:
    """Codes turns from their words; load one with `Coder.from_pretrained()`."""

    def __init__(self, model, tokenizer) -> None:
        self.model, self.tokenizer = model.eval(), tokenizer

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path | None = None) -> "Coder":
        """Loads a checkpoint.

        Args:
            name_or_path: a folder, a Hub repository, or "kmi-coder" (also the default): see `kmi.checkpoints.find_checkpoint`.
        """
        wanted = find_checkpoint(NAME) if name_or_path in (None, NAME) else name_or_path
        source = checkpoint_source(wanted, FILES, "coder", TRAIN_HINT)
        return cls(*load_with_tokenizer("AutoModelForSequenceClassification", source, "coder", TRAIN_HINT))

    def code_turns(self, turns: Sequence[tuple[str, str]]) -> list[CodedTurn]:
        """Codes one dialogue's turns, given as (role, text) in order."""
        return self._coded([(role, text, turns[i - 1][1] if i else "") for i, (role, text) in enumerate(turns)])

    def code_dialogues(self, dialogues: Iterable[Dialogue]) -> Iterator[Dialogue]:
        """Yields the dialogues with `label` and `talk` filled in where they are missing; given codes stay."""
        for dialogue in dialogues:
            coded = self.code_turns([(turn.role, turn.text) for turn in dialogue.utterances])
            turns = [
                replace(turn, label=turn.label or found.label) if turn.role == "therapist" else replace(turn, talk=turn.talk or found.label)
                for turn, found in zip(dialogue.utterances, coded, strict=True)
            ]
            yield replace(dialogue, utterances=tuple(turns))

    def probabilities(self, turns: Sequence[tuple[str, str, str]]) -> np.ndarray:
        """Probabilities [n, 11] in the order of `LABELS`, 0 for the other speaker's; turns are (role, text, turn before)."""
        import torch

        for i, (role, text, _) in enumerate(turns):
            if role not in COLUMNS:
                raise DataError(f"turn {i}: role is {role!r}; allowed are {allowed(COLUMNS)}.")
            if not text.strip():
                raise DataError(f"turn {i} ({role}): the text is empty; there is nothing to code.")
        found = np.zeros((len(turns), len(LABELS)))
        # Like lengths together: padding is what costs.
        order = sorted(range(len(turns)), key=lambda i: len(turns[i][1]) + len(turns[i][2]))
        with torch.inference_mode():
            for start in range(0, len(order), BATCH):
                rows = order[start : start + BATCH]
                texts, before = zip(*(pair_of(*turns[i]) for i in rows), strict=True)
                batch = self.tokenizer(list(texts), list(before), truncation=True, max_length=MAX_TOKENS, padding=True, return_tensors="pt")
                found[rows] = self.model(**batch).logits.double().softmax(-1).numpy()
        for i, (role, _, _) in enumerate(turns):
            kept = found[i, COLUMNS[role]].copy()
            found[i] = 0.0
            found[i, COLUMNS[role]] = kept / kept.sum()
        return found

    def _coded(self, turns: Sequence[tuple[str, str, str]]) -> list[CodedTurn]:
        coded = []
        for (role, _, _), row in zip(turns, self.probabilities(turns), strict=True):
            of_role = dict(zip(LABELS[COLUMNS[role]], map(float, row[COLUMNS[role]]), strict=True))
            best = max(of_role, key=of_role.__getitem__)
            coded.append(CodedTurn(role, best, of_role[best], of_role))
        return coded
