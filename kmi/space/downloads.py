"""Files a visitor downloads: written for the moment and gone within the hour, for the page says that nothing is stored.

Not covered: copies that gradio keeps of what goes over the wire, which `kmi.space.app` has it delete (`delete_cache`).
"""

import shutil
import tempfile
import time
from functools import cache
from pathlib import Path

KEPT = 3600  # seconds


def download(name: str, text: str) -> str:
    """Path of a new file of that name; those older than `KEPT` go."""
    for old in _folder().iterdir():
        if old.stat().st_mtime < time.time() - KEPT:
            shutil.rmtree(old, ignore_errors=True)
    path = Path(tempfile.mkdtemp(dir=_folder())) / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="kmi-space-"))
