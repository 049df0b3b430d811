"""Trains the crisis guard's classifier and prints how the whole guard does on messages by writers it has never seen.

    python scripts/train_guard.py

Reads kmi/chatbot/guard_examples/, writes kmi/chatbot/guard_weights.safetensors and guard_report.json beside it. Three minutes on two cores;
the same examples and patterns give the same weights. Run it again after any change of the patterns: their numbers are features.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from kmi.chatbot import guard_training
from kmi.chatbot.guard_classifier import WEIGHTS, sentences
from kmi.clients.danger import speaks_of_danger
from kmi.corpus.load import shipped_dialogues
from kmi.errors import run_command

PACKAGE = Path(__file__).resolve().parents[1] / "kmi/chatbot"


def main(argv: Sequence[str] | None = None) -> int:
    """Fits, saves, measures."""
    options = parse(argv)
    train, validation, test = (guard_training.read(part, options.examples) for part in ("train", "validation", "test"))
    guard_training.save(guard_training.fit(train, validation, calm_talk("train")), PACKAGE / WEIGHTS)
    report = guard_training.measure(test, calm_talk("test"))
    report = {"training_messages": len(train), "validation_messages": len(validation), **report}
    (PACKAGE / "guard_report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(guard_training.table(report))
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=Path, default=guard_training.EXAMPLES, help="folder with train, validation and test, each of *.tsv files")
    return parser.parse_args(argv)


def calm_talk(split: str) -> list[str]:
    """Posts and client utterances of a split, and their first sentences, where no danger to life is spoken of."""
    said = []
    for dialogue in shipped_dialogues(split):
        if dialogue.arc != "crisis":
            turns = [turn.utterance_ko for turn in dialogue.utterances if turn.role == "client"]
            said += [dialogue.context, *turns, *(sentence for turn in turns for sentence in sentences(turn)[:1])]
    return [text for text in dict.fromkeys(said) if text and not speaks_of_danger(text)]


if __name__ == "__main__":
    run_command(main)
