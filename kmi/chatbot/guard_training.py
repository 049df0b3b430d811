"""Fits the guard's classifier to the labelled messages, and measures the whole guard on those kept apart.

Messages stand in `guard_examples/`, one file a writer: "kind<TAB>label<TAB>text", label 1 for danger. No writer is in two parts. The
alarm's threshold is set on writers left out in turn (validation); what the guard is worth is measured on others again (test).

Not covered: using the weights (`guard_classifier`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.chatbot.guard import Danger, Guard
from kmi.chatbot.guard_classifier import BUCKETS, Classifier, features, windows
from kmi.chatbot.guard_neighbours import Neighbours, rarity
from kmi.chatbot.guard_patterns import KINDS, certain, source
from kmi.chatbot.guard_spelling import readings
from kmi.errors import DataError, allowed

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

EXAMPLES = Path(__file__).with_name("guard_examples")
RECALL, FOLDS = 0.985, 3
STRENGTH = 100.0
"""Inverse of the penalty on weights."""
TALK, TALK_WEIGHT, REMEMBERED = "corpus", 0.15, 5
"""Ordinary client talk, known to be calm in the main, not read message by message: its weight, and that every fifth is remembered."""


@dataclass(frozen=True, slots=True)
class Message:
    """A labelled message: `kind` one of KINDS or "none", and who wrote it."""

    kind: str
    text: str
    writer: str

    @property
    def danger(self) -> bool:
        """True where somebody is in danger."""
        return self.kind != "none"


def read(part: str, folder: Path = EXAMPLES) -> list[Message]:
    """The messages of "train", "validation" or "test"."""
    found = [message for path in sorted((folder / part).glob("*.tsv")) for message in _read_file(path)]
    if not found:
        raise DataError(f"Expected labelled messages (*.tsv) in {folder / part}, found none.")
    return found


def _read_file(path: Path) -> Iterable[Message]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 3 or cells[0] not in (*KINDS, "none") or cells[1] != str(int(cells[0] != "none")) or not cells[2].strip():
            raise DataError(f"{path}, line {number}: expected kind, label and text with a kind among {allowed((*KINDS, 'none'))} and label 1 for danger; got {line!r:.80}.")
        yield Message(cells[0], cells[2].strip(), path.stem)


def fit(messages: Sequence[Message], validation: Sequence[Message], talk: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The tensors of a `Classifier`.

    Args:
        messages: labelled messages.
        validation: others, hard ones by several writers. Each writer is left out once, with every third of the others; the threshold is
            what `RECALL` of the dangers reach with a classifier that has not heard their writer. Then these are learned from as well.
        talk: harmless utterances of clients, so that ordinary counselling talk is known too; they weigh less.
    """
    calm = [Message("none", text, TALK) for text in talk]
    reached: list[float] = []
    writers = sorted({message.writer for message in validation})
    for unheard in (set(writers[fold::FOLDS]) for fold in range(min(FOLDS, len(writers)))):
        heard = _classifier([*messages, *calm, *(message for message in validation if message.writer not in unheard)])
        # What a pattern decides alone is caught whatever the threshold.
        reached += [1.0 if any(map(certain, readings(m.text))) else heard.danger(m.text)[0] for m in validation if m.danger and m.writer in unheard]
    final = _classifier([*messages, *calm, *validation])
    threshold = np.array([np.quantile(reached, 1 - RECALL)], dtype=np.float32)
    return {"weights": final.weights.astype(np.float16), "bias": final.bias, "threshold": threshold, **final.neighbours.tensors()}


def save(tensors: dict[str, np.ndarray], path: Path) -> None:
    """Writes the weights, with the name of the patterns they fit."""
    from safetensors.numpy import save_file

    save_file(tensors, path, metadata={"patterns": digest()})
    path.chmod(0o644)  # safetensors creates it private


