"""The Hub repositories that a checkout holds, and where they will be.

A dataset, three models, six metrics (on the Hub a metric is a Space that `evaluate` reads) and the Space. Only what git
tracks goes into them, so nothing left lying about can. Not covered: their files as the Hub gets them (`kmi.publishing.staging`).
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kmi.errors import ConfigError

KINDS = ("dataset", "models", "metrics", "space")
"""The order of publishing: what others refer to comes first."""
HUB = "https://huggingface.co"
NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Repository:
    """One of KMI's repositories: its kind in `KINDS`, its name on the Hub, the Hub's type for it, its folder in the checkout."""

    kind: str
    name: str
    type: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Target:
    """Where repositories go: a user or organisation, the revision links point to ("main" or a tag), the Hub's address."""

    namespace: str
    revision: str = "main"
    endpoint: str = HUB

    def __post_init__(self) -> None:
        for what, name in (("namespace", self.namespace), ("tag", self.revision)):
            if not NAME.fullmatch(name) or ".." in name or "--" in name:
                raise ConfigError(f"Expected a {what} of letters, digits, '-', '_' and '.', got {name!r}.", "Type --namespace with your user or organisation.")

    def id(self, name: str) -> str:
        """A repository's id, e.g. "ORG/kmi"."""
        return f"{self.namespace}/{name}"

    def url(self, type_: str, name: str) -> str:
        """A repository's page."""
        return f"{self.endpoint}/{'' if type_ == 'model' else type_ + 's/'}{self.id(name)}"


def repositories(root: Path, kinds: tuple[str, ...] = KINDS) -> list[Repository]:
    """The repositories of these kinds in a checkout, in the order of publishing.

    Raises:
        ConfigError: if the folder is no checkout of KMI.
    """
    found = {
        "dataset": [Repository("dataset", "kmi", "dataset", root / "loading_script")],
        "models": [Repository("models", folder.name, "model", folder) for folder in sorted((root / "model_cards").glob("*/"))],
        "metrics": [Repository("metrics", folder.name, "space", folder) for folder in sorted((root / "evaluate_metrics").glob("[!_]*/"))],
        "space": [Repository("space", "kmi", "space", root / "spaces" / "kmi")],
    }
    for kind in kinds:
        if not found[kind] or not all((one.folder / "README.md").is_file() for one in found[kind]):
            raise ConfigError(f"Expected the {kind} with a README.md in a checkout at {root}, found none.", "Run it from a clone of the KMI repository.")
    return [one for kind in kinds for one in found[kind]]


def tracked_files(folder: Path) -> list[Path]:
    """The files of a folder that git tracks, relative to it, sorted."""
    listed = git(folder, "ls-files", "-z", "--", ".").split("\0")
    return sorted(Path(name) for name in listed if name)


def source_commit(root: Path) -> str:
    """The commit of a clean checkout, shortened.

    Raises:
        ConfigError: if something is not committed: what is published must be found again.
    """
    changed = git(root, "status", "--porcelain").splitlines()
    if changed:
        some = ", ".join(line[3:] for line in changed[:5])
        raise ConfigError(f"Expected a clean working tree, got {len(changed)} changed or new file(s): {some}.", "Commit or remove them: git status")
    return git(root, "rev-parse", "--short=12", "HEAD").strip()


def git(folder: Path, *arguments: str) -> str:
    """What git says in this folder."""
    try:
        done = subprocess.run(["git", "-c", "core.quotepath=off", *arguments], cwd=folder, capture_output=True, check=True)
    except FileNotFoundError:
        raise ConfigError("Publishing needs git, which was not found.", "Install git.") from None
    except subprocess.CalledProcessError as error:
        raise ConfigError(f"Expected a git checkout at {folder}: {error.stderr.decode(errors='replace').strip()}.", "Run it from a clone of the KMI repository.") from None
    return done.stdout.decode("utf-8")
