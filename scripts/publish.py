"""Publishes the dataset, the models, the metrics and the Space to the Hugging Face Hub.

    python scripts/publish.py --namespace ORG --dry-run            # what would be done, with sizes
    python scripts/publish.py --namespace ORG --tag v0.1.0         # private; --public to show it to everyone
    python scripts/publish.py --namespace ORG --only models,space

Nothing is uploaded unless every repository may go: cards valid, figures current, files safe, working tree clean, token able to
write. Only what changed is sent, one commit a repository; after a break the same command does the rest. The token comes
from `hf auth login` or HF_TOKEN.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kmi import __version__
from kmi.errors import ConfigError, run_command
from kmi.publishing import checks, hub
from kmi.publishing.repositories import KINDS, Target, repositories, source_commit
from kmi.publishing.staging import Staged, build_wheel, stage

ROOT = Path(__file__).resolve().parents[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Stages, checks, compares and sends."""
    options = parse(argv)
    # Only now, so that HF_ENDPOINT and offline mode are read once and --help is quick.
    from huggingface_hub import HfApi, constants, get_token

    target = Target(options.namespace, options.tag or "main", constants.ENDPOINT)
    api = HfApi(token=get_token() or False, library_name="kmi", library_version=__version__)
    commit = source_commit(ROOT)
    if not options.dry_run or api.token:
        hub.check_rights(api, target)
    with tempfile.TemporaryDirectory(prefix="kmi-publish-") as scratch:
        staged = stage_all(options.only, target, Path(scratch))
        refuse([*checks.stale(ROOT), *(fault for one in staged for fault in checks.faults(one))])
        if api.token:
            refuse(hub.check_cards(staged))
            plans = [hub.plan(one, target, api) for one in staged]
        else:
            plans = [hub.Plan(one, target.id(one.repository.name), existing=None, added=one.files) for one in staged]
        try:
            for plan in plans if not options.dry_run else ():
                hub.send(plan, target, api, f"KMI {__version__} (source {commit})", private=options.private)
                print(f"{plan.id}: {plan.outcome[:12] or 'nothing to send'}", file=sys.stderr)
        finally:
            print(hub.table(plans, target))
    if options.private is not False:
        print("While the dataset repository is private, neither the Space nor anyone else can install the wheel in it; --public shows it.", file=sys.stderr)
    return 0


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespace", required=True, help="your user or organisation on the Hub")
    parser.add_argument("--only", type=_kinds, default=KINDS, help=f"some of {','.join(KINDS)} (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="check and compare, send nothing")
    parser.add_argument("--tag", help="tag every repository, and have links name the tag, e.g. v0.1.0")
    seen = parser.add_mutually_exclusive_group()
    seen.add_argument("--public", dest="private", action="store_false", default=None, help="let everyone see it")
    seen.add_argument("--private", dest="private", action="store_true", help="let only the namespace see it (default for new repositories)")
    return parser.parse_args(argv)


def _kinds(text: str) -> tuple[str, ...]:
    wanted = text.split(",")
    if unknown := [kind for kind in wanted if kind not in KINDS]:
        raise argparse.ArgumentTypeError(f"expected some of {','.join(KINDS)}, got {','.join(unknown)}")
    return tuple(kind for kind in KINDS if kind in wanted)


def stage_all(kinds: tuple[str, ...], target: Target, scratch: Path) -> list[Staged]:
    """Copies of the repositories as the Hub gets them."""
    wheel = build_wheel(ROOT, scratch / "wheel")
    return [stage(one, target, wheel, scratch / one.kind / one.name) for one in repositories(ROOT, kinds)]


def refuse(faults: list[str]) -> None:
    """Raises `ConfigError` naming every fault, if there is any."""
    if faults:
        raise ConfigError("Nothing was uploaded. Expected repositories without a fault, got:\n  " + "\n  ".join(faults) + "\n", "Mend these and type the same command again.")


if __name__ == "__main__":
    run_command(main)
