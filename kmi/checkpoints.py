"""Where a checkpoint is: a folder, the one that comes with KMI, or a repository on the Hub.

Not covered: what is in it (`kmi.forecaster.api`, `kmi.coder.api`).
"""

import re
from collections.abc import Iterable
from pathlib import Path

from kmi.errors import ConfigError

REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")


def checkpoint_source(name_or_path: str | Path, files: Iterable[str], what: str, hint: str) -> str:
    """The folder or repository to load from, as text.

    Args:
        name_or_path: a folder, or "user/name"; anything else that is no folder is a mistake.
        files: what a folder must hold.
        what: the kind of checkpoint, for messages.
        hint: what to type where it is missing.

    Raises:
        ConfigError: if it is neither a whole folder nor can be a repository.
    """
    folder = Path(name_or_path)
    may_be_repository = isinstance(name_or_path, str) and REPOSITORY.fullmatch(name_or_path)
    if folder.is_dir() or not may_be_repository:
        for name in files:
            if not (folder / name).is_file():
                raise ConfigError(f"Expected a {what} checkpoint in {folder}, found no {name}.", hint)
    return str(folder) if folder.is_dir() else str(name_or_path)
