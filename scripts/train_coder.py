"""Trains the MI coder on the dataset's train split and prints its table beside the baselines.

    accelerate launch scripts/train_coder.py
    ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 scripts/train_coder.py

Test figures come from the test split; with --annomi DIR (or KMI_ANNOMI) also from AnnoMI's high sessions, which it has never
seen. The checkpoint, `report.json` and the card go to --out. A killed training goes on after its last whole epoch when the same command is given again.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

# Two OpenMP threads beside any busy process make torch crawl on small machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kmi.checkpoints import weights_digest
from kmi.coder import card
from kmi.coder.api import Coder
from kmi.coder.evaluation import ceiling, compare, speed
from kmi.coder.text import Example, examples_of
from kmi.coder.training import Recipe, fit
from kmi.corpus.load import shipped_dialogues
from kmi.errors import run_command

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, scores, saves."""
    options = parse(argv)
    started = time.monotonic()
    recipe = Recipe.from_yaml(options.recipe)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    training, validation = (list(examples_of(shipped_dialogues(split))) for split in ("train", "validation"))

    from accelerate import Accelerator
    from tqdm import tqdm

    # Not a bare PartialState: under ACCELERATE_USE_CPU that would be one process, not the launcher's number.
    accelerator = Accelerator()
    if accelerator.is_main_process:
        print(f"{len(training):,} coded turns, {accelerator.num_processes} process(es)", file=sys.stderr)
    with tqdm(unit=" batches", disable=not accelerator.is_main_process) as bar:

        def on_batch(done: int, all_: int) -> None:
            bar.total, bar.n = all_, done
            bar.refresh() if done % 10 == 0 else None

        fit(training, validation, recipe, options.out, accelerator, on_batch)
    if accelerator.is_main_process:
        report = build_report(training, recipe, options, time.monotonic() - started)
        (options.out / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (options.out / "README.md").write_text(card.render(report), encoding="utf-8")
        print(f"{card.tables(report)}\n\nsaved {options.out}, {report['seconds']:.0f} s")
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=ROOT / "scripts/recipes/coder.yaml", help="YAML recipe of the run")
    parser.add_argument("--seed", type=int, help="use this seed instead of the recipe's")
    parser.add_argument("--out", type=Path, default=ROOT / "model_cards/kmi-coder", help="folder of the checkpoint")
    parser.add_argument("--annomi", type=Path, default=os.environ.get("KMI_ANNOMI"), help="folder of AnnoMI, to be measured on (default: $KMI_ANNOMI)")
    return parser.parse_args(argv)


def build_report(training: list[Example], recipe: Recipe, options: argparse.Namespace, seconds: float) -> dict:
    """Everything measured in this run, as plain data."""
    coder = Coder.from_pretrained(options.out)
    tests = {f"test_{language}": list(examples_of(shipped_dialogues("test"), [language])) for language in ("ko", "en")}
    if options.annomi:
        from kmi.corpus.annomi import load_annomi

        tests["annomi_high"] = list(examples_of(load_annomi(options.annomi, "high"), ["en"]))
    return {
        "weights": weights_digest(options.out),
        "parameters": sum(tensor.numel() for tensor in coder.model.parameters()),
        "bytes": sum(path.stat().st_size for path in options.out.iterdir() if path.suffix in (".safetensors", ".json") and path.stem != "report"),
        "turns": len(training),
        "recipe": asdict(recipe),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "tokenizers")}},
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
        "seconds": round(seconds, 1),
        "turns_per_second": round(speed(coder, tests["test_ko"])),
        "tests": compare(coder, training, tests),
        "ceiling": ceiling(shipped_dialogues("test")),
    }


if __name__ == "__main__":
    run_command(main)
