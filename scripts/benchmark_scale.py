"""Measures a run and a dataset of 100,000 sessions: time and memory of each step, and how both grow.

    python scripts/benchmark_scale.py                  # about an hour and 10 GB of disk
    python scripts/benchmark_scale.py --size 1000

    plan      sessions decided to the end and written as packets
    ledger    answers stored, each a whole session as plan mode asks for it
    sessions  finished dialogues recorded in a run folder
    resume    a run given again: posts read, cases, forecaster, what is over, what was answered; until it could ask
    merge     dialogues.jsonl out of the run folder
    build     the dataset out of dialogues.jsonl, in shards

Each step runs in a process of its own, so that its peak memory is its own, and tells how far it was after a tenth, a half and all of the
work. CPU time is what a busy machine does not change. Sessions are copies of the shipped ones under new ids. Not covered: a model's answers (scripts/benchmark_generation.py).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from kmi.clients.cases import cases_for_posts
from kmi.clients.contexts import Post, read_posts
from kmi.corpus.load import shipped_dialogues
from kmi.corpus.notation import write_notation
from kmi.corpus.sources import read_run
from kmi.dialogue import Dialogue, to_line
from kmi.errors import run_command
from kmi.simulation.ledger import Ledger
from kmi.simulation.run_folder import RunFolder
from kmi.writers.base import Completion, Cue, WriteRequest

CONFIG = {"mode": "plan"}
POSTS = "posts.jsonl"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the steps one after the other and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=100_000, help="sessions (default: 100,000)")
    parser.add_argument("--step", nargs=2, metavar=("STEP", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.step:
        name, folder = options.step
        print(json.dumps(measure(name, options.size, Path(folder))))
        return 0
    print(f"{'step':<10}{'sessions':>10}{'CPU s at 1/10':>15}{'1/2':>9}{'all':>9}{'growth':>8}{'seconds':>9}{'MB at 1/10':>12}{'all':>7}")
    for name, marks in run(options.size):
        first, half, last = (marks.get(str(part), {}) for part in (options.size // 10, options.size // 2, options.size))
        print(f"{name:<10}{options.size:>10,}{_shown(first, 'cpu_sec'):>15}{_shown(half, 'cpu_sec'):>9}{_shown(last, 'cpu_sec'):>9}", end="")
        print(f"{growth(marks):>8.2f}{_shown(last, 'seconds'):>9}{_shown(first, 'peak_mb'):>12}{_shown(last, 'peak_mb'):>7}", flush=True)
    return 0


def run(size: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each step's name and marks; what the steps write is removed at the end."""
    with tempfile.TemporaryDirectory() as folder:
        for name in STEPS:
            command = [sys.executable, __file__, "--size", str(size), "--step", name, folder]
            yield name, json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def growth(marks: dict[str, dict[str, float]]) -> float:
    """CPU time of a session over the whole run to that over the first tenth; 1 is linear, and where only the whole was measured."""
    each = [mark["cpu_sec"] / done for done, mark in sorted((int(done), mark) for done, mark in marks.items())]
    return each[-1] / each[0]


def _shown(mark: dict[str, float], name: str) -> str:
    return f"{mark[name]:,.1f}" if name in mark else "-"


class Marks:
    """Seconds, of the clock and of the CPU, and peak memory in megabytes after a tenth, a half and all of the sessions."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.marks: dict[str, dict[str, float]] = {}
        self.start()

    def start(self) -> None:
        """Sets the clock going."""
        self._start = (time.perf_counter(), time.process_time())

    def over(self, items: Iterable) -> Iterator:
        """Passes the items on, the clock running from the first."""
        self.start()
        for done, item in enumerate(items):
            if done in (self.size // 10, self.size // 2):
                self.mark(done)
            yield item

    def mark(self, done: int) -> None:
        """Notes that so many are done."""
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        start, cpu_start = self._start
        self.marks[str(done)] = {"seconds": time.perf_counter() - start, "cpu_sec": time.process_time() - cpu_start, "peak_mb": peak_mb}


def measure(name: str, size: int, folder: Path) -> dict[str, Any]:
    """Does one step and gives its marks."""
    marks = Marks(size)
    STEPS[name](marks, size, folder)
    marks.mark(size)
    return marks.marks


def plan(marks: Marks, size: int, folder: Path) -> None:
    """A packet for each session."""
    from kmi.forecaster import Forecaster
    from kmi.simulation.decision import kmi_policy
    from kmi.simulation.director import Director
    from kmi.simulation.plan_mode import roll_out

    forecaster = Forecaster.from_pretrained()
    posts = (Post(dialogue.id, dialogue.context) for dialogue in copies(size))
    with (folder / "packets.jsonl").open("w", encoding="utf-8") as file:
        for post in marks.over(posts):
            (case,) = cases_for_posts([post], seed=0)
            file.write(to_line(roll_out(Director(case, forecaster, kmi_policy)).to_dict()))


def ledger(marks: Marks, size: int, folder: Path) -> None:
    """An answer for each session."""
    answers = Ledger(folder / "run" / "ledger")
    for dialogue in marks.over(copies(size)):
        request = WriteRequest(f"{dialogue.id}/session/0", ({"role": "user", "content": dialogue.context},), 8000, 0.8, 1, Cue("session"))
        answers.put(request, Completion(write_notation(dialogue), 3000, 4000, "m"))
    answers.close()


def sessions(marks: Marks, size: int, folder: Path) -> None:
    """A record for each session."""
    opened = run_folder(folder)
    for index, dialogue in enumerate(marks.over(copies(size))):
        opened.record(index, dialogue.id, dialogue=dialogue.to_dict())
    opened.close()


def resume(marks: Marks, size: int, folder: Path) -> None:
    """All that a run does before its first request."""
    from kmi.forecaster import Forecaster

    with (folder / POSTS).open("w", encoding="utf-8") as file:
        file.writelines(to_line({"context": f"{dialogue.context} {dialogue.id}"}) for dialogue in copies(size))
    marks.start()
    cases = cases_for_posts(read_posts(folder / POSTS), seed=0)
    Forecaster.from_pretrained()
    opened = run_folder(folder)
    over, answers = opened.over(), Ledger(folder / "run" / "ledger")
    if not len(cases) == len(over) == len(answers) == size:
        raise RuntimeError(f"{len(cases)} cases, {len(over)} sessions over, {len(answers)} answers; expected {size} of each")
    answers.close()
    opened.close()


def merge(marks: Marks, size: int, folder: Path) -> None:
    """The finished sessions in the order of the posts."""
    opened = run_folder(folder)
    opened.merge()
    opened.close()


def build(marks: Marks, size: int, folder: Path) -> None:
    """The dataset of the run."""
    import datasets  # noqa: F401 - its import is no part of the cost

    from kmi.corpus.build import build_dataset

    build_dataset(marks.over(read_run(folder / "run")), folder / "dataset")


STEPS: dict[str, Callable[[Marks, int, Path], None]] = {
    "plan": plan, "ledger": ledger, "sessions": sessions, "resume": resume, "merge": merge, "build": build,
}  # fmt: skip


def run_folder(folder: Path) -> RunFolder:
    """The run's folder, opened."""
    opened = RunFolder(folder / "run", CONFIG)
    opened.open()
    return opened


def copies(size: int) -> Iterator[Dialogue]:
    """`size` dialogues, made as they are asked for."""
    shipped = list(shipped_dialogues())
    return (replace(dialogue, id=f"{dialogue.id}-{number}") for number, dialogue in enumerate(islice(cycle(shipped), size)))


if __name__ == "__main__":
    run_command(main)
