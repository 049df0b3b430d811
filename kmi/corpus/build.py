"""Compiles dialogues into the dataset: Parquet files and the cards that belong to them.

`build_dataset` streams dialogues into `<out>/data/<table>/<split>-00000-of-00001.parquet`,
a row group at a time and a new file every `ROWS_PER_SHARD` rows, then writes the cards from
what the files hold. The same dialogues give the same bytes. Nothing in place is touched until
all tables are whole.

The published dataset is the folder `loading_script/`: sessions of the retrieval writer,
a baseline that repeats the corpus, are refused there.

Not covered: where dialogues come from (`kmi.corpus.sources`), what the tables hold
(`kmi.corpus.tables`), what the cards say (`kmi.corpus.card`, `kmi.corpus.croissant`).
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from kmi import codes
from kmi.corpus import card, croissant
from kmi.corpus.tables import ROWS, Row, features, validated
from kmi.dialogue import Dialogue
from kmi.errors import ConfigError, DataError
from kmi.whole_files import write_text

PUBLISHED = "loading_script"
REFUSED_WRITER = "retrieval"
# Rows per Parquet row group: some megabytes each, so that readers and the build hold little at once.
ROWS_PER_GROUP = {"dialogues": 200, "utterances": 4000, "chat": 400, "forecasting": 2000}
# Rows per file, whole row groups: some hundred megabytes at most, which hubs and loaders take well.
ROWS_PER_SHARD = 100_000

RowCounts = dict[str, dict[str, int]]
"""Rows by table and split."""


def build_dataset(dialogues: Iterable[Dialogue], out: str | Path) -> RowCounts:
    """Writes the dataset of `dialogues` to the folder `out` and returns its row counts.

    Args:
        dialogues: in the order they shall have; ids unique, a missing split counts as train.
        out: folder to write `data/` and `README.md` in. An earlier dataset there is replaced.

    Raises:
        ConfigError: if `out` holds something else, or is published and a dialogue must not be.
        DataError: if a dialogue is invalid, an id comes twice, or there is none at all.
    """
    out = Path(out)
    published = is_published(out)
    check_out(out)
    partial = out / "data.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(f"Cannot write to {out} ({error.strerror}).", "Name another --out.") from None
    try:
        counts = _write_tables(_checked(dialogues, published), partial)
        texts = card.cards(partial, out, published=published)
        shutil.rmtree(out / "data", ignore_errors=True)
        partial.replace(out / "data")
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for path, text in texts.items():
        write_text(path, text)
    if published:
        write_text(out / croissant.NAME, croissant.dumps(out))
    return counts


def is_published(out: Path) -> bool:
    """Whether a folder is the dataset repository `loading_script/`, or lies in it."""
    return PUBLISHED in out.resolve().parts


def check_out(out: Path) -> None:
    """Raises `ConfigError` if `out` holds a README or data that are not a dataset built here."""
    hint = "Name another --out, or remove it yourself."
    for path in (out, out / "data"):
        if path.exists() and not path.is_dir():
            raise ConfigError(f"Expected a folder at {path}, found a file.", hint)
    readme = out / "README.md"
    if readme.exists() and card.MARK not in readme.read_text(encoding="utf-8", errors="replace"):
        raise ConfigError(f"{readme} was not written by the dataset build and would be lost.", hint)
    for path in sorted((out / "data").rglob("*")):
        if path.is_file() and path.suffix != ".parquet":
            raise ConfigError(f"{path} is no part of a dataset and would be lost.", hint)


def _checked(dialogues: Iterable[Dialogue], published: bool) -> Iterator[Dialogue]:
    empty = True
    for dialogue in validated(dialogues, "ids are unique over sources and runs"):
        empty = False
        if published and dialogue.provenance.writer == REFUSED_WRITER:
            raise ConfigError(
                f"dialogue {dialogue.id!r} is by the retrieval writer: it repeats utterances of the corpus "
                f"and must not enter the published dataset in {PUBLISHED}/.",
                "Name another --out, e.g. --out out/dataset.",
            )
        yield dialogue
    if empty:
        raise DataError("Expected at least one dialogue to build a dataset from, got none.")


def _write_tables(dialogues: Iterable[Dialogue], data: Path) -> RowCounts:
    writers: dict[tuple[str, str], _TableWriter] = {}
    try:
        for dialogue in dialogues:
            split = dialogue.split or "train"
            dialogue = replace(dialogue, split=split)
            for table, rows in ROWS.items():
                for row in rows(dialogue):
                    if (table, split) not in writers:
                        writers[table, split] = _TableWriter(data, table, split)
                    writers[table, split].add(row)
    finally:
        for writer in writers.values():
            writer.close()
    return {
        table: {split: writers[table, split].rows for split in codes.SPLITS if (table, split) in writers}
        for table in ROWS
    }


class _TableWriter:
    """The Parquet files of one split, written by row groups; they are named when their number is known."""

    def __init__(self, data: Path, table: str, split: str) -> None:
        self.folder, self.split = data / table, split
        self.folder.mkdir(exist_ok=True)
        self.schema = features()[table].arrow_schema
        self.group_rows = ROWS_PER_GROUP[table]
        self.rows = 0
        self._encode = _encoder(features()[table])
        self._pending: list[dict[str, Any]] = []
        self._shards: list[Path] = []
        self._file: Any = None

    def add(self, row: Row) -> None:
        with _as_data_error(f"dialogue {row['id']!r}"):
            self._pending.append(self._encode(row))
        self.rows += 1
        if len(self._pending) == self.group_rows:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._end_shard()
        for number, shard in enumerate(self._shards):
            shard.rename(self.folder / f"{self.split}-{number:05d}-of-{len(self._shards):05d}.parquet")

    def _flush(self) -> None:
        import pyarrow

        pending, self._pending = self._pending, []
        if pending:
            if self._file is None:
                self._begin_shard()
            with _as_data_error(f"dialogues {pending[0]['id']!r} to {pending[-1]['id']!r}"):
                self._file.write_table(pyarrow.Table.from_pylist(pending, schema=self.schema))
            if self.rows >= ROWS_PER_SHARD * len(self._shards):
                self._end_shard()

    def _begin_shard(self) -> None:
        import pyarrow.parquet

        self._shards.append(self.folder / f"{self.split}-{len(self._shards):05d}.partial")
        self._file = pyarrow.parquet.ParquetWriter(self._shards[-1], self.schema, compression="zstd")

    def _end_shard(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _encoder(feature: Any) -> Callable[[Any], Any]:
    """What turns the names of classes into their numbers, at any depth; `Features.encode_example` takes five times as long."""
    from datasets import ClassLabel, List

    if isinstance(feature, ClassLabel):
        numbers = {None: None, **{name: number for number, name in enumerate(feature.names)}}
        return numbers.__getitem__
    if isinstance(feature, List):
        inner = _encoder(feature.feature)
        return lambda values: [inner(value) for value in values]
    if isinstance(feature, dict):
        columns = [(name, _encoder(column)) for name, column in feature.items()]
        return lambda values: {name: encode(values[name]) for name, encode in columns}
    return lambda value: value


@contextmanager
def _as_data_error(where: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, OverflowError) as error:  # pyarrow's errors are among them
        raise DataError(f"{where}: a value does not fit its column ({error}).") from None
