"""Builds the dataset: source texts and generation runs become Parquet tables and their cards.

    python scripts/build_dataset.py                                      # loading_script/ from loading_script/source
    python scripts/build_dataset.py --run out/run --out out/dataset      # a dataset of simulated sessions

The same input gives the same bytes. The published folder loading_script/ is always built from its
sources, runs may be added, sessions of the retrieval writer may not.
"""

import argparse
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from kmi.corpus.build import build_dataset, is_published
from kmi.corpus.sources import read_run, read_sources
from kmi.errors import ConfigError, run_command

REPOSITORY = Path(__file__).resolve().parents[1] / "loading_script"


def main(argv: Sequence[str] | None = None) -> int:
    """Reads, builds, prints rows per table; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--source", type=Path, help="folder of source texts (default: loading_script/source, or none if --run is given)"
    )
    parser.add_argument(
        "--run", type=Path, action="append", default=[], metavar="DIR", help="generation run; may be repeated"
    )
    parser.add_argument("--out", type=Path, default=REPOSITORY, help="dataset folder (default: loading_script)")
    args = parser.parse_args(argv)
    source = args.source or (None if args.run else REPOSITORY / "source")
    if source is None and is_published(args.out):
        raise ConfigError(
            f"{args.out} is the published dataset and is always built from its sources.",
            "Add --source loading_script/source, or name another --out, e.g. --out out/dataset.",
        )
    dialogues = chain(read_sources(source) if source else (), *map(read_run, args.run))
    for table, splits in build_dataset(dialogues, args.out).items():
        print(f"{table:<12}" + ", ".join(f"{split} {rows:,}" for split, rows in splits.items()))
    print(f"written to {args.out}")
    return 0


if __name__ == "__main__":
    run_command(main)
