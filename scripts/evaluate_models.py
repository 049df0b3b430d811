"""Measures the shipped models on the dataset's test split and prints all tables.

    python scripts/evaluate_models.py
    python scripts/evaluate_models.py --only chatbot --pairs out/pairs.jsonl

Forecaster and coder stand beside baselines fitted in this run; the chatbot beside the retrieval writer, on every therapist turn of
the test dialogues. The forecaster's five folds on professionals' sessions need a training for each: scripts/train_forecaster.py.
With the shipped chatbot measured whole, its report and card are written anew.
"""

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from kmi.corpus.load import shipped_dialogues
from kmi.errors import run_command

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("forecaster", "coder", "chatbot")


def main(argv: Sequence[str] | None = None) -> int:
    """Measures what was asked for."""
    options = parse(argv)
    for name in MODELS:
        if name in options.only:
            print(f"\n## kmi-{name}\n\n{MEASURE[name](options)}", flush=True)
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MODELS, default=list(MODELS), help="measure these only")
    parser.add_argument("--chatbot", type=Path, default=ROOT / "model_cards/kmi-chatbot", help="folder of the chatbot")
    parser.add_argument("--dialogues", type=int, help="use only the first N test dialogues: a trial, nothing is written")
    parser.add_argument("--pairs", type=Path, help="write 60 pairs of answers for blind reading here (JSONL)")
    return parser.parse_args(argv)


def forecaster(options: argparse.Namespace) -> str:
    """The forecaster on Korean sessions."""
    from kmi.forecaster import Forecaster, evaluation, korean
    from kmi.forecaster.training import Recipe, examples_from
    from kmi.metrics.forecasting import Scores

    recipe = Recipe.from_yaml(ROOT / "scripts/recipes/forecaster.yaml")
    train, test = list(shipped_dialogues("train")), dialogues(options)
    report = korean.korean_report(Forecaster.from_pretrained(), examples_from(train, recipe), examples_from(test, recipe), test)
    return evaluation.table([(name, Scores(**report["overall"][name])) for name in korean.METHODS])


def coder(options: argparse.Namespace) -> str:
    """The coder on both languages."""
    from kmi.coder import Coder, card
    from kmi.coder.evaluation import ceiling, compare
    from kmi.coder.text import examples_of

    test = dialogues(options)
    tests = {f"test_{language}": list(examples_of(test, [language])) for language in ("ko", "en")}
    return card.tables({"tests": compare(Coder.from_pretrained(), list(examples_of(shipped_dialogues("train"))), tests), "ceiling": ceiling(test)})


def chatbot(options: argparse.Namespace) -> str:
    """The chatbot beside the retrieval writer."""
    from kmi.dialogue_model import card, report

    validation = list(shipped_dialogues("validation"))[: None if options.dialogues is None else 5]
    found, answers, where = report.measure(options.chatbot, dialogues(options), validation)
    if options.pairs:
        from kmi.dialogue_model.comparison import pairs

        chosen = {name: answers[name] for name in ("chatbot", "retrieval")}
        lines = (json.dumps(pair, ensure_ascii=False) for pair in pairs(chosen, where, 60))
        options.pairs.parent.mkdir(parents=True, exist_ok=True)
        options.pairs.write_text("\n".join(lines) + "\n", encoding="utf-8")
    if options.dialogues is None:
        (options.chatbot / "report.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        (options.chatbot / "README.md").write_text(card.render(found), encoding="utf-8")
    return card.tables(found)


def dialogues(options: argparse.Namespace) -> list:
    """The test dialogues measured on."""
    return list(shipped_dialogues("test"))[: options.dialogues]


MEASURE = {"forecaster": forecaster, "coder": coder, "chatbot": chatbot}


if __name__ == "__main__":
    run_command(main)
