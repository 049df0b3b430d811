"""Prints the behaviour measures of any file of dialogues, run folder or source folder.

    python scripts/evaluate_dialogues.py out/run/dialogues.jsonl
    python scripts/evaluate_dialogues.py loading_script/source --json

Reads KMI JSONL, the dataset's Parquet, compact notation, the reference release's JSON, AnnoMI
and plain transcripts (unlabelled, so only counted). Formulas and sources: kmi/metrics/behaviour.py.
"""

import argparse
import json
from collections.abc import Mapping, Sequence

from kmi.corpus.readers import read_dialogues
from kmi.errors import run_command
from kmi.metrics.behaviour import BehaviourReport, measure

RATIOS = {
    "reflection_to_question": "reflections : questions",
    "complex_share": "complex share of reflections",
    "open_share": "open share of questions",
    "change_talk_share": "change talk, share of client turns",
    "change_to_sustain_share": "change talk / (change + sustain talk)",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Reads, measures, prints; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", help="file of dialogues, run folder or source folder")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    args = parser.parse_args(argv)
    found = measure(read_dialogues(args.path))
    print(json.dumps(found.to_dict(), ensure_ascii=False, indent=2) if args.json else as_table(found))
    return 0


def as_table(found: BehaviourReport) -> str:
    """The report as text; shares are of that speaker's turns, "-" is undefined."""
    counts = found.counts
    lines = [
        f"{counts.dialogues:,} sessions, {counts.utterances:,} utterances "
        f"({counts.therapist_turns:,} therapist, {counts.client_turns:,} client)",
        "",
        *_behaviours("therapist", counts.labels, counts.therapist_turns),
        "",
        *_behaviours("client", counts.talk, counts.client_turns),
        "",
    ]
    for name, title in RATIOS.items():
        value = getattr(found, name)
        lines.append(f"{title:<40}{'-' if value is None else f'{value:.2f}':>8}")
    return "\n".join(lines)


def _behaviours(role: str, by_code: Mapping[str, int], turns: int) -> list[str]:
    rows = {**by_code, "(no code)": turns - sum(by_code.values())}
    shares = {name: f"{number / turns:.3f}" if turns else "-" for name, number in rows.items()}
    return [f"{role:<40}{'turns':>8}{'share':>8}", *(f"  {name:<38}{rows[name]:>8,}{shares[name]:>8}" for name in rows)]


if __name__ == "__main__":
    run_command(main)
