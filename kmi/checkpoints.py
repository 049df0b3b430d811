"""Where a checkpoint is: a folder, the one that comes with KMI, one fetched before, or a repository on the Hub.

Not covered: what is in it (`kmi.forecaster.api`, `kmi.coder.api`).
"""

import hashlib
import os
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

from kmi.errors import ConfigError, MissingExtra

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def find_checkpoint(name: str) -> str | Path:
    """Where KMI's own checkpoint of this name is: in the installed package, the checkout, the Hub's cache, else on the Hub.

    On the Hub it is sought in the namespace that KMI_NAMESPACE names, or in that of the Space that this runs in.

    Returns:
        a folder, or "ORG/name" where it has to be fetched.

    Raises:
        ConfigError: if it is nowhere and no namespace is known.
    """
    package = Path(str(files("kmi")))
    for folder in (package / "_bundle" / "models" / name, package.parent / "model_cards" / name, *_fetched(name)):
        if folder.is_dir():
            return folder
    namespace = os.environ.get("KMI_NAMESPACE") or os.environ.get("SPACE_AUTHOR_NAME")
    if namespace:
        return f"{namespace}/{name}"
    raise ConfigError(
        f"Expected {name} in the installed package, in a checkout or in the Hub's cache, found it in none.",
        f"Name the one who publishes it: from_pretrained('ORG/{name}'), or export KMI_NAMESPACE=ORG. With a clone of the KMI repository it is there.",
    )


def _fetched(name: str) -> list[Path]:
    """Snapshots of repositories of this name in the Hub's cache, whoever published them, the newest first."""
    from huggingface_hub import constants

    weights = Path(constants.HF_HUB_CACHE).glob(f"models--*--{name}/snapshots/*/model.safetensors")
    return [path.parent for path in sorted(weights, key=lambda path: path.lstat().st_mtime, reverse=True)]


def weights_digest(folder: Path) -> str:
    """SHA-256 of a checkpoint's weights, which a report names so that figures of other weights are found out."""
    with (folder / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checkpoint_source(name_or_path: str | Path, needed: Iterable[str], what: str, hint: str) -> str:
    """The folder or repository to load from, as text.

    Args:
        name_or_path: a folder, or "user/name"; anything else that is no folder is a mistake.
        needed: names of the files that a folder must hold.
        what: the kind of checkpoint, for messages.
        hint: what to type where it is missing.

    Raises:
        ConfigError: if it is neither a whole folder nor can be a repository.
    """
    folder = Path(name_or_path)
    may_be_repository = isinstance(name_or_path, str) and REPOSITORY.fullmatch(name_or_path)
    if folder.is_dir() or not may_be_repository:
        for name in needed:
            if not (folder / name).is_file():
                raise ConfigError(f"Expected a {what} checkpoint in {folder}, found no {name}.", hint)
    return str(folder) if folder.is_dir() else str(name_or_path)


def load_with_tokenizer(auto_class: str, source: str, what: str, hint: str, **options: Any) -> tuple[Any, Any]:
    """Model and tokenizer of an ordinary transformers checkpoint.

    Args:
        auto_class: name of the class in transformers that loads the model, e.g. "AutoModelForCausalLM".
        source: what `checkpoint_source` gave.
        what: the kind of checkpoint, for messages.
        hint: what to type where it is missing.
        options: more for the model's `from_pretrained`.

    Raises:
        ConfigError: if it cannot be loaded.
        MissingExtra: if torch is not installed.
    """
    try:
        import torch  # noqa: F401
        import transformers
    except ImportError as error:
        raise MissingExtra(f"The {what}", error.name or "torch", "generate") from None
    from kmi.quiet import no_progress_bar

    try:
        with no_progress_bar():
            return getattr(transformers, auto_class).from_pretrained(source, **options), transformers.AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        problem = str(error).strip().splitlines()[0]
        raise ConfigError(f"Expected a {what} checkpoint at {source}, could not load it: {problem}", next_step(source, hint)) from None


def next_step(source: str, hint: str) -> str:
    """What to do about a checkpoint that does not load: `hint` for a folder; for a repository what is mostly amiss there."""
    if Path(source).is_dir():
        return hint
    return f"Check how {source} is spelt, whether it is private (hf auth login), and the network (unset HF_HUB_OFFLINE), or name a folder."