def measure(messages: Sequence[Message], talk: Sequence[str] = ()) -> dict:
    """How the shipped guard does on messages by writers that training has not seen, and on calm talk.

    Returns:
        `recall` and `false_alarms` (0-1) over all messages and by writer, `recall_by_kind`, `kind_right` (of the dangers seen), what
        patterns and classifier find `alone`, `talk_alarms` (share of calm corpus turns), and `missed` and `raised`, the texts.
    """
    guard = Guard()
    seen = [(message, guard.look(message.text)) for message in messages]
    dangers = [(message, found) for message, found in seen if message.danger]
    caught = [(message, found) for message, found in dangers if found]
    return {
        "threshold": guard.threshold,
        "all": _rates(seen),
        "by_writer": {writer: _rates([pair for pair in seen if pair[0].writer == writer]) for writer in sorted({m.writer for m in messages})},
        "recall_by_kind": {kind: _share([bool(found) for message, found in dangers if message.kind == kind]) for kind in KINDS},
        "kind_right": _share([message.kind == found.kind for message, found in caught]),
        "patterns_alone": _share([bool(found and found.words) for _, found in dangers]),
        "talk": len(talk),
        "talk_alarms": _share([guard.look(text) is not None for text in talk]) if talk else None,
        "missed": [message.text for message, found in dangers if not found],
        "raised": [message.text for message, found in seen if found and not message.danger],
    }


def table(report: dict) -> str:
    """The Markdown table of a report."""
    lines = ["| messages | dangerous | harmless | recall | false alarms |", "|---|---|---|---|---|"]
    for name, rates in {**report["by_writer"], "all": report["all"]}.items():
        lines.append(f"| {name} | {rates['dangerous']} | {rates['harmless']} | {rates['recall']:.3f} | {rates['false_alarms']:.3f} |")
    return "\n".join(lines)


def _rates(seen: list[tuple[Message, Danger | None]]) -> dict:
    raised = {flag: [found is not None for message, found in seen if message.danger is flag] for flag in (True, False)}
    return {"dangerous": len(raised[True]), "harmless": len(raised[False]), "recall": _share(raised[True]), "false_alarms": _share(raised[False])}


def _share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def digest() -> str:
    """Names the patterns that weights were trained with: their numbers are features."""
    return hashlib.sha256(source().encode()).hexdigest()[:16]


def _classifier(messages: Sequence[Message]) -> Classifier:
    """What the messages teach, with no threshold yet."""
    # The plainest reading and the one with everything undone; a long message in its parts.
    rows = [(part, message) for message in messages for part in _seen(message.text)]
    counts = _matrix([part for part, _ in rows])
    kinds = np.array([message.kind for _, message in rows])
    weights = np.array([TALK_WEIGHT if message.writer == TALK else 1.0 for _, message in rows])
    # What is rare may speak louder: scaled by the square of its rarity, it is penalised less. The scale is folded into the weights.
    scale = rarity(counts)
    scale /= scale[counts.getnnz(0) > 0].mean()
    harmless = kinds == "none"
    models = [_linear(counts, scale, ~harmless, weights, slice(None)), *(_linear(counts, scale, kinds == kind, weights, (kinds == kind) | harmless) for kind in KINDS)]
    # Of calm talk a share is remembered, so that ordinary turns find their like too.
    remembered = np.array([message.writer != TALK or number % REMEMBERED == 0 for number, (_, message) in enumerate(rows)])
    neighbours = Neighbours.of(counts[remembered], ~harmless[remembered])
    return Classifier(np.stack([model for model, _ in models]).astype(np.float32), np.array([bias for _, bias in models], dtype=np.float32), neighbours, 0.0)


def _linear(counts: "csr_matrix", scale: np.ndarray, wanted: np.ndarray, weights: np.ndarray, among: np.ndarray | slice) -> tuple[np.ndarray, float]:
    from scipy.sparse import diags
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, solver="liblinear", random_state=0)
    model.fit(counts[among] @ diags(scale), wanted[among], weights[among])
    return model.coef_[0] * scale, float(model.intercept_[0])


def _seen(text: str) -> list[str]:
    every = readings(text)
    return list(dict.fromkeys(part for reading in (every[0], every[-1]) for part in windows(reading)))


def _matrix(texts: Sequence[str]) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    rows = [features(text) for text in texts]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in rows)])
    return csr_matrix((np.concatenate([values for _, values in rows]), np.concatenate([buckets for buckets, _ in rows]), ends), shape=(len(texts), BUCKETS))
