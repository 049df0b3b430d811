"""What must hold before anything is uploaded. Every fault is found and named in one go.

Of each repository: a card that the Hub's own classes read and its rules allow, files that are safe to load, no secrets, links that
lead somewhere. Of the checkout: cards and figures that say what the data and the weights are.

Not covered: the Hub's own validation of a card, which needs the Hub (`kmi.publishing.hub`).
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kmi.checkpoints import weights_digest
from kmi.publishing.staging import WHEELS, Staged

SAFE = {".md", ".json", ".jsonl", ".csv", ".txt", ".jinja", ".png", ".parquet", ".safetensors", ".whl"}
"""Kinds of file that run no code when loaded; a Space has .py besides, which is there to be run."""
TEXT = {*SAFE, ".py"} - {".png", ".parquet", ".safetensors", ".whl"}
TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}|\bsk-[A-Za-z0-9_-]{20,}")
# https://huggingface.co/docs/hub/spaces-config-reference
SPACE_COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
SHORT_DESCRIPTION = 60
# https://huggingface.co/docs/hub/repositories-licenses, those KMI uses
LICENCES = {"dataset": "cc-by-4.0", "model": "apache-2.0", "space": "apache-2.0"}
LARGEST_WHEEL = 60_000_000


def faults(staged: Staged) -> list[str]:
    """What keeps a repository from being published, each with what to do; empty if nothing does."""
    of_type = {"dataset": _dataset, "model": _model, "space": _space}[staged.repository.type]
    found = [*_files(staged)]
    card, fault = _card(staged)
    found += [fault] if fault else [*_licence(staged, card), *of_type(staged, card)]
    return [f"{staged.repository.name}: {fault}" for fault in found]


def stale(root: Path) -> list[str]:
    """Cards and figures of a checkout that do not say what its data and weights are, each with the command that renews it."""
    from kmi.coder import card as coder
    from kmi.corpus import card as dataset
    from kmi.corpus import croissant
    from kmi.dialogue_model import card as chatbot
    from kmi.forecaster import card as forecaster

    published = root / "loading_script"
    current = {**dataset.cards(published / "data", published, published=True), published / croissant.NAME: croissant.dumps(published)}
    found = [f"{_relative(path, root)} is stale; run: python scripts/build_dataset.py" for path, text in current.items() if _text(path) != text]
    for name, card, command in (
        ("kmi-forecaster", forecaster, "accelerate launch scripts/train_forecaster.py"),
        ("kmi-coder", coder, "accelerate launch scripts/train_coder.py"),
        ("kmi-chatbot", chatbot, "python scripts/evaluate_models.py"),
    ):
        folder = root / "model_cards" / name
        report = json.loads(_text(folder / "report.json") or "{}")
        if not report or _text(folder / "README.md") != card.render(report):
            found.append(f"model_cards/{name}/README.md does not say what report.json measured; run: {command}")
        if report.get("weights") != weights_digest(folder):
            found.append(f"model_cards/{name}/report.json was not measured on these weights; run: {command}")
    return found


def _files(staged: Staged) -> Iterator[str]:
    allowed = {*SAFE, ".py"} if staged.repository.type == "space" else SAFE
    for name in staged.files:
        path = staged.folder / name
        if path.is_symlink():
            yield f"{name} is a link; only plain files are published. Replace it by a copy."
        elif path.suffix not in allowed and not name.name.startswith(".git"):
            weights = " Save weights as safetensors." if staged.repository.type == "model" else ""
            yield f"{name}: expected one of {', '.join(sorted(allowed))}, got {path.suffix or 'no ending'!r}; it may run code when loaded.{weights}"
        elif path.suffix in TEXT and TOKEN.search(path.read_text(encoding="utf-8", errors="replace")):
            yield f"{name} holds what looks like an access key. Remove it, and make a new key: this one has been committed."
        elif path.suffix == ".safetensors" and (fault := _unreadable(path)):
            yield f"{name} is no whole safetensors file ({fault}). Train or copy it again."


def _unreadable(path: Path) -> str:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as tensors:
            return "" if list(tensors.keys()) else "it holds no tensors"
    except (SafetensorError, OSError) as error:
        return str(error)


def _card(staged: Staged) -> tuple[dict[str, Any], str]:
    """The card's metadata as the Hub's class reads them, or what is wrong with them."""
    import huggingface_hub
    import yaml

    kind = {"dataset": huggingface_hub.DatasetCard, "model": huggingface_hub.ModelCard, "space": huggingface_hub.SpaceCard}[staged.repository.type]
    try:
        card = kind.load(staged.folder / "README.md")
        card.data.to_yaml()
    except (ValueError, TypeError, yaml.YAMLError) as error:  # among them an invalid model-index
        return {}, f"README.md: the metadata cannot be read ({str(error).strip().splitlines()[0]}). Mend the lines between the two ---."
    if not card.text.strip():
        return {}, "README.md holds metadata and no text. Write the card."
    return card.data.to_dict(), ""


def _licence(staged: Staged, card: dict[str, Any]) -> Iterator[str]:
    wanted = LICENCES[staged.repository.type]
    if card.get("license") != wanted:
        yield f"README.md: expected license: {wanted}, got {card.get('license')!r}."


def _dataset(staged: Staged, card: dict[str, Any]) -> Iterator[str]:
    from kmi.corpus.card import metadata, scan, version

    yield from _needed(card, "language", "pretty_name", "task_categories", "size_categories", "configs", "dataset_info")
    files = scan(staged.folder / "data")
    paths = [file["path"] for config in card.get("configs", ()) for file in config["data_files"]]
    declared = {path for split in paths for path in ([split] if isinstance(split, str) else split)}  # a list where there are shards
    there = {name.as_posix() for name in staged.files if name.suffix == ".parquet"}
    for path in sorted(declared ^ there):
        yield f"{path} is {'declared in configs and not there' if path in declared else 'there and in no config'}. Run: python scripts/build_dataset.py"
    for config in card.get("configs", ()):
        name = config["config_name"]
        if name in files and config.get("version") != version(files[name]):
            yield f"README.md: config {name!r} has the version of other Parquet files. Run: python scripts/build_dataset.py"
    true = {info["config_name"]: info for info in metadata(files, "data")["dataset_info"]}
    for info in card.get("dataset_info", ()):
        if info != true.get(info["config_name"]):
            yield f"README.md: the sizes of {info['config_name']!r} are not those of its files. Run: python scripts/build_dataset.py"
    wheels = list((staged.folder / WHEELS).glob("*.whl"))
    if len(wheels) != 1 or wheels[0].stat().st_size > LARGEST_WHEEL:
        yield f"{WHEELS}/: expected one wheel of at most {LARGEST_WHEEL / 1e6:.0f} MB, got {[(w.name, w.stat().st_size) for w in wheels]}."


def _model(staged: Staged, card: dict[str, Any]) -> Iterator[str]:
    yield from _needed(card, "language", "library_name", "datasets", "model-index")
    names = {name.as_posix() for name in staged.files}
    for name in ("config.json", "model.safetensors"):
        if name not in names:
            yield f"{name} is missing; from_pretrained needs it. Train the model again."


def _space(staged: Staged, card: dict[str, Any]) -> Iterator[str]:
    yield from _needed(card, "title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "app_file")
    if card.get("sdk") not in {"gradio", "docker", "static"}:
        yield f"README.md: expected sdk: gradio, got {card.get('sdk')!r}."
    for field in ("colorFrom", "colorTo"):
        if card.get(field) not in SPACE_COLOURS:
            yield f"README.md: expected {field} among {', '.join(sorted(SPACE_COLOURS))}, got {card.get(field)!r}."
    if len(card.get("short_description") or "") > SHORT_DESCRIPTION:
        yield f"README.md: short_description has {len(card['short_description'])} characters; the Hub takes {SHORT_DESCRIPTION}."
    names = {name.as_posix() for name in staged.files}
    for name in (card.get("app_file"), "requirements.txt"):
        if name not in names:
            yield f"{name} is missing; the Space would not start. Add it, or mend app_file."
    if re.search(r"^kmi(\[[\w,]+\])?$", _text(staged.folder / "requirements.txt"), re.MULTILINE):
        yield "requirements.txt asks PyPI for kmi, which is not there; it has to name the wheel."


def _needed(card: dict[str, Any], *fields: str) -> Iterator[str]:
    for field in fields:
        if not card.get(field):
            yield f"README.md: {field} is missing from the metadata. Add it between the two ---."


def _relative(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
