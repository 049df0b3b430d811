"""Repositories as the Hub gets them: a copy of what git tracks, names that hold in a checkout replaced by those of the Hub.

In a checkout `load_dataset("kmi")`, `model_cards/kmi-coder` and `evaluate_metrics/mi_fidelity` name things; a stranger needs
`ORG/kmi` and so on. `kmi` is not on PyPI, so the dataset repository carries the wheel and requirements name its address.

Not covered: whether the outcome may be published (`kmi.publishing.checks`).
"""

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kmi.errors import ConfigError
from kmi.publishing.repositories import Repository, Target, tracked_files

WHEELS = "dist"  # folder of the wheel in the dataset repository
FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
# On the Hub a Space starts without these and would fetch them at the first visit; this has the Hub do it while building.
PRELOADED = ("kmi-coder", "kmi-chatbot")


@dataclass(frozen=True, slots=True)
class Staged:
    """A repository ready to be looked at and sent: `files` are relative to `folder`."""

    repository: Repository
    folder: Path

    @property
    def files(self) -> list[Path]:
        """Every file, sorted."""
        return sorted(path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())


def build_wheel(root: Path, out: Path) -> Path:
    """Builds the wheel of a checkout into `out`, in this environment and without the network.

    Raises:
        ConfigError: if it cannot be built; with the end of what the build said.
    """
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", scratch, str(root)]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = sorted(Path(scratch).glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            raise ConfigError(f"The wheel could not be built: {(done.stderr or done.stdout)[-400:].strip()}", "Install what building needs: pip install 'kmi[dev]'")
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(wheels[0], out / wheels[0].name))


def stage(repository: Repository, target: Target, wheel: Path, out: Path) -> Staged:
    """Copies a repository's tracked files to `out`, with names for the Hub; the dataset's with the wheel.

    Args:
        repository: what to copy.
        target: where it will be.
        wheel: the built wheel of the same checkout.
        out: a folder that does not exist yet.
    """
    for name in tracked_files(repository.folder):
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(repository.folder / name, path, follow_symlinks=False)
    if repository.type == "dataset":
        (out / WHEELS).mkdir()
        shutil.copyfile(wheel, out / WHEELS / wheel.name)
    readme = out / "README.md"
    readme.write_text(card_for_hub(readme.read_text(encoding="utf-8"), repository, target, wheel.name), encoding="utf-8")
    requirements = out / "requirements.txt"
    if requirements.is_file():
        requirements.write_text(requirements_for_hub(requirements.read_text(encoding="utf-8"), target, wheel.name), encoding="utf-8")
    return Staged(repository, out)


def requirements_for_hub(text: str, target: Target, wheel: str) -> str:
    """Requirements whose `kmi` lines name the wheel in the dataset repository."""
    return re.sub(r"^(kmi(?:\[[\w,]+\])?)[ \t]*$", rf"\1 @ {wheel_address(target, wheel)}", text, flags=re.MULTILINE)


def card_for_hub(text: str, repository: Repository, target: Target, wheel: str) -> str:
    """A card whose metadata, code and links name the repositories of `target`."""
    front = FRONT_MATTER.match(text)
    if not front:
        raise ConfigError(f"Expected {repository.folder / 'README.md'} to begin with metadata between two lines of ---, found none.")
    metadata = metadata_for_hub(yaml.safe_load(front[1]) or {}, repository, target)
    dumped = yaml.safe_dump(metadata, allow_unicode=True, sort_keys=False, width=1000)
    return f"---\n{dumped}---\n{text_for_hub(text[front.end() :], target).rstrip()}\n\n{related(repository, target, wheel)}\n"


def metadata_for_hub(metadata: dict[str, Any], repository: Repository, target: Target) -> dict[str, Any]:
    """A card's metadata with the ids of linked datasets and models filled in."""
    for field in ("datasets", "models"):
        if field in metadata:
            metadata[field] = [target.id(name) if "/" not in name else name for name in metadata[field]]
    for model in metadata.get("model-index", ()):
        for result in model["results"]:
            if result["dataset"]["type"] == "kmi":
                result["dataset"]["type"] = target.id("kmi")
    if repository.kind == "space":
        metadata["preload_from_hub"] = [target.id(name) for name in PRELOADED]
    return metadata


def text_for_hub(text: str, target: Target) -> str:
    """Code and links that name folders of a checkout, with the repositories' ids instead."""
    text = re.sub(r"(?<=[\"'(`])(?:\.\./)*model_cards/(kmi-[\w-]+)", lambda found: target.id(found[1]), text)
    text = re.sub(r"(?<=[\"'(`])(?:\.\./)*evaluate_metrics/(\w+)", lambda found: target.id(found[1]), text)
    return text.replace('load_dataset("kmi"', f'load_dataset("{target.id("kmi")}"').replace('kmi.load_dataset("' + target.id("kmi"), 'kmi.load_dataset("kmi')


def related(repository: Repository, target: Target, wheel: str) -> str:
    """The section that says how to install KMI and links a card to its sisters."""
    others = [("dataset", "kmi", "데이터셋 / dataset"), ("model", "kmi-forecaster", "예측기 / forecaster"), ("model", "kmi-coder", "코더 / coder")]
    others += [("model", "kmi-chatbot", "대화 모델 / dialogue model"), ("space", "mi_fidelity", "지표 / metrics"), ("space", "kmi", "Space")]
    links = [f"[{label}]({target.url(type_, name)})" for type_, name, label in others if (type_, name) != (repository.type, repository.name)]
    return f"## 함께 / Related\n\n설치 / Install: `pip install \"kmi @ {wheel_address(target, wheel)}\"`\n\n{' · '.join(links)}"


def wheel_address(target: Target, wheel: str) -> str:
    """Where the wheel lies in the dataset repository."""
    return f"{target.url('dataset', 'kmi')}/resolve/{target.revision}/{WHEELS}/{wheel}"
