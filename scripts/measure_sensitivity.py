"""Measures on AnnoMI which figures separate good counselling from poor, and the reference bands.

    python scripts/measure_sensitivity.py --annomi DIR            # prints the tables
    python scripts/measure_sensitivity.py --annomi DIR --write    # into the metric cards and kmi/metrics/bands.toml

Only counts and figures are written, never AnnoMI's text.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.annomi import load_annomi
from kmi.errors import run_command
from kmi.metrics.bands import bands_toml
from kmi.metrics.sensitivity import MODULES, effects, table, with_table

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Measures, prints or writes; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annomi", type=Path, required=True, help="folder with the AnnoMI files (scripts/prepare_annomi.py)")
    parser.add_argument("--write", action="store_true", help="update the metric cards and the bands")
    options = parser.parse_args(argv)
    high, low = load_annomi(options.annomi, "high"), load_annomi(options.annomi, "low")
    found = effects(high, low)
    for module in MODULES:
        text = table(found, module)
        print(f"{module}\n{text}\n")
        if options.write:
            card = ROOT / "evaluate_metrics" / module / "README.md"
            card.write_text(with_table(card.read_text(encoding="utf-8"), text), encoding="utf-8")
    bands = bands_toml({"annomi_high": high, "annomi_low": low})
    print(bands)
    if options.write:
        (ROOT / "kmi" / "metrics" / "bands.toml").write_text(bands, encoding="utf-8")
    return 0


if __name__ == "__main__":
    run_command(main)
