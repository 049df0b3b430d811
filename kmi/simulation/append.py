"""An append-only file of lines that survives kills and full disks.

A line is written with one `write` call, so a kill leaves at most one torn line at the end. It
stays where it is, unreadable; the next line starts afresh behind it.
"""

import os
from pathlib import Path

from kmi.errors import DataError

MORE_SPACE = "Free some space and run again; what was written so far is kept."


class AppendOnlyFile:
    """Appends whole lines to `path`, which is created if absent."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        self._end = os.fstat(self._file).st_size
        self._torn = self._end > 0 and os.pread(self._file, 1, self._end - 1) != b"\n"

    def append(self, line: bytes) -> int:
        """Writes a line that ends in a newline and returns its offset; `DataError` if the disk is full."""
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
