"""Writes by correspondence: requests into a folder, answers out of it, hours or days later.

    requests.jsonl       what still waits for an answer, as batch requests that an
                         OpenAI-compatible batch service or `vllm run-batch` takes
    completions*.jsonl   put the service's output here; lines {"custom_id", "text"} also work
    packets/<name>.txt   requests for whole sessions (plan mode), to read and answer by hand
    answers/<name>.txt   put such an answer here, under the packet's name

Run the same command again after filling in answers: it uses them, writes what is to be
asked next, and leaves the rest waiting. Requests are named by their content, so an
answer to an older prompt is never used for a newer one. Several processes may share the
folder. Answers are indexed, not held: 100,000 of them cost some 40 MB.

Not covered: sending and fetching (each service has its command for that), splitting
requests.jsonl for services that limit a file, and removing requests of an abandoned run
(delete the file).
"""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kmi.errors import ConfigError, DataError, WriterError, WriterUnavailable
from kmi.whole_files import whole
from kmi.writers.base import Completion, NotYet, WriteRequest, answer_text

log = logging.getLogger(__name__)

# Faults of the service, not of the request: these stay among the requests and can be sent again.
PASSING_STATUS = {408, 409, 429}
PASSING_CODES = {"batch_expired", "batch_cancelled"}
# So many hex digits of a request's key end the name of its packet.
KEY_DIGITS = 12


