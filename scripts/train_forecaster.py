"""Trains the MI forecaster and prints its five-fold table beside the baselines.

    accelerate launch scripts/train_forecaster.py --annomi DIR
    ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 scripts/train_forecaster.py

DIR is what scripts/prepare_annomi.py wrote, or the public files themselves; without --annomi
the variable KMI_ANNOMI names it. Professionals' choices come from AnnoMI, the Korean register from
the dataset's train split. Five models, each without one fold of AnnoMI, give the figures; a sixth,
on all sessions, is scored on the dataset's test split and saved to --out with `report.json`, the model
card and its plot. A killed training goes on when the same command is given again. The same seed gives
the same weights on the same machine, whatever the number of processes.
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
from itertools import islice
from pathlib import Path

# Two OpenMP threads beside any busy process make torch crawl on small machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from kmi.checkpoints import weights_digest
from kmi.corpus.annomi import load_annomi
from kmi.corpus.load import shipped_dialogues
from kmi.dialogue import Dialogue
from kmi.errors import ConfigError, run_command
from kmi.forecaster import Forecaster, card, crossval
from kmi.forecaster.ablation import HIDDEN, ablate
from kmi.forecaster.features import examples_of, turns_of
from kmi.forecaster.kept import Kept, digest
from kmi.forecaster.korean import korean_report
from kmi.forecaster.training import Recipe, examples_from, fit
from kmi.training_state import STATE_FOLDER

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, scores, saves; on several processes each takes a share of the six jobs."""
    options = parse(argv)
    started = time.monotonic()
    recipe = Recipe.from_yaml(options.recipe)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    dialogues = load_annomi(annomi_folder(options.annomi))
    folds = np.array([crossval.fold_of(dialogue) for dialogue in dialogues])

    from accelerate import Accelerator
    from accelerate.utils import broadcast_object_list, gather_object

    # Not a bare PartialState: under ACCELERATE_USE_CPU that would be one process, not the launcher's number.
    state = Accelerator()
    material = Material(dialogues, folds, recipe, options)
    counts = f"{len(dialogues)} sessions of professionals, {len(material.korean_train.labels):,} Korean turns"
    say(state, f"{counts}, {state.num_processes} process(es)")
    kept = Kept(options.out / STATE_FOLDER, {**asdict(recipe), "data": material.digest})
    state.wait_for_everyone()
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory()) if state.is_main_process else None
        fold_root = Path(broadcast_object_list([str(options.folds_out or scratch)])[0])
        results, ablation = run_jobs(material, recipe, fold_root, kept, options, state)
        gathered, rows = gather_object(results), dict(gather_object(list(ablation.items())))
        state.wait_for_everyone()
    if state.is_main_process:
        report = build_report(gathered, rows, material, recipe, options.out, time.monotonic() - started)
        (options.out / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (options.out / "README.md").write_text(card.render(report), encoding="utf-8")
        card.save_plot(report, options.out)
        kept.remove()
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
    parser.add_argument("--coder", type=Path, default=ROOT / "model_cards/kmi-coder", help="coder whose codes stand in for the given ones in one row; left out where there is none")
    parser.add_argument("--dialogues", type=int, help="use only the first N dialogues of each split of the dataset: a trial")
    parser.add_argument("--no-ablation", action="store_true", help="leave the ablation out: it is most of the time")
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


class Material:
    """All that is learnt from and measured on."""

    def __init__(self, dialogues: list[Dialogue], folds: np.ndarray, recipe: Recipe, options: argparse.Namespace) -> None:
        self.folds = folds
        self.sessions = [turns_of(dialogue.utterances) for dialogue in dialogues]
        self.examples = examples_from(dialogues, recipe)
        self.korean_train = examples_from(list(islice(shipped_dialogues("train"), options.dialogues)), recipe)
        self.korean_test_dialogues = list(islice(shipped_dialogues("test"), options.dialogues))
        self.korean_test = examples_from(self.korean_test_dialogues, recipe)
        self.coded = self._coded(dialogues, options.coder)
        data = (part for its in (self.examples, self.korean_train) for part in (its.views, its.labels, its.sessions))
        self.digest = digest([*data, self.coded])

    def _coded(self, dialogues: list[Dialogue], folder: Path) -> np.ndarray | None:
        """Features of the professionals' sessions with all codes taken from their words by the coder."""
        if not (folder / "model.safetensors").is_file():
            return None
        from kmi.coder import Coder

        bare = [replace(d, utterances=tuple(replace(u, label=None, talk=None) for u in d.utterances)) for d in dialogues]
        seen = [turns_of(coded.utterances) for coded in Coder.from_pretrained(folder).code_dialogues(bare)]
        rows = [row for given, heard in zip(self.sessions, seen, strict=True) for row in examples_of(given, heard)[0]]
        return np.array(rows, dtype=np.float32)


def run_jobs(material: Material, recipe: Recipe, fold_root: Path, kept: Kept, options: argparse.Namespace, state) -> tuple[list[crossval.FoldResult], dict]:
    """Runs this process's share of the final model, the five folds and the ablation, but for what is kept; returns forecasts and the ablation's rows."""
    from tqdm import tqdm

    every = ["final", *range(crossval.FOLDS), *([] if options.no_ablation else HIDDEN)]
    results, rows = [], {}
    with tqdm(every[state.process_index :: state.num_processes], unit=" jobs", disable=not state.is_main_process) as jobs:
        for job in jobs:
            if job == "final":
                final(material, recipe, kept, options.out)
            elif job in HIDDEN:
                rows[job] = kept.row(job) or ablate(material.examples, material.folds, job, recipe)
                kept.put_row(job, rows[job])
            else:
                results.append(fold(job, material, recipe, fold_root / f"fold-{job}", kept, wanted=options.folds_out is not None))
    return results, rows


def final(material: Material, recipe: Recipe, kept: Kept, out: Path) -> None:
    """Trains and saves the model of all sessions."""
    weights = out / "model.safetensors"
    if not kept.has_final(weights):
        crossval.save(fit(material.examples, recipe, material.korean_train), out)
        kept.put_final(weights)


def fold(number: int, material: Material, recipe: Recipe, folder: Path, kept: Kept, *, wanted: bool) -> crossval.FoldResult:
    """Forecasts of one fold by a model that has not seen it; where the model is `wanted` and gone it is trained again."""
    result = kept.fold(number) if folder.is_dir() or not wanted else None
    result = result or crossval.run_fold(material.examples, material.sessions, material.folds, number, recipe, folder, material.coded)
    kept.put_fold(result)
    return result


def build_report(results: list[crossval.FoldResult], ablation: dict, material: Material, recipe: Recipe, out: Path, seconds: float) -> dict:
    """Everything measured in this run, as plain data."""
    forecaster = Forecaster.from_pretrained(out)
    examples = material.examples
    return {
        "revision": forecaster.revision,
        "weights": weights_digest(out),
        "parameters": sum(tensor.numel() for tensor in forecaster.model.parameters()),
        "bytes": (out / "model.safetensors").stat().st_size,
        "sessions": len(material.sessions),
        "examples": len(examples.labels),
        "korean_examples": len(material.korean_train.labels),
        "recipe": asdict(recipe),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "numpy")}},
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
        "seconds": round(seconds, 1),
        "five_folds": crossval.five_fold_report(results, examples.labels, examples.sessions),
        "ablation": {name: ablation[name] for name in HIDDEN if name in ablation},
        "korean": korean_report(forecaster, material.korean_train, material.korean_test, material.korean_test_dialogues),
    }


def say(state, message: str) -> None:
    """Prints once, on stderr, so that stdout holds the table only."""
    if state.is_main_process:
        print(message, file=sys.stderr)


if __name__ == "__main__":
    run_command(main)
