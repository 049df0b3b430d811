"""Generates labelled Korean MI dialogues from client posts.

    accelerate launch scripts/generate_dialogues.py --contexts posts.jsonl --out run/
    ... --writer openai --base-url http://127.0.0.1:8000/v1 --model NAME --mode plan

Contexts: JSONL with `context` and optionally `category` and `profile`, or plain text, one
post a line. A killed run goes on where it stopped when the same command is given again.
Keys come from the environment only (KMI_API_KEY or OPENAI_API_KEY). After an error the launcher
adds a traceback of its own, which `accelerate launch --quiet` leaves out.
"""

import argparse
import hashlib
import json
import logging
import os
import sys
from pathlib import Path

# Two OpenMP threads beside any busy process make torch crawl on small machines.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OMP_NUM_THREADS", "1")

from kmi.clients.cases import cases_for_posts
from kmi.clients.contexts import read_posts
from kmi.errors import ConfigError, WriterUnavailable, run_command
from kmi.simulation.decision import POLICIES
from kmi.simulation.lines import write_whole
from kmi.simulation.run_folder import RunFolder
from kmi.simulation.runner import MODES, Runner, RunReport

# `accelerate launch --cpu --num_processes 2` starts one process and says nothing.
ONE_PROCESS = (
    "note: the launcher started one process only; for N of them on a CPU:\n"
    "  ACCELERATE_USE_CPU=true accelerate launch --multi_gpu --num_processes N scripts/generate_dialogues.py ..."
)

GO_ON = "The same command goes on where this one stopped: what was answered is kept."
# What a user can do about a check that the answers failed, by the check's name.
ADVICE = {"language": "expected Korean, the answers were in another language: name a --model that writes Korean"}