class BatchFileWriter:
    """Keeps requests and answers in `folder`, which is made if absent.

    Args:
        folder: as described above.
        model: named in the requests; batch services want one, people do not.
    """

    name = "batch"
    # Nothing is waited for, so this only bounds how many sessions are in memory.
    concurrency = 64

    def __init__(self, folder: str | Path, model: str | None = None) -> None:
        self.folder, self.model = Path(folder), model
        self._places: dict[str, tuple[Path, int]] | None = None  # key -> file and byte offset of its line
        self._asked: set[str] = set()

    def describe(self) -> dict[str, Any]:
        """The model asked for; the folder may move."""
        return {"writer": self.name, "model": self.model}

    async def prepare(self) -> None:
        """Indexes the answers and drops answered requests from requests.jsonl."""
        try:
            for name in ("packets", "answers"):
                (self.folder / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"The batch folder {self.folder} cannot be made ({error.strerror}).") from None
        self._places = self._index()
        try:
            with self._lock(), whole(self._requests) as partial, partial.open("wb") as file:
                self._asked = set()
                for key, line in self._waiting_lines():
                    self._asked.add(key)
                    file.write(line)
        except OSError as error:
            raise self._no_room(error) from None

    async def write(self, request: WriteRequest) -> Completion:
        """The answer if it is there; otherwise files the request once and raises `NotYet`."""
        if self._places is None:
            await self.prepare()
        key = request.key
        if key in self._places:
            return self._read(request.id, *self._places[key])
        if request.cue.role == "session":
            text = self._answer_by_hand(packet_name(request))
            if text:
                return Completion(text)
        if key not in self._asked:
            self._file(request)
            self._asked.add(key)
        raise NotYet(f"Request {request.id} waits for its answer in {self.folder}.")

    async def close(self) -> None:
        """Nothing to release: files are opened for each use."""

    @property
    def _requests(self) -> Path:
        return self.folder / "requests.jsonl"

    def _lock(self) -> Any:
        from filelock import FileLock

        return FileLock(self.folder / ".lock")

    def _index(self) -> dict[str, tuple[Path, int]]:
        """Where each answered request's line is; of several the last."""
        places = {}
        for path in sorted(self.folder.glob("completions*.jsonl")):
            offset = 0
            with path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if line.strip():
                        record = _parse(line, f"{path}, line {number}")
                        if not _passing(record):
                            places[record["custom_id"]] = (path, offset)
                    offset += len(line)
        return places

    def _read(self, request_id: str, path: Path, offset: int) -> Completion:
        with path.open("rb") as file:
            file.seek(offset)
            record = _parse(file.readline(), f"{path}, byte {offset}")
        completion = _completion(record)
        if isinstance(completion, str):
            raise WriterError(f"Request {request_id}: {path} holds no answer but: {completion:.200}")
        return completion

    def _waiting_lines(self) -> Iterator[tuple[str, bytes]]:
        """The lines of requests.jsonl without an answer; a line torn by a crash is dropped and asked again."""
        if not self._requests.exists():
            return
        by_hand = {path.stem[-KEY_DIGITS:] for path in (self.folder / "answers").glob("*.txt") if path.stat().st_size}
        with self._requests.open("rb") as file:
            for line in file:
                try:
                    key = json.loads(line)["custom_id"]
                except (ValueError, TypeError, KeyError, RecursionError):
                    key = None
                if not isinstance(key, str):
                    log.warning("%s: dropped a damaged line; its request is written anew", self._requests)
                    continue
                if key not in self._places and key[:KEY_DIGITS] not in by_hand:
                    yield key, line

    def _file(self, request: WriteRequest) -> None:
        body = {
            **({"model": self.model} if self.model else {}),
            "messages": list(request.messages),
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "seed": request.seed,
        }
        record = {"custom_id": request.key, "method": "POST", "url": "/v1/chat/completions", "body": body}
        try:
            if request.cue.role == "session":
                self._write_packet(request)
            # The lock keeps the line out of a file that another process is about to replace.
            with self._lock(), self._requests.open("ab") as file:
                file.write(json.dumps(record).encode() + b"\n")
        except OSError as error:
            raise self._no_room(error) from None

    def _no_room(self, error: OSError) -> WriterUnavailable:
        return WriterUnavailable(f"Cannot write to {self.folder} ({error.strerror}).", "Make room.")

    def _write_packet(self, request: WriteRequest) -> None:
        text = "\n\n".join(message["content"].strip() for message in request.messages)
        path = self.folder / "packets" / packet_name(request)
        path.write_text(text + "\n", encoding="utf-8", errors="replace")

    def _answer_by_hand(self, name: str) -> str:
        path = self.folder / "answers" / name
        if not path.is_file():
            return ""
        try:
            return answer_text(path.read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            raise DataError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None


def packet_name(request: WriteRequest) -> str:
    """File name of a packet and its answer: readable, unique, and never leading out of the folder."""
    # 50 Korean letters are 150 bytes; file systems take 255.
    readable = re.sub(r"[^\w-]", "_", request.id)[:50]
    return f"{readable}-{request.key[:KEY_DIGITS]}.txt"


def _parse(line: bytes, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise DataError(f"{where}: not valid JSON.", "Fetch the completions again.") from None
    if not isinstance(record, dict) or not isinstance(record.get("custom_id"), str):
        raise DataError(f"{where}: expected an object with custom_id, got {line[:80]!r}.")
    return record


def _passing(record: dict[str, Any]) -> bool:
    """Whether the service failed in a way that asking again may mend."""
    error = record.get("error")
    if isinstance(error, dict) and str(error.get("code")) in PASSING_CODES:
        return True
    response = record.get("response")
    status = response.get("status_code") if isinstance(response, dict) else None
    return isinstance(status, int) and (status in PASSING_STATUS or status >= 500)


def _completion(record: dict[str, Any]) -> Completion | str:
    """The answer of an output line, or what it says instead."""
    if isinstance(record.get("text"), str):
        text = answer_text(record["text"])
        return Completion(text) if text else "an empty text"
    try:
        body = record["response"]["body"]
        text = answer_text(body["choices"][0]["message"]["content"])
    except (KeyError, TypeError, IndexError):
        return json.dumps(record.get("error") or record.get("response"), ensure_ascii=False)
    if not text:
        return "an empty text"
    usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
    counts = [count if type(count := usage.get(name)) is int else 0 for name in ("prompt_tokens", "completion_tokens")]
    return Completion(text, *counts, model=str(body.get("model") or ""))
