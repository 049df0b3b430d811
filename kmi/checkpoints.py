"""Where a checkpoint is: a folder, the one that comes with KMI, or a repository on the Hub.

Not covered: what is in it (`kmi.forecaster.api`, `kmi.coder.api`).
"""

import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path

from kmi.errors import ConfigError

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def shipped_checkpoint(name: str) -> Path:
    """Folder of a checkpoint that comes with KMI: in the installed package, else in the checkout."""
    package = Path(str(files("kmi")))
    bundled = package / "_bundle" / "models" / name
    return bundled if bundled.is_dir() else package.parent / "model_cards" / name


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
