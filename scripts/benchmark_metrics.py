"""Times the metrics on many dialogues: seconds, memory, how cost grows, and the bootstrap.

    python scripts/benchmark_metrics.py                     # 100,000 dialogues, 2.4 million utterances
    python scripts/benchmark_metrics.py --dialogues 5000

Dialogues are copies of the shipped ones under new ids; reading files is not timed. Each size runs in a process of its own, so
that its peak memory is its own.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence

from kmi.errors import run_command

BOOTSTRAP_DIALOGUES = 1000


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the sizes one after the other and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dialogues", type=int, default=100_000, help="size of the largest run (default: 100,000)")
    parser.add_argument("--one", type=int, metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        print(json.dumps(measure(options.one)))
        return 0
    print(f"{'dialogues':>10}{'utterances':>12}{'arrays s':>10}{'figures s':>11}{'peak MB':>9}{'us/utterance':>14}")
    for size in (options.dialogues // 4, options.dialogues // 2, options.dialogues):
        found = json.loads(subprocess.run([sys.executable, __file__, "--one", str(size)], capture_output=True, text=True, check=True).stdout)
        per = 1e6 * (found["arrays"] + found["figures"]) / found["utterances"]
        print(f"{size:>10,}{found['utterances']:>12,}{found['arrays']:>10.1f}{found['figures']:>11.1f}{found['peak_mb']:>9,.0f}{per:>14.2f}")
    print(f"bootstrap of 1,000 resamples on {BOOTSTRAP_DIALOGUES:,} dialogues: {bootstrap_seconds():.1f} s")
    return 0


def measure(size: int) -> dict[str, float]:
    """Turns `size` dialogues into arrays and computes every figure, without bootstrap."""
    from kmi.metrics.coded import from_dialogues
    from kmi.metrics.report import report
    from kmi.metrics.scores import NO_INTERVALS

    dialogues = copies(size)
    utterances = 0

    def counted():
        nonlocal utterances
        for dialogue in dialogues:
            utterances += dialogue.turns
            yield dialogue

    start = time.perf_counter()
    coded = from_dialogues(counted())
    arrays = time.perf_counter() - start
    start = time.perf_counter()
    report(coded, NO_INTERVALS)
    figures = time.perf_counter() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"utterances": utterances, "arrays": arrays, "figures": figures, "peak_mb": peak_mb}


def bootstrap_seconds() -> float:
    """Seconds of the whole report with its intervals."""
    from kmi.metrics.coded import from_dialogues
    from kmi.metrics.report import report

    coded = from_dialogues(copies(BOOTSTRAP_DIALOGUES))
    start = time.perf_counter()
    report(coded)
    return time.perf_counter() - start


def copies(size: int):
    """`size` dialogues, made as they are asked for."""
    from dataclasses import replace
    from itertools import cycle, islice

    from kmi.corpus.load import shipped_dialogues

    shipped = list(shipped_dialogues())
    return (replace(dialogue, id=f"{dialogue.id}-{i}") for i, dialogue in enumerate(islice(cycle(shipped), size)))


if __name__ == "__main__":
    run_command(main)
