"""Has a model rate sessions of several sources blind, and prints what it found.

    python scripts/rate_sessions.py --source written=a.jsonl --source chatbot=b.jsonl --rater model-1 --out ratings \\
        --writer openai --base-url http://127.0.0.1:8000/v1
    ... --writer batch     # requests into ratings/batch, answers out of it: give the same command again

The rater sees sessions in drawn order under new names, without codes. Call it once for each rater; RATINGS/ratings.csv gathers them,
RATINGS/report.json holds means, intervals, alpha and ICC by source. The scores are a model's, no clinician's.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.readers import read_dialogues
from kmi.errors import ConfigError, run_command
from kmi.metrics import blind
from kmi.metrics.judge import judge
from kmi.simulation.ledger import Ledger
from kmi.writers import NotYet, make_writer


def main(argv: Sequence[str] | None = None) -> int:
    """Mixes, asks, gathers, prints; 0 also where answers are still to come."""
    options = parse(argv)
    sessions, key = blind.mix({name: list(read_dialogues(path)) for name, path in map(named, options.source)}, options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(options.out / "ledger")
    try:
        given = judge(sessions, build_writer(options), options.rater, ledger)
    except NotYet:
        print(f"{len(sessions)} sessions wait for {options.rater}'s answers in {options.out / 'batch'}; give the same command again.")
        return 0
    finally:
        ledger.close()
    file = options.out / "ratings.csv"
    rows = [row for row in blind.read_rows(file) if row.rater != options.rater] + blind.rated(given, key)
    blind.write_rows(rows, file)
    report = blind.report(rows)
    (options.out / "report.json").write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(blind.table(report))
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", action="append", required=True, metavar="NAME=FILE", help="sessions of one source; give two or more")
    parser.add_argument("--rater", required=True, help="the name this rater's scores carry")
    parser.add_argument("--out", required=True, type=Path, help="folder of ratings, report and answers")
    parser.add_argument("--seed", type=int, default=0, help="of the drawn order; the same for all raters")
    parser.add_argument("--writer", default="batch", choices=("batch", "openai", "local"), help="who is asked")
    parser.add_argument("--model", help="openai: model name; local: folder or Hub name")
    parser.add_argument("--base-url", help="openai: address of the server")
    return parser.parse_args(argv)


def named(text: str) -> tuple[str, str]:
    """Name and path of NAME=FILE."""
    name, _, path = text.partition("=")
    if not name or not path or name == "all":
        raise ConfigError(f"Expected --source NAME=FILE, got {text!r}.", "For example: --source chatbot=out/run/dialogues.jsonl")
    return name, path


def build_writer(options: argparse.Namespace):
    """The rating model."""
    own = {
        "batch": {"folder": options.out / "batch", "model": options.model},
        "openai": {"base_url": options.base_url, "model": options.model},
        "local": {"model_path": options.model},
    }[options.writer]
    return make_writer(options.writer, **{name: value for name, value in own.items() if value is not None})


if __name__ == "__main__":
    run_command(main)
