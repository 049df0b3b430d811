"""Plans the corpus: draws lives with quotas and rolls every session out into packets.

    python scripts/plan_corpus.py --out loading_script/source
    python scripts/plan_corpus.py --out loading_script/source --show family/batch-003

Writes `<category>/batch-NNN.packets.jsonl`, four packets a file; existing files stay as they
are, so that texts written from them keep their plan. `--show` prints the prompts of one
batch: what a writer, model or person, is asked to write into `batch-NNN.txt`.
"""

import argparse
import json
from itertools import groupby
from pathlib import Path

import kmi
from kmi.clients.lives import draw_lives
from kmi.codes import CATEGORIES
from kmi.dialogue import json_lines, to_line
from kmi.errors import ConfigError, run_command
from kmi.simulation.decision import kmi_policy
from kmi.simulation.director import Director
from kmi.simulation.plan_mode import Packet, plan_lines, roll_out
from kmi.simulation.prompting import session_messages

PER_BATCH = 4
WRITER = "large language model"


def main(argv: list[str] | None = None) -> int:
    """Parses `argv`; plans, or shows one batch."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, type=Path, help="source folder, one folder per category in it")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--show", metavar="CATEGORY/BATCH", help="print the prompts of one planned batch")
    options = parser.parse_args(argv)
    if options.show:
        return show(options.out / f"{options.show}.packets.jsonl")
    from kmi.forecaster import Forecaster

    return plan(options.out, options.seed, Forecaster.from_pretrained())


def plan(out: Path, seed: int, forecaster) -> int:
    """Writes the packets of every batch that does not exist yet."""
    written = kept = 0
    lives = draw_lives(seed)
    for category, group in groupby(lives, key=lambda life: life.case.category):
        members = list(group)
        for start in range(0, len(members), PER_BATCH):
            path = out / CATEGORIES[category].slug / f"batch-{start // PER_BATCH + 1:03d}.packets.jsonl"
            if path.exists():
                kept += 1
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            records = [record(roll_out(Director(life.case, forecaster, kmi_policy)), life.split) for life in members[start : start + PER_BATCH]]
            path.write_text("".join(map(to_line, records)), encoding="utf-8")
            written += 1
    print(f"{len(lives)} lives; {written} batches planned, {kept} kept as they were, in {out}")
    return 0


def record(packet: Packet, split: str) -> dict:
    """The packet's line, with its split and who will write it."""
    planned = packet.to_dict()
    planned["split"] = split
    planned["provenance"] = {"writer": WRITER, **planned["provenance"], "package_version": kmi.__version__}
    return planned


def show(path: Path) -> int:
    """Prints system and user prompt of every packet of a batch."""
    if not path.is_file():
        raise ConfigError(f"Expected packets at {path}, found none.", "Plan first: python scripts/plan_corpus.py --out SOURCE")
    for number, (_, planned) in enumerate(json_lines(path)):
        packet = Packet.from_dict(planned)
        system, user = session_messages(packet.case, plan_lines(packet))
        if number == 0:
            print(system["content"])
        print(f"\n######## {packet.case.id} (readiness and split: {json.dumps([packet.case.profile.readiness, planned['split']])})")
        print(user["content"])
    return 0


if __name__ == "__main__":
    run_command(main)
