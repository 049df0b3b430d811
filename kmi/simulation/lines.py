"""Files of JSON lines that survive kills and full disks.

A line is written with one `write` call, so a kill leaves at most one torn line at the end. It
stays where it is, unreadable; the next line starts afresh behind it. Readers skip it.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kmi.dialogue import to_line
from kmi.errors import DataError

MORE_SPACE = "Free some space and run again; what was written so far is kept."


class AppendOnlyFile:
    """Appends whole lines to `path`, which is created if absent."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        self._end = os.fstat(self._file).st_size
        self._torn = self._end > 0 and os.pread(self._file, 1, self._end - 1) != b"\n"

    def append(self, record: dict[str, Any]) -> int:
        """Writes a record as one line and returns its offset; `DataError` if the disk is full."""
        line = to_line(record).encode("utf-8", "surrogatepass")
        data = b"\n" + line if self._torn else line
        try:
            written = os.write(self._file, data)
        except OSError as error:
            raise DataError(f"Could not write to {self.path} ({error.strerror}).", MORE_SPACE) from None
        self._end += written
        self._torn = written < len(data)
        if self._torn:
            raise DataError(f"{self.path} took only {written} of {len(data)} bytes.", MORE_SPACE)
        return self._end - len(line)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)


def whole_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields offset and record of every line that is a whole JSON object; torn and damaged lines are skipped."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            record = _object(line)
            if record is not None:
                yield offset, record
            offset += len(line)


def line_at(path: Path, offset: int) -> dict[str, Any]:
    """The record at an offset that `append` or `whole_lines` gave."""
    with path.open("rb") as file:
        file.seek(offset)
        return json.loads(file.readline())


def _object(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None
