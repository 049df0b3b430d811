"""The forecaster as the rest of KMI uses it: turns in, ranked labels out.

Torch is imported when a checkpoint is loaded, not before. Not covered: choosing among
the ranked labels (`kmi.simulation.decision`).
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.checkpoints import checkpoint_source, find_checkpoint, next_step
from kmi.codes import THERAPIST_LABELS
from kmi.dialogue import Forecast
from kmi.errors import ConfigError, DataError, MissingExtra, allowed
from kmi.forecaster.features import FEATURE_NAMES, HANGUL_FEATURE, Turn, features_of

if TYPE_CHECKING:
    from kmi.coder import Coder

NAME = "kmi-forecaster"
FILES = ("config.json", "model.safetensors")
TRAIN_HINT = "Train one with: accelerate launch scripts/train_forecaster.py --annomi DIR"


@dataclass(frozen=True, slots=True)
class Reason:
    """What one cue does to a forecast: without it, at its usual value, `label` would be less probable by `effect` (below 0: more)."""

    cue: str
    label: str
    effect: float


class Forecaster:
    """Next therapist behaviour from a session so far; load one with `Forecaster.from_pretrained()`."""

    def __init__(self, model, revision: str = "") -> None:
        self.model = model.eval()
        self.revision = revision
        """Short content hash of config and weights, kept in the provenance of what it plans."""

    @classmethod
    def from_pretrained(cls, name_or_path: str | Path | None = None) -> "Forecaster":
        """Loads a checkpoint.

        Args:
            name_or_path: a folder, a Hub repository, or "kmi-forecaster" (also the default): see `kmi.checkpoints.find_checkpoint`.
        """
        wanted = find_checkpoint(NAME) if name_or_path in (None, NAME) else name_or_path
        source = checkpoint_source(wanted, FILES, "forecaster", TRAIN_HINT)
        try:
            from kmi.forecaster.model import ForecasterConfig, ForecasterModel
            from kmi.quiet import no_progress_bar
        except ImportError as error:
            raise MissingExtra("The forecaster", error.name or "torch", "generate") from None
        from safetensors import SafetensorError

        try:
            _check_features(ForecasterConfig.from_pretrained(source), source)
            with no_progress_bar():
                model = ForecasterModel.from_pretrained(source)
        except (OSError, SafetensorError, RuntimeError) as error:
            # RuntimeError: weights whose shapes do not fit the config.
            problem = str(error).strip().splitlines()[0]
            raise ConfigError(f"Expected a forecaster checkpoint at {source}, could not load it: {problem}", next_step(source, TRAIN_HINT)) from None
        return cls(model, content_hash(model))

    def probabilities(self, histories: Sequence[Sequence[Turn]]) -> np.ndarray:
        """Probability of each label (columns as in THERAPIST_LABELS) after each history, shape [n, 8]."""
        return self.probabilities_of_features([features_of(turns) for turns in histories])

    def probabilities_of_features(self, rows: Sequence[Sequence[float]]) -> np.ndarray:
        """Same for feature vectors already made, shape [n, features] to [n, 8]."""
        import torch

        from kmi.forecaster.model import one_thread

        features = torch.tensor(np.asarray(rows, dtype=np.float32)).reshape(-1, len(FEATURE_NAMES))
        with torch.inference_mode(), one_thread():
            return self.model(features).logits.exp().numpy()

    def forecast(self, turns: Sequence[Turn]) -> tuple[Forecast, ...]:
        """All 8 labels for the therapist turn that follows `turns`, most probable first."""
        probabilities = self.probabilities([turns])[0]
        order = sorted(range(len(THERAPIST_LABELS)), key=lambda i: -probabilities[i])
        return tuple(Forecast(THERAPIST_LABELS[i], float(probabilities[i])) for i in order)

    def forecast_transcript(self, transcript: Sequence[tuple[str, str]], coder: "Coder | None" = None) -> tuple[Forecast, ...]:
        """The same for a transcript that nobody has coded: (role, text) in order.

        Args:
            transcript: what was said, roles "therapist" and "client".
            coder: fills in labels and talk; by default the checkpoint that comes with KMI. Their mistakes cost: the card has the figures.
        """
        if coder is None:
            from kmi.coder import Coder

            coder = Coder.from_pretrained()
        coded = coder.code_turns(transcript) if transcript else []
        return self.forecast([
            Turn(role, label=found.label if role == "therapist" else None, talk=found.label if role == "client" else None, text=text)
            for (role, text), found in zip(transcript, coded, strict=True)
        ])  # fmt: skip

    def explain(self, turns: Sequence[Turn], labels: Sequence[str] = (), most: int = 3) -> tuple[Reason, ...]:
        """Which cues moved which label, strongest first: each cue in turn is set to its usual value in training.

        Args:
            turns: the session so far.
            labels: labels to explain; by default the first three of the forecast.
            most: reasons to give for each label.
        """
        labels = labels or [option.label for option in self.forecast(turns)[:3]]
        for label in labels:
            if label not in THERAPIST_LABELS:
                raise DataError(f"Expected labels among {allowed(THERAPIST_LABELS)}, got {label!r}.")
        row = np.array(features_of(turns), dtype=np.float32)
        ensemble = self.model.korean if row[FEATURE_NAMES.index(HANGUL_FEATURE)] else self.model.professional
        rows = np.tile(row, (len(row) + 1, 1))
        # The language chooses the ensemble and is no cue within it.
        cues = [i for i, name in enumerate(FEATURE_NAMES) if name != HANGUL_FEATURE]
        usual = ensemble.mean.numpy()
        rows[cues, cues] = usual[cues]
        probabilities = self.probabilities_of_features(rows)
        effects = probabilities[-1] - probabilities[:-1]
        found = []
        for label in labels:
            column = THERAPIST_LABELS.index(label)
            strongest = sorted(cues, key=lambda i: -abs(effects[i, column]))[:most]
            found += [Reason(FEATURE_NAMES[i], label, float(effects[i, column])) for i in strongest]
        return tuple(found)


def _check_features(config, source: str) -> None:
    made = getattr(config, "feature_names", [])
    if tuple(made) != FEATURE_NAMES:
        different = sorted(set(made) ^ set(FEATURE_NAMES)) or ["their order"]
        raise ConfigError(
            f"Expected the {len(FEATURE_NAMES)} features of this version of KMI in {source}, it was trained on others "
            f"({len(different)} differ, first: {different[0]}).",
            TRAIN_HINT,
        )


def content_hash(model) -> str:
    """First 12 hex digits of SHA-256 over the model's tensors, cut-off and temperatures."""
    config = model.config
    settings = [config.clip, config.temperature_with_text, config.temperature_without_text, config.temperature_korean]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
