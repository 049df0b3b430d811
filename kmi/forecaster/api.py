"""The forecaster as the rest of KMI uses it: turns in, ranked labels out.

Torch is imported when a checkpoint is loaded, not before. Not covered: choosing among
the ranked labels (`kmi.simulation.decision`).
"""

import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np

from kmi.checkpoints import checkpoint_source
from kmi.codes import THERAPIST_LABELS
from kmi.dialogue import Forecast
from kmi.errors import ConfigError, MissingExtra
from kmi.forecaster.features import FEATURE_NAMES, Turn, features_of

NAME = "kmi-forecaster"
FILES = ("config.json", "model.safetensors")
TRAIN_HINT = "Train one with: accelerate launch scripts/train_forecaster.py --annomi DIR"


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
            name_or_path: a folder, or a Hub repository. By default the checkpoint that
                comes with KMI: the installed package's, else the checkout's.
        """
        wanted = default_checkpoint() if name_or_path is None else name_or_path
        source = checkpoint_source(wanted, FILES, "forecaster", TRAIN_HINT)
        try:
            from kmi.forecaster.model import ForecasterModel
            from kmi.quiet import no_progress_bar
        except ImportError as error:
            raise MissingExtra("The forecaster", error.name or "torch", "generate") from None
        from safetensors import SafetensorError

        try:
            with no_progress_bar():
                model = ForecasterModel.from_pretrained(source)
        except (OSError, SafetensorError, RuntimeError) as error:
            # RuntimeError: weights whose shapes do not fit the config.
            problem = str(error).strip().splitlines()[0]
            raise ConfigError(f"Expected a forecaster checkpoint at {source}, could not load it: {problem}", TRAIN_HINT) from None
        _check_features(model.config, source)
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


def _check_features(config, source: str) -> None:
    made = getattr(config, "feature_names", [])
    if tuple(made) != FEATURE_NAMES:
        different = sorted(set(made) ^ set(FEATURE_NAMES)) or ["their order"]
        raise ConfigError(
            f"Expected the {len(FEATURE_NAMES)} features of this version of KMI in {source}, it was trained on others "
            f"({len(different)} differ, first: {different[0]}).",
            TRAIN_HINT,
        )


def default_checkpoint() -> Path:
    """Folder of the checkpoint that comes with KMI: in the installed package, else in the checkout."""
    package = Path(str(files("kmi")))
    bundled = package / "_bundle" / "models" / NAME
    return bundled if bundled.is_dir() else package.parent / "model_cards" / NAME


def content_hash(model) -> str:
    """First 12 hex digits of SHA-256 over the model's tensors, cut-off and temperatures."""
    config = model.config
    settings = [config.clip, config.temperature_with_text, config.temperature_without_text]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
