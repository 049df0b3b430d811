"""Trains the dialogue model: the shipped one from scratch, or LoRA adapters on an open instruction model.

    accelerate launch scripts/train_chatbot.py
    ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes 2 scripts/train_chatbot.py
    accelerate launch scripts/train_chatbot.py --recipe scripts/recipes/chatbot_lora.yaml --out out/kmi-lora
    accelerate launch --config_file scripts/recipes/fsdp.yaml scripts/train_chatbot.py --recipe scripts/recipes/chatbot_lora_fsdp.yaml --out out/kmi-lora-fsdp

From scratch the checkpoint, its report and its card go to --out. A killed training goes on when the same command is given again.
"""

import argparse
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

from kmi.corpus.load import shipped_dialogues
from kmi.dialogue_model.recipe import LoraRecipe, Recipe, ScratchRecipe, recipe_from_yaml
from kmi.errors import ConfigError, run_command

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Trains, and tells of a training from scratch."""
    options = parse(argv)
    recipe = read(options)
    out = options.out or (ROOT / "model_cards/kmi-chatbot" if isinstance(recipe, ScratchRecipe) else None)
    if out is None:
        raise ConfigError("Expected a folder for the adapters.", "Add --out FOLDER.")
    from accelerate import Accelerator

    from kmi.dialogue_model.training import fit

    accelerator = Accelerator()
    training = list(shipped_dialogues("train"))
    if accelerator.is_main_process:
        print(f"{len(training):,} sessions, {accelerator.num_processes} process(es), into {out}", file=sys.stderr)
    started = time.monotonic()
    steps, made_before = fit(training, recipe, out, steps=options.steps)
    if accelerator.is_main_process and isinstance(recipe, ScratchRecipe):
        write_report(recipe, out, time.monotonic() - started, steps, steps - made_before)
    accelerator.wait_for_everyone()
    accelerator.end_training()
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=Path, default=ROOT / "scripts/recipes/chatbot.yaml", help="YAML recipe of the run")
    parser.add_argument("--base", help="adapt this model instead of the recipe's (a folder, or a Hub name)")
    parser.add_argument("--seed", type=int, help="use this seed instead of the recipe's")
    parser.add_argument("--steps", type=int, help="stop after so many moves of the weights: a trial")
    parser.add_argument("--out", type=Path, help="folder of the checkpoint (default: model_cards/kmi-chatbot)")
    return parser.parse_args(argv)


def read(options: argparse.Namespace) -> Recipe:
    """The recipe with what the command line changes."""
    recipe = recipe_from_yaml(options.recipe)
    if options.base is not None and not isinstance(recipe, LoraRecipe):
        raise ConfigError(f"--base is for LoRA recipes, and {options.recipe} trains from scratch.", "Add --recipe scripts/recipes/chatbot_lora.yaml.")
    changes = {"base": options.base, "seed": options.seed}
    return replace(recipe, **{name: value for name, value in changes.items() if value is not None})


def write_report(recipe: ScratchRecipe, out: Path, seconds: float, steps: int, timed: int) -> None:
    """What the training was, beside the checkpoint: `timed` of its steps took `seconds`, the others were made by a killed run.

    `scripts/evaluate_models.py` adds how well the model does.
    """
    import json

    from safetensors.numpy import load_file

    training = {
        "parameters": sum(tensor.size for tensor in load_file(out / "model.safetensors").values()),
        "bytes": sum(path.stat().st_size for path in out.iterdir() if path.suffix in (".safetensors", ".json", ".jinja")),
        "recipe": asdict(recipe),
        "steps": steps,
        "steps_timed": timed,
        "versions": {"python": platform.python_version(), **{name: version(name) for name in ("torch", "transformers", "trl", "tokenizers")}},
        "hardware": f"{os.cpu_count()} CPU cores ({platform.machine()})",
        "seconds": round(seconds, 1),
    }
    (out / "training.json").write_text(json.dumps(training, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"saved {out}, {seconds:.0f} s")


if __name__ == "__main__":
    run_command(main)
