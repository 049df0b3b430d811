"""Second coding of the held-out dialogues: gives out unlabelled text, takes codes back, says how far they agree.

    python scripts/second_coding.py export --out out/coding            # guide.md and part-NN.txt, for a coder who saw no label
    python scripts/second_coding.py take out/coding/part-01.codes.txt  # writes <batch>.second.jsonl beside the sources
    python scripts/second_coding.py agreement --write                  # kappa of both codes as first given, for the card

An export holds what has no second codes yet. Codes once taken are not overwritten.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.second_coding import AGREEMENT_FILE, HELD_OUT, agreement_json, agreement_of, read_codes, write_export
from kmi.corpus.sources import read_batch, read_sources
from kmi.dialogue import Dialogue, json_lines, to_line
from kmi.errors import DataError, run_command

SOURCE = Path(__file__).resolve().parents[1] / "loading_script" / "source"


def main(argv: Sequence[str] | None = None) -> int:
    """Parses `argv` and runs one of the three commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, default=SOURCE, help="folder of source texts")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write unlabelled text and the coding guide")
    export.add_argument("--out", type=Path, required=True)
    take = commands.add_parser("take", help="store a coder's answers beside the sources")
    take.add_argument("answers", type=Path, nargs="+")
    agree = commands.add_parser("agreement", help="print Cohen's kappa, both codes as first given")
    agree.add_argument("--write", action="store_true", help="store it as agreement.json, which the dataset card shows")
    options = parser.parse_args(argv)
    if options.command == "export":
        held_out = [d for d in read_sources(options.source) if d.split in HELD_OUT and not is_coded(d)]
        parts = write_export(held_out, options.out)
        print(f"{len(held_out)} dialogues in {len(parts)} parts, with guide.md, in {options.out}")
    elif options.command == "take":
        print(f"{take_answers(options.source, options.answers)} dialogues coded")
    else:
        found = agreement_of(read_sources(options.source, corrected=False))
        for role, scores in found.items():
            print(role, *(f"  {name}: {score}" for name, score in scores.items()), sep="\n")
        if options.write:
            (options.source / AGREEMENT_FILE).write_text(agreement_json(found), encoding="utf-8")
    return 0


def is_coded(dialogue: Dialogue) -> bool:
    """Whether a second coder has coded it."""
    return any(turn.label_second or turn.talk_second for turn in dialogue.utterances)


def take_answers(source: Path, answers: Sequence[Path]) -> int:
    """Adds the records of all answers to the second codes of their batches, or of none if one does not hold; returns how many."""
    batch_of = {d.id: (path, d) for path in sorted(source.rglob("*.txt")) for d in read_batch(path) if d.split in HELD_OUT}
    held_out = [dialogue for _, dialogue in batch_of.values()]
    taken = {dialogue.id for dialogue in held_out if is_coded(dialogue)}
    records: dict[Path, list[dict]] = defaultdict(list)
    for path in answers:
        for dialogue, record in read_codes(path, held_out):
            if dialogue.id in taken:
                raise DataError(f"{path}: {dialogue.id} has second codes already.", "Take its section out.")
            taken.add(dialogue.id)
            records[batch_of[dialogue.id][0].with_suffix(".second.jsonl")].append(record)
    for path, new in records.items():
        known = [record for _, record in json_lines(path)] if path.exists() else []
        path.write_text("".join(map(to_line, [*known, *new])), encoding="utf-8")
    return sum(map(len, records.values()))


if __name__ == "__main__":
    run_command(main)
