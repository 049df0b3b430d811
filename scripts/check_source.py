"""Checks source texts: file, line and what to change, then habits over all of them.

    python scripts/check_source.py loading_script/source/family/batch-003.txt
    python scripts/check_source.py loading_script/source

Exit code 1 where a dialogue fails a check; habits are reported and do not fail a single file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from kmi.corpus.dialogue_checks import check_dialogue
from kmi.corpus.notation import read_located
from kmi.corpus.sources import read_batch
from kmi.corpus.style_checks import habits, recurring
from kmi.errors import ConfigError, DataError, run_command
from kmi.metrics.coded import from_dialogues
from kmi.metrics.report import report
from kmi.metrics.scores import NO_INTERVALS


def main(argv: list[str] | None = None) -> int:
    """Parses `argv`, checks every text and prints what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="source texts or folders of them")
    options = parser.parse_args(argv)
    files = [file for path in options.paths for file in (sorted(path.rglob("*.txt")) if path.is_dir() else [path])]
    if not files:
        raise ConfigError(f"Expected source texts at {', '.join(map(str, options.paths))}, found none.")
    dialogues, problems = [], 0
    for file in files:
        found = check_file(file, dialogues)
        problems += len(found)
        print("\n".join(found), end="\n" if found else "")
    print(f"{len(files)} file(s), {len(dialogues)} dialogue(s), {problems} problem(s)")
    for habit in habits(dialogues):
        mark = "  <- outside its limits" if habit.over else ""
        print(f"  {habit.name}: {habit.count} of {habit.base} {habit.of} ({habit.share:.3f}){mark}")
    spans = recurring(dialogues, at_least=max(3, len(dialogues) // 20))[:15]
    if spans:
        print("  recurring: " + "; ".join(f"{span} ({count})" for span, count in spans))
    if dialogues:
        found = report(from_dialogues(dialogues), NO_INTERVALS)
        print(f"  therapist: {found.fidelity.counts}, client: {found.talk.counts}")
        print("  " + ", ".join(f"{name} {value}" for name, value in found.scores.items() if value.value is not None))
    return 1 if problems else 0


def check_file(file: Path, dialogues: list) -> list[str]:
    """Appends the file's dialogues to `dialogues` and returns its findings, each with file and line."""
    try:
        own = list(read_batch(file))
    except DataError as error:
        return [str(error)]
    dialogues += own
    lines = turn_lines(file)
    return [
        f"{file}, line {lines[finding.dialogue_id][finding.turn or 0]}: {finding.rule}: {finding.message}"
        for dialogue in own
        for finding in check_dialogue(dialogue)
    ]


def turn_lines(file: Path) -> dict[str, Sequence[int]]:
    """Line numbers of the turns of each session."""
    located = read_located(file.read_text(encoding="utf-8-sig"), where=str(file))
    return {session.dialogue.id: session.turn_lines for session in located}


if __name__ == "__main__":
    run_command(main)
