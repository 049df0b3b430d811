"""Files that survive kills and full disks, most of them JSON lines.

A line is written with one `write` call, so a kill leaves at most one torn line at the end. It
stays where it is, unreadable; the next line starts afresh behind it. Readers skip it. The last
field of a line is a checksum of all before it: a reader that wants its first fields only knows it
to be whole without parsing the rest, which takes a hundred thousand sessions from half a minute to seconds.

Not covered: crashes of the machine itself (nothing is forced to the disk).
"""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kmi.dialogue import to_line
from kmi.errors import DataError
from kmi.whole_files import write_text

CHECKSUM = b', "crc32": '
UNREAD = ...
"""Stands for the field that a reader stopped at."""
MORE_SPACE = "Free some space and run again; what was written so far is kept."


@contextmanager
def writing(path: str | Path) -> Iterator[None]:
    """Turns a full or failing disk under `path` into a `DataError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise DataError(f"Could not write to {path} ({error.strerror}).", MORE_SPACE) from None


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is there wholly or not at all; `DataError` if the disk is full."""
    with writing(path):
        write_text(path, text)


class AppendOnlyFile:
    """Appends whole lines to `path`, which is created if absent."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with writing(self.path):
            self._file = os.open(self.path, os.O_APPEND | os.O_CREAT | os.O_RDWR, 0o644)
        self._end = os.fstat(self._file).st_size
        self._torn = self._end > 0 and os.pread(self._file, 1, self._end - 1) != b"\n"

    def append(self, record: dict[str, Any]) -> int:
        """Writes a record as one line and returns its offset; `DataError` if the disk is full."""
        body = to_line(record).encode("utf-8", "surrogatepass").removesuffix(b"}\n")
        line = b"%b%b%d}\n" % (body, CHECKSUM, zlib.crc32(body))
        data = b"\n" + line if self._torn else line
        with writing(self.path):
            written = os.write(self._file, data)
        self._end += written
        self._torn = written < len(data)
        if self._torn:
            raise DataError(f"{self.path} took only {written} of {len(data)} bytes.", MORE_SPACE)
        return self._end - len(line)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)


def whole_lines(path: Path, until: str = "") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields offset and record of every line that is a whole JSON object; torn and damaged lines are skipped.

    Args:
        path: the file.
        until: a field after which nothing is wanted; where a checksum vouches for the line it is `UNREAD`, the later ones are absent.
    """
    offset = 0
    with path.open("rb") as file:
        for line in file:
            record = _object(line, until)
            if record is not None:
                yield offset, record
            offset += len(line)


def line_at(path: Path, offset: int) -> dict[str, Any]:
    """The record at an offset that `append` or `whole_lines` gave."""
    with path.open("rb") as file:
        file.seek(offset)
        record = json.loads(file.readline())
    record.pop("crc32", None)
    return record


def _object(line: bytes, until: str) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    body, mark, checksum = line.rpartition(CHECKSUM)
    if mark and checksum != b"%d}\n" % zlib.crc32(body):
        return None
    # Quotes within a text are escaped, so this can only be the field itself.
    head, unread, _ = body.partition(b', "%b": ' % until.encode()) if mark and until else (b"", b"", b"")
    try:
        record = json.loads(head + b"}" if unread else line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    record.pop("crc32", None)
    return {**record, until: UNREAD} if unread else record
