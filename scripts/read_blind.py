"""Has a model judge blind: whole sessions of several sources by the rubric, or single answers of two writers.

    python scripts/read_blind.py sessions --source written=a.jsonl --source chatbot=b.jsonl --reader model-1 --out ratings \
        --writer openai --base-url http://127.0.0.1:8000/v1
    python scripts/read_blind.py answers --pairs out/pairs.jsonl --reader model-1 --out model_cards/kmi-chatbot

Pairs come from scripts/evaluate_models.py --pairs. Call it once for each reader; the files in --out gather them. Without --writer
requests go into OUT/batch and answers are read out of it: fill them in and give the same command again. The scores are a model's,
no person's.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.readers import read_dialogues
from kmi.dialogue import json_lines
from kmi.errors import ConfigError, run_command
from kmi.simulation.ledger import Ledger
from kmi.writers import NotYet, make_writer


def main(argv: Sequence[str] | None = None) -> int:
    """Asks, gathers, prints; 0 also where answers are still to come."""
    options = parse(argv)
    options.out.mkdir(parents=True, exist_ok=True)
    work = options.work or options.out
    ledger = Ledger(work / "ledger")
    try:
        found = options.run(options, build_writer(options, work), ledger)
    except NotYet:
        print(f"Requests for {options.reader} wait in {work / 'batch'}; put the answers there and give the same command again.")
        return 0
    finally:
        ledger.close()
    print(found)
    return 0


def sessions(options: argparse.Namespace, writer, ledger: Ledger) -> str:
    """Rates sessions: ratings.csv, ratings.json."""
    from kmi.metrics import blind
    from kmi.metrics.judge import judge

    mixed, key = blind.mix({name: list(read_dialogues(path)) for name, path in map(named, options.source)}, options.seed)
    given = blind.rated(judge(mixed, writer, options.reader, ledger), key)
    file = options.out / "ratings.csv"
    rows = [row for row in blind.read_rows(file) if row.rater != options.reader] + given
    blind.write_rows(rows, file)
    report = blind.report(rows)
    save(report, options.out / "ratings.json")
    return blind.table(report)


def answers(options: argparse.Namespace, writer, ledger: Ledger) -> str:
    """Reads pairs of answers: readings.csv, readings.json."""
    from kmi.dialogue_model import card, reading

    pairs = [pair for _, pair in json_lines(options.pairs)]
    given = reading.read_pairs(pairs, writer, options.reader, ledger)
    file = options.out / "readings.csv"
    everyone = [one for one in reading.load_readings(file) if one.reader != options.reader] + given
    reading.write_readings(everyone, file)
    found = {**reading.summary(everyone), "worst": reading.worst(everyone, pairs)}
    save(found, options.out / "readings.json")
    return card.readings(found)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--reader", required=True, help="the name this reader's scores carry")
    common.add_argument("--out", required=True, type=Path, help="folder of the scores")
    common.add_argument("--work", type=Path, help="folder of requests and answers (default: OUT)")
    common.add_argument("--writer", default="batch", choices=("batch", "openai", "local"), help="who is asked")
    common.add_argument("--model", help="openai: model name; local: folder or Hub name")
    common.add_argument("--base-url", help="openai: address of the server")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    whole = commands.add_parser("sessions", parents=[common], help="rate whole sessions")
    whole.add_argument("--source", action="append", required=True, metavar="NAME=FILE", help="sessions of one source; give two or more")
    whole.add_argument("--seed", type=int, default=0, help="of the drawn order; the same for all readers")
    whole.set_defaults(run=sessions)
    single = commands.add_parser("answers", parents=[common], help="read answers side by side")
    single.add_argument("--pairs", required=True, type=Path, help="written by scripts/evaluate_models.py --pairs")
    single.set_defaults(run=answers)
    return parser.parse_args(argv)


def named(text: str) -> tuple[str, str]:
    """Name and path of NAME=FILE."""
    name, _, path = text.partition("=")
    if not name or not path or name == "all":
        raise ConfigError(f"Expected --source NAME=FILE, got {text!r}.", "For example: --source chatbot=out/run/dialogues.jsonl")
    return name, path


def build_writer(options: argparse.Namespace, work: Path):
    """The model that reads."""
    own = {
        "batch": {"folder": work / "batch", "model": options.model},
        "openai": {"base_url": options.base_url, "model": options.model},
        "local": {"model_path": options.model},
    }[options.writer]
    return make_writer(options.writer, **{name: value for name, value in own.items() if value is not None})


def save(found: dict, path: Path) -> None:
    """Writes a report."""
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run_command(main)
