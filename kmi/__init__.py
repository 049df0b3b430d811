"""KMI: Korean Motivational Interviewing (동기강화상담) data, models and toolkit.

    import kmi
    dialogues = kmi.load_dataset("dialogues", split="train")

Importing this package loads neither torch nor datasets and opens no connection; heavy
parts load on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from kmi.corpus.load import load_dataset
    from kmi.dialogue import ClientProfile, Dialogue, Forecast, Utterance, read_jsonl, write_jsonl
    from kmi.forecaster import Forecaster

_HOME = {
    "ClientProfile": "kmi.dialogue",
    "Dialogue": "kmi.dialogue",
    "Forecast": "kmi.dialogue",
    "Forecaster": "kmi.forecaster",
    "Utterance": "kmi.dialogue",
    "load_dataset": "kmi.corpus.load",
    "read_jsonl": "kmi.dialogue",
    "write_jsonl": "kmi.dialogue",
}

__all__ = ["ClientProfile", "Dialogue", "Forecast", "Forecaster", "Utterance", "load_dataset", "read_jsonl", "write_jsonl"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'kmi' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
