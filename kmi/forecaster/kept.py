"""What a killed training of the forecaster has done already: each job's result, written whole or not at all.

A training is a dozen jobs that depend on nothing but data and recipe; so going on means leaving out those that are done, and ends as
if nothing had been. Not covered: the jobs (`kmi.forecaster.crossval`, `ablation`), sharing them out (`scripts/train_forecaster.py`).
"""

import hashlib
import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kmi.forecaster.crossval import FoldResult
from kmi.training_state import claim
from kmi.whole_files import whole, write_text


class Kept:
    """Results under `folder`, of a training with `settings`; all processes may use the same folder.

    Raises:
        ConfigError: the folder holds the results of another training.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        claim(folder, settings)
        self.folder = folder

    def fold(self, number: int) -> FoldResult | None:
        """The result of a fold, if it is there."""
        path = self._fold(number)
        if not path.is_file():
            return None
        with np.load(path, allow_pickle=False) as arrays:
            return FoldResult(number, arrays["where"], {name: arrays[name] for name in arrays.files if name != "where"})

    def put_fold(self, result: FoldResult) -> None:
        """Keeps a fold's forecasts."""
        # Given a name, numpy would add another ending.
        with whole(self._fold(result.fold)) as partial, partial.open("wb") as file:
            np.savez(file, where=result.where, **result.probabilities)

    def row(self, name: str) -> dict | None:
        """A row of the ablation, if it is there."""
        path = self._row(name)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def put_row(self, name: str, row: dict) -> None:
        """Keeps a row of the ablation."""
        write_text(self._row(name), json.dumps(row))

    def has_final(self, weights: Path) -> bool:
        """Whether `weights` are those that this training has saved."""
        path = self.folder / "final.txt"
        return path.is_file() and weights.is_file() and path.read_text(encoding="utf-8") == _hash(weights)

    def put_final(self, weights: Path) -> None:
        """Notes that the last model is saved."""
        write_text(self.folder / "final.txt", _hash(weights))

    def remove(self) -> None:
        """Deletes it all: the training is over."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fold(self, number: int) -> Path:
        return self.folder / f"fold-{number}.npz"

    def _row(self, name: str) -> Path:
        return self.folder / f"without {name}.json"


def digest(arrays: Iterable[np.ndarray | None]) -> str:
    """Names the data of a training; None counts as nothing."""
    found = hashlib.sha256()
    for array in arrays:
        found.update(b"-" if array is None else np.ascontiguousarray(array).tobytes())
    return found.hexdigest()[:16]


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
