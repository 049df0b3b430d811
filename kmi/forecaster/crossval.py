"""Five fixed folds: every fold trained without its sessions, saved, reloaded, then scored.

The folds (`annomi_folds.json`, AnnoMI session number to fold) never change, so figures
compare across versions. What is scored is always the reloaded checkpoint. Each fold is
one job and depends on nothing but data and recipe: however many processes share the
jobs, the figures are the same.

Not covered: sharing out the jobs (`scripts/train_forecaster.py`).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kmi.codes import THERAPIST_LABELS
from kmi.corpus.annomi import session_number
from kmi.dialogue import Dialogue
from kmi.errors import DataError
from kmi.forecaster import evaluation
from kmi.forecaster.api import Forecaster
from kmi.forecaster.features import Turn
from kmi.forecaster.gru import gru
from kmi.forecaster.training import COMPLETE, WORDLESS, Examples, Recipe, fit
from kmi.metrics import forecasting

if TYPE_CHECKING:
    from kmi.forecaster.model import ForecasterModel

FOLDS = 5
FOLD_FILE = Path(__file__).with_name("annomi_folds.json")
OURS, OURS_WORDLESS, OURS_CODED = "forecaster", "forecaster, no words (plan)", "forecaster, codes by kmi-coder"
METHODS = (
    "prior",
    "previous-label bigram",
    "logistic regression",
    "gradient boosting",
    "GRU over the session",
    OURS,
    OURS_CODED,
    "logistic regression, no words (plan)",
    OURS_WORDLESS,
)


@cache
def _fold_file() -> dict[str, int]:
    return json.loads(FOLD_FILE.read_text(encoding="utf-8"))


def fold_of(dialogue: Dialogue) -> int:
    """The fixed fold (0-4) of a high-quality AnnoMI session."""
    folds = _fold_file()
    if session_number(dialogue) not in folds:
        raise DataError(f"{dialogue.id} has no fold; the five folds hold the {len(folds)} high-quality AnnoMI sessions only.")
    return folds[session_number(dialogue)]


@dataclass(frozen=True, slots=True)
class FoldResult:
    """Forecasts of one fold: for each of METHODS that was measured probabilities [n, 8], for examples `where` [n]."""

    fold: int
    where: np.ndarray
    probabilities: dict[str, np.ndarray]


def run_fold(
    examples: Examples,
    sessions: Sequence[Sequence[Turn]],
    folds: np.ndarray,
    fold: int,
    recipe: Recipe,
    folder: Path,
    coded: np.ndarray | None = None,
) -> FoldResult:
    """Trains without one fold, saves the model to `folder`, reloads it and forecasts the fold.

    Args:
        examples: all folds' examples.
        sessions: the sessions of `examples`, for the baseline that reads turns.
        folds: fold of each session.
        fold: the one to hold out.
        recipe: how to train.
        folder: where the fold's checkpoint goes.
        coded: features [n, features] of the same moments with the coder's codes in place of the given ones, or None.
    """
    is_held = folds[examples.sessions] == fold
    train, held_out = examples.where(~is_held), examples.where(is_held)
    save(fit(train, recipe), folder)
    # Half of the linear model's training set is wordless, so that it too may meet a plan.
    linear_x = np.concatenate([train.views[COMPLETE], train.views[WORDLESS]])
    linear_y = np.concatenate([train.labels, train.labels])
    seen = np.concatenate([held_out.views[COMPLETE], held_out.views[WORDLESS]])
    linear = evaluation.logistic_regression(train.views[COMPLETE], train.labels, held_out.views[COMPLETE])
    linear_wordless = evaluation.logistic_regression(linear_x, linear_y, seen)[len(held_out.labels) :]
    forecaster = Forecaster.from_pretrained(folder)
    fold_sessions = [[turns for turns, its in zip(sessions, folds, strict=True) if bool(its == fold) is held] for held in (False, True)]
    forecasts = (
        forecasting.prior(train.labels, len(held_out.labels)),
        forecasting.bigram(train.previous, train.labels, held_out.previous),
        linear,
        evaluation.boosting(train.views[COMPLETE], train.labels, held_out.views[COMPLETE]),
        gru(*fold_sessions),
        forecaster.probabilities_of_features(held_out.views[COMPLETE]),
        None if coded is None else forecaster.probabilities_of_features(coded[is_held]),
        linear_wordless,
        forecaster.probabilities_of_features(held_out.views[WORDLESS]),
    )
    measured = {name: rows for name, rows in zip(METHODS, forecasts, strict=True) if rows is not None}
    return FoldResult(fold, np.flatnonzero(is_held), measured)


def gather(results: Sequence[FoldResult], count: int) -> dict[str, np.ndarray]:
    """Puts the folds' forecasts together, shape [count, 8] per method; each example exactly once."""
    covered = np.concatenate([result.where for result in results])
    if not np.array_equal(np.sort(covered), np.arange(count)):
        raise RuntimeError(f"folds cover {len(covered)} of {count} examples")  # a bug, not bad input
    gathered = {name: np.zeros((count, len(THERAPIST_LABELS))) for name in results[0].probabilities}
    for result in results:
        for name, probabilities in result.probabilities.items():
            gathered[name][result.where] = probabilities
    return gathered


def five_fold_report(results: Sequence[FoldResult], labels: np.ndarray, sessions: np.ndarray) -> dict:
    """All figures as plain data (`evaluation.figures_of`), and those of the forecaster by fold."""
    by_fold = {
        str(result.fold): asdict(forecasting.score(result.probabilities[OURS], labels[result.where]))
        for result in sorted(results, key=lambda result: result.fold)
    }
    return {**evaluation.figures_of(gather(results, len(labels)), OURS, labels, sessions), "by_fold": by_fold}


def figures_table(figures: dict[str, dict[str, float]]) -> str:
    """The Markdown table of one of the report's groups."""
    return evaluation.table([(name, forecasting.Scores(**figures[name])) for name in METHODS if name in figures])


def save(model: "ForecasterModel", folder: Path) -> None:
    """Writes config and safetensors as `save_pretrained` does, but from any process.

    Under several processes transformers writes on the first one only, while here each
    saves folds of its own.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [type(model).__name__]
    model.config.dtype = "float32"
    model.config.save_pretrained(folder)
    weights = folder / "model.safetensors"
    save_file(model.state_dict(), weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors creates it private
