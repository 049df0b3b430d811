"""Prints the MI report of any file of dialogues, run folder or source folder.

    python scripts/evaluate_dialogues.py out/run/dialogues.jsonl
    python scripts/evaluate_dialogues.py loading_script/source --json
    python scripts/evaluate_dialogues.py transcript.csv --html report.html

    python scripts/evaluate_dialogues.py transcript.txt --coder kmi-coder

Reads KMI JSONL, the dataset's Parquet, compact notation, the reference release's JSON, AnnoMI, plain
transcripts and what convert_dialogues.py writes. What has no codes is only counted, unless --coder codes it from its text.
Formulas and sources: kmi/metrics/.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.readers import read_dialogues
from kmi.errors import run_command
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import as_html, as_json, as_text, report
from kmi.metrics.scores import Resampling


def main(argv: Sequence[str] | None = None) -> int:
    """Reads, measures, prints; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", help="file of dialogues, run folder or source folder")
    parser.add_argument("--coder", metavar="NAME", help='code what has no code: "kmi-coder", a folder or a Hub repository')
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as a page")
    parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples for the intervals, 0 for none (default: 1000)")
    args = parser.parse_args(argv)
    dialogues = read_dialogues(args.path)
    if args.coder:
        from kmi.coder import Coder

        dialogues = Coder.from_pretrained(args.coder).code_dialogues(dialogues)
    found = report(from_dialogues(dialogues), Resampling(args.resamples))
    if args.html:
        args.html.write_text(as_html(found, Path(args.path).name), encoding="utf-8")
        print(f"written to {args.html}")
    else:
        print(as_json(found) if args.json else as_text(found))
    return 0


if __name__ == "__main__":
    run_command(main)
