"""Converts dialogues to a format of another tool: TRL, ShareGPT, a ConvoKit corpus or a CSV for spreadsheets.

    python scripts/convert_dialogues.py kmi --to trl --split train --out out/kmi_train.jsonl
    python scripts/convert_dialogues.py out/run --to convokit --out out/corpus
    python scripts/convert_dialogues.py transcript.txt --to csv --out transcript.csv --language en

Reads the shipped dataset by the word "kmi" and whatever evaluate_dialogues.py reads, these formats among it. An export holds one
language. Formats: kmi/corpus/exchange.py, spreadsheet.py, convokit.py.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kmi import codes
from kmi.corpus.convokit import write_convokit
from kmi.corpus.exchange import TEXTS, write_sharegpt, write_trl
from kmi.corpus.load import shipped_dialogues
from kmi.corpus.readers import read_dialogues
from kmi.corpus.spreadsheet import write_csv
from kmi.errors import run_command

WRITERS = {"trl": write_trl, "sharegpt": write_sharegpt, "convokit": write_convokit, "csv": write_csv}


def main(argv: Sequence[str] | None = None) -> int:
    """Reads, converts, prints how many; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input", help='file of dialogues, run folder, source folder or ConvoKit corpus; "kmi" for the shipped dataset')
    parser.add_argument("--to", choices=WRITERS, required=True, help="format to write")
    parser.add_argument("--out", type=Path, required=True, help="file to write, for convokit a folder; must not exist")
    parser.add_argument("--language", choices=TEXTS, default="ko", help="language of the texts (default: ko)")
    parser.add_argument("--split", choices=codes.SPLITS, help="only the dialogues of this split (default: all)")
    args = parser.parse_args(argv)
    dialogues = shipped_dialogues() if args.input == "kmi" else read_dialogues(args.input)
    chosen = (dialogue for dialogue in dialogues if args.split in (None, dialogue.split))
    count = WRITERS[args.to](chosen, args.out, args.language)
    print(f"{count:,} dialogues written to {args.out}")
    return 0


if __name__ == "__main__":
    run_command(main)