def main(argv: list[str] | None = None) -> int:
    """Parses `argv`, runs this process's share and, on the main process, merges and reports."""
    options = parse(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    posts = read_posts(options.contexts)
    writer = build_writer(options)
    cases = cases_for_posts(posts, options.seed)
    from kmi.forecaster import Forecaster

    forecaster = Forecaster.from_pretrained()
    if options.dry_run:
        return dry_run(cases, forecaster, options)

    from accelerate import Accelerator

    # Not a bare PartialState: under ACCELERATE_USE_CPU that would be one process, not the launcher's number.
    state = Accelerator()
    if state.num_processes == 1 and "MASTER_ADDR" in os.environ:
        print(ONE_PROCESS, file=sys.stderr)
    config = {
        "mode": options.mode,
        "policy": options.policy,
        "seed": options.seed,
        "forecaster": forecaster.revision,
        "posts": f"{len(cases)} with digest {hashlib.sha256(' '.join(post.id for post in posts).encode()).hexdigest()[:12]}",
    }
    folder = RunFolder(options.out, config, state.process_index, state.num_processes)
    try:
        folder.open()
        state.wait_for_everyone()
        say(state, f"{len(cases)} posts, {options.mode} mode, writer {writer.name}, {state.num_processes} process(es), into {options.out}")
        with Progress(len(cases[state.process_index :: state.num_processes]), shown=state.is_main_process) as progress:
            runner = Runner(
                cases, writer, forecaster, POLICIES[options.policy], options.mode, folder,
                state.process_index, state.num_processes, progress.show,
            )  # fmt: skip
            report = runner.run()
        write_whole(folder.path / f"report-{state.process_index:05d}.json", json.dumps(report.to_dict(), ensure_ascii=False))
        state.wait_for_everyone()
        code = finish(folder, len(cases), state.num_processes) if state.is_main_process else 0
        state.wait_for_everyone()
        return code
    except WriterUnavailable as error:
        raise WriterUnavailable(error.problem, f"{error.next_step} {GO_ON}") from None
    finally:
        folder.close()


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contexts", required=True, type=Path, help="client posts: JSONL, JSON or plain text")
    parser.add_argument("--out", required=True, type=Path, help="folder of the run")
    parser.add_argument("--writer", default="retrieval", help="retrieval (embedded default), chatbot, openai, local or batch")
    parser.add_argument("--mode", default="turn", choices=MODES, help="turn: utterance by utterance; plan: whole sessions")
    parser.add_argument("--policy", default="kmi", choices=list(POLICIES), help="decision policy")
    parser.add_argument("--seed", default=0, type=int, help="decides profiles, arcs and decisions")
    parser.add_argument("--model", help="openai: model name (default: the only one served); local: folder or Hub name")
    parser.add_argument("--base-url", help="openai: address of the server, e.g. http://127.0.0.1:8000/v1")
    parser.add_argument("--opened", action="store_true", default=None, help="openai: the model was trained by scripts/train_chatbot.py and continues opened turns")
    parser.add_argument("--concurrency", type=int, help="openai: requests in flight; local: batch size")
    parser.add_argument("--folder", type=Path, help="batch: folder of requests and completions (default: OUT/batch)")
    parser.add_argument("--dry-run", action="store_true", help="only estimate requests, tokens and cost")
    parser.add_argument("--price-prompt", type=float, default=0.0, help="price of a million prompt tokens, for --dry-run")
    parser.add_argument("--price-output", type=float, default=0.0, help="price of a million output tokens, for --dry-run")
    return parser.parse_args(argv)


def build_writer(options: argparse.Namespace):
    """The writer named by --writer, with the options that are its own."""
    from kmi.writers import make_writer

    own = {
        "openai": {"base_url": options.base_url, "model": options.model, "concurrency": options.concurrency, "opened": options.opened},
        "local": {"model_path": options.model, "batch_size": options.concurrency},
        "batch": {"folder": options.folder or options.out / "batch", "model": options.model},
    }.get(options.writer, {})
    if options.writer == "local" and not options.model:
        raise ConfigError("--writer local needs a model.", "Add --model FOLDER (a causal model with a chat template).")
    if options.mode == "plan" and (options.writer in ("retrieval", "chatbot") or options.opened):
        raise ConfigError(f"The {options.writer} writer works turn by turn{' where turns are opened' if options.opened else ''}.", "Use --mode turn, or another --writer for --mode plan.")
    return make_writer(options.writer, **{name: value for name, value in own.items() if value is not None})


def dry_run(cases: list, forecaster, options: argparse.Namespace) -> int:
    """Prints what the run would ask for and, with prices, cost."""
    from kmi.simulation.estimate import estimate

    expected = estimate(cases, forecaster, POLICIES[options.policy], options.mode)
    cost = expected.cost(options.price_prompt, options.price_output)
    print(f"sessions        {expected.sessions:>12,}")
    print(f"requests        {expected.requests:>12,}")
    print(f"prompt tokens   {expected.prompt_tokens:>12,}  (estimated)")
    print(f"output tokens   {expected.output_tokens:>12,}  (estimated)")
    print(f"cost            {cost:>12,.2f}  (at --price-prompt {options.price_prompt}, --price-output {options.price_output} a million)")
    return 0


def finish(folder: RunFolder, sessions: int, processes: int) -> int:
    """Merges all processes' sessions, prints the closing report and gives the exit code."""
    counts = folder.merge()
    parts = [json.loads((folder.path / f"report-{n:05d}.json").read_text()) for n in range(processes)]
    total = {name: sum(part[name] for part in parts) for name in parts[0] if isinstance(parts[0][name], (int, float))}
    reasons: dict[str, int] = {}
    for part in parts:
        for reason, count in part["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    total |= {"seconds": max(part["seconds"] for part in parts), "reasons": reasons, "sessions": sessions, "over": counts}
    write_whole(folder.path / "report.json", json.dumps(total, ensure_ascii=False, indent=2) + "\n")
    left = sessions - counts["finished"] - counts["failed"]
    print(f"finished {counts['finished']}, failed {counts['failed']}, waiting {total['waiting']}, unanswered {total['unanswered']} of {sessions} sessions")
    print(
        f"this run: {total['seconds']:.0f} s, {total['asked']} requests asked, {total['from_ledger']} from the ledger, "
        f"{total['prompt_tokens']:,} prompt and {total['output_tokens']:,} output tokens"
    )
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:10]:
        print(f"  {count:>5} x {reason}" + (f" ({ADVICE[reason]})" if reason in ADVICE else ""))
    print(f"dialogues: {folder.path / 'dialogues.jsonl'}")
    if counts["failed"]:
        print(f"why sessions failed: {folder.path / 'failures.jsonl'}; they are over here, for another try name another --out.")
    if left:
        print(f"{left} session(s) are not over; give the same command again to go on.")
    return 0 if counts["finished"] or left == total["waiting"] > 0 else 1


def say(state, text: str) -> None:
    """Prints on the main process only."""
    if state.is_main_process:
        print(text, flush=True)


class Progress:
    """A bar over this process's sessions: rate, time left, requests and tokens so far."""

    def __init__(self, total: int, *, shown: bool) -> None:
        from tqdm import tqdm

        self.bar = tqdm(total=total, disable=not shown, unit="session", file=sys.stderr, mininterval=1.0)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def show(self, report: RunReport) -> None:
        """Moves the bar to the report's state."""
        done = report.already_over + report.sessions_done + report.waiting + report.unanswered
        self.bar.update(done - self.bar.n)
        self.bar.set_postfix(requests=report.asked, tokens=report.prompt_tokens + report.output_tokens, failed=report.failed, refresh=False)


if __name__ == "__main__":
    run_command(main)
