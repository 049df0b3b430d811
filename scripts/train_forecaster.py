"""Trains the MI forecaster on AnnoMI and prints its five-fold table beside the baselines.

    accelerate launch scripts/train_forecaster.py --annomi DIR
    ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 scripts/train_forecaster.py

DIR is what scripts/prepare_annomi.py wrote, or the public files themselves; without --annomi
the variable KMI_ANNOMI names it. Five models, each without one fold, give the figures; a
sixth, on all sessions, is saved to --out with `report.json` and the model card. The same seed
gives the same weights on the same machine, whatever the number of processes.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

# Two OpenMP threads beside any busy process make torch crawl on small machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from kmi.corpus.annomi import load_annomi
from kmi.errors import ConfigError, run_command
from kmi.forecaster import Forecaster, card, crossval
from kmi.forecaster.training import Examples, Recipe, examples_from, fit

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, scores, saves; on several processes each takes a share of the six jobs."""
    options = parse(argv)
    started = time.monotonic()
    recipe = Recipe.from_yaml(options.recipe)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    dialogues = load_annomi(annomi_folder(options.annomi))
    folds_by_session = np.array([crossval.fold_of(dialogue) for dialogue in dialogues])

    from accelerate import Accelerator
    from accelerate.utils import broadcast_object_list, gather_object

    # Not a bare PartialState: under ACCELERATE_USE_CPU that would be one process, not the launcher's number.
    state = Accelerator()
    examples = examples_from(dialogues, recipe)
    folds = folds_by_session[examples.sessions]
    say(state, f"{len(dialogues)} sessions, {len(examples.labels):,} therapist turns, {state.num_processes} process(es)")
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory()) if state.is_main_process else None
        fold_root = Path(broadcast_object_list([str(options.folds_out or scratch)])[0])
        results = run_jobs(examples, folds, recipe, fold_root, options.out, state)
        gathered = gather_object(results)
        state.wait_for_everyone()
    if state.is_main_process:
        report = build_report(gathered, examples, len(dialogues), recipe, options.out, time.monotonic() - started)
        (options.out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        (options.out / "README.md").write_text(card.render(report), encoding="utf-8")
        print(f"\nfive folds, {report['examples']:,} therapist turns\n{crossval.figures_table(report['five_folds']['overall'])}")
        print(f"\nsaved {options.out}, revision {report['revision']}, {report['seconds']:.0f} s")
    state.wait_for_everyone()
    state.end_training()
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annomi", type=Path, help="folder of AnnoMI, prepared or as published (default: $KMI_ANNOMI)")
    parser.add_argument("--recipe", type=Path, default=ROOT / "scripts/recipes/forecaster.yaml", help="YAML recipe of the run")
    parser.add_argument("--seed", type=int, help="use this seed instead of the recipe's")
    parser.add_argument("--out", type=Path, default=ROOT / "model_cards/kmi-forecaster", help="folder of the final checkpoint")
    parser.add_argument("--folds-out", type=Path, help="keep the five folds' checkpoints here as fold-0 to fold-4")
    return parser.parse_args(argv)


def annomi_folder(given: Path | None) -> Path:
    """The AnnoMI folder of the command line or of KMI_ANNOMI."""
    folder = given or (Path(os.environ["KMI_ANNOMI"]) if os.environ.get("KMI_ANNOMI") else None)
    if folder is None:
        raise ConfigError(
            "Expected the folder of AnnoMI, got neither --annomi nor KMI_ANNOMI.",
            "Run: python scripts/prepare_annomi.py --out annomi/, then add --annomi annomi/",
        )
    return folder


def run_jobs(
    examples: Examples, folds: np.ndarray, recipe: Recipe, fold_root: Path, out: Path, state
) -> list[crossval.FoldResult]:
    """Runs this process's share of the five folds and the final model; returns its folds' forecasts."""
    from tqdm import tqdm

    jobs = ["final", *range(crossval.FOLDS)][state.process_index :: state.num_processes]
    results = []
    with tqdm(total=len(jobs) * recipe.epochs, unit=" epochs", disable=not state.is_main_process) as bar:
        for job in jobs:
            bar.set_description("final model" if job == "final" else f"fold {job}")
            if job == "final":
                crossval.save(fit(examples, recipe, bar.update), out)
            else:
                results.append(crossval.run_fold(examples, folds, job, recipe, fold_root / f"fold-{job}", bar.update))
    return results


def build_report(
    results: list[crossval.FoldResult], examples: Examples, sessions: int, recipe: Recipe, out: Path, seconds: float
) -> dict:
    """Everything measured in this run, as plain data."""
    forecaster = Forecaster.from_pretrained(out)
    return {
        "revision": forecaster.revision,
        "parameters": sum(tensor.numel() for tensor in forecaster.model.parameters()),
        "bytes": (out / "model.safetensors").stat().st_size,
        "sessions": sessions,
        "examples": len(examples.labels),
        "recipe": asdict(recipe),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "numpy")}},
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
        "seconds": round(seconds, 1),
        "five_folds": crossval.five_fold_report(results, examples.labels),
    }


def say(state, message: str) -> None:
    """Prints once, on stderr, so that stdout holds the table only."""
    if state.is_main_process:
        print(message, file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
