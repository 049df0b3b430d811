"""The ledger: every answer a run has paid for, so that a killed run asks nothing twice.

One JSONL file per process under `<run>/ledger/`, a line per answer: request key, id, text,
token counts, model. A line torn by a kill is ignored and its request asked again. Memory
holds where each answer stands, not the answers.

Not covered: who may write (`kmi.simulation.runner` locks the folder).
"""

from pathlib import Path

from kmi.simulation.lines import UNREAD, AppendOnlyFile, line_at, whole_lines, writing
from kmi.writers.base import Completion, WriteRequest

FIELDS = {"key": str, "text": str, "prompt_tokens": int, "output_tokens": int, "model": str}


class Ledger:
    """Answers by request key, read from all processes' files, written to this process's own.

    Args:
        folder: `<run>/ledger`, created if absent.
        process: index of this process; names its file.
    """

    def __init__(self, folder: str | Path, process: int = 0) -> None:
        self.folder = Path(folder)
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._places: dict[str, tuple[Path, int]] = {}
        for path in sorted(self.folder.glob("*.jsonl")):
            self._index(path)
        self.path = self.folder / f"process-{process:05d}.jsonl"
        self._file = AppendOnlyFile(self.path)

    def __len__(self) -> int:
        return len(self._places)

    def get(self, request: WriteRequest) -> Completion | None:
        """The answer given to this very request before, or None."""
        place = self._places.get(request.key)
        if place is None:
            return None
        record = line_at(*place)
        return Completion(record["text"], record["prompt_tokens"], record["output_tokens"], record["model"])

    def put(self, request: WriteRequest, completion: Completion) -> None:
        """Stores an answer; it survives a kill once this returns."""
        record = {
            "key": request.key,
            "id": request.id,
            "text": completion.text,
            "prompt_tokens": completion.prompt_tokens,
            "output_tokens": completion.output_tokens,
            "model": completion.model,
        }
        offset = self._file.append(record)
        self._places[request.key] = (self.path, offset)

    def close(self) -> None:
        """Closes this process's file."""
        self._file.close()

    def _index(self, path: Path) -> None:
        for offset, record in whole_lines(path, until="text"):
            if record.get("text") is UNREAD or all(isinstance(record.get(name), kind) for name, kind in FIELDS.items()):
                self._places[record["key"]] = (path, offset)
