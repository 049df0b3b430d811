"""The folder of a run: configuration, lock, ledger, session records, the merged result.

    run.json, writer.json    what decides the answers; another configuration is refused
    lock-00000               held while a process works here
    ledger/process-*.jsonl   every answer (`kmi.simulation.ledger`)
    sessions/process-*.jsonl one line per session that is over, finished or failed
    dialogues.jsonl          the finished sessions in the order of the posts, written last
    failures.jsonl           the failed ones with their reason
    report-*.json            what each process did in the last run; report.json is their sum

A session's record is written only when it is over: that line is its completion marker.

Not covered: folders shared by machines whose file system has no locks.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from kmi.dialogue import to_line
from kmi.errors import ConfigError
from kmi.simulation.lines import UNREAD, AppendOnlyFile, line_at, whole_lines, write_whole, writing
from kmi.whole_files import whole


class RunFolder:
    """One process's hold on a run folder; `open` locks it, `close` lets go.

    Args:
        path: the folder, created if absent.
        config: plain JSON values that decide the answers.
        process, processes: index of this process and how many work on the run.
    """

    def __init__(self, path: str | Path, config: dict[str, Any], process: int = 0, processes: int = 1) -> None:
        self.path = Path(path)
        self.config = config
        self.process, self.processes = process, processes
        self._lock: int | None = None
        self._sessions: AppendOnlyFile | None = None

    def open(self) -> None:
        """Creates the folder, takes the lock and checks the configuration.

        Raises:
            ConfigError: another run works here, or one with another configuration did.
            DataError: the disk is full.
        """
        with writing(self.path):
            self._open()

    def _open(self) -> None:
        try:
            (self.path / "sessions").mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self.agree("run", self.config)
        except (FileExistsError, NotADirectoryError):
            raise ConfigError(f"Expected a folder at --out {self.path}, found a file.", "Name another --out.") from None
        except PermissionError:
            raise ConfigError(f"No permission to write to --out {self.path}.", "Name another --out.") from None

    def close(self) -> None:
        """Lets go of the lock and closes the file of sessions."""
        if self._sessions is not None:
            self._sessions.close()
            self._sessions = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def record(self, index: int, session_id: str, *, dialogue: dict | None = None, reason: str = "") -> None:
        """Marks a session as over: finished with its dialogue, or failed with its reason."""
        status = "finished" if dialogue else "failed"
        if self._sessions is None:
            self._sessions = AppendOnlyFile(self.path / "sessions" / f"process-{self.process:05d}.jsonl")
        self._sessions.append({"index": index, "id": session_id, "status": status, "reason": reason, "dialogue": dialogue})

    def over(self) -> dict[int, str]:
        """Index and status of every session that is over, over all processes' files."""
        return {record["index"]: record["status"] for _, _, record in self._records()}

    def merge(self) -> dict[str, int]:
        """Writes dialogues.jsonl and failures.jsonl in the order of the posts; returns their counts."""
        places = {record["index"]: (path, offset, record["status"]) for path, offset, record in self._records()}
        counts = {"finished": 0, "failed": 0}
        names = {"finished": "dialogues.jsonl", "failed": "failures.jsonl"}
        with writing(self.path), ExitStack() as stack:
            paths = {status: stack.enter_context(whole(self.path / name)) for status, name in names.items()}
            files = {status: stack.enter_context(path.open("w", encoding="utf-8", errors="backslashreplace")) for status, path in paths.items()}
            for index in sorted(places):
                path, offset, status = places[index]
                record = line_at(path, offset)
                files[status].write(to_line(record.get("dialogue") or {"id": record["id"], "reason": record["reason"]}))
                counts[status] += 1
        return counts

    def _records(self) -> Iterator[tuple[Path, int, dict]]:
        for path in sorted((self.path / "sessions").glob("*.jsonl")):
            yield from ((path, offset, record) for offset, record in whole_lines(path, until="dialogue") if _is_record(record))

    def _take_lock(self) -> None:
        own = self.path / f"lock-{self.process:05d}"
        self._lock = os.open(own, os.O_CREAT | os.O_RDWR, 0o644)
        # A process left over from a run of more processes holds a lock that none of this run would ask for.
        others = sorted(path for path in self.path.glob("lock-*") if path != own and int(path.name[5:]) >= self.processes)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in others:
                with path.open() as file:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"Another run is working in {self.path}.", "Wait for it to end, stop it, or name another --out."
            ) from None

    def agree(self, name: str, values: dict[str, Any]) -> None:
        """Stores `values` as <name>.json, or raises `ConfigError` where a run stored others before."""
        path, values = self.path / f"{name}.json", json.loads(json.dumps(values))
        damaged = "Name another --out, or remove it if you know the run is the same."
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            write_whole(path, json.dumps(values, ensure_ascii=False, indent=2) + "\n")
            return
        except (ValueError, RecursionError):
            raise ConfigError(f"{path} is damaged.", damaged) from None
        if not isinstance(stored, dict):
            raise ConfigError(f"{path} is damaged.", damaged)
        for key in [*values, *stored]:
            if stored.get(key) != values.get(key):
                raise ConfigError(
                    f"{self.path} holds a run with other {key}: {stored.get(key)!r:.120} there, {values.get(key)!r:.120} here.",
                    "Name another --out, or go on with the same settings.",
                )


def _is_record(record: dict) -> bool:
    if not isinstance(record.get("index"), int) or not isinstance(record.get("id"), str):
        return False
    finished = record.get("status") == "finished" and (record.get("dialogue") is UNREAD or isinstance(record.get("dialogue"), dict))
    return finished or (record.get("status") == "failed" and isinstance(record.get("reason"), str))
