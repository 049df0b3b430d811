"""Files and folders that are there wholly or not at all: written beside their place, then moved into it.

Not covered: files that grow line by line (`kmi.simulation.lines`), crashes of the machine itself (nothing is forced to the disk).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Gives a path to write a file or folder at: it becomes `path`, in place of a file there, when the block ends, and vanishes when that fails."""
    # Processes that write the same file at the same time each have their own.
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes a text as UTF-8, with \\n line ends on every system."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")
