"""The cards of a built dataset: README.md with the metadata that `datasets` and the Hub read.

A card is a function of the Parquet files and `source/agreement.json`, so it can be checked to be current. Three
templates in `cards/`: `dataset.md` for the published repository `loading_script/`,
`package.md` for `kmi/README.md` (makes `load_dataset("kmi")` find the data from a checkout's
root), `other.md` for a dataset built anywhere else.

Each table's `version` ends in a checksum of its files: for a local folder with `configs`,
`datasets` would otherwise answer from its cache after the Parquet has changed.

Not covered: checking cards against the Hub's rules, publishing (`scripts/publish.py`).
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from string import Template
from typing import Any

import yaml

from kmi import codes
from kmi.corpus.second_coding import read_agreement
from kmi.corpus.statistics import Statistics, agreement_table, comparison, markdown_table, markdown_tables, summarise
from kmi.corpus.tables import ROWS, read_parquet
from kmi.dialogue import Dialogue

TEMPLATES = Path(__file__).with_name("cards")
MARK = "# Written by scripts/build_dataset.py"
RELEASE = "0.1"  # major and minor version of the dataset; raise it when columns change
SIZE_CATEGORIES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}


@dataclass(frozen=True)
class File:
    """One split of one table, or a shard of it; `memory_bytes` is its size as Arrow, as `datasets` counts it."""

    path: Path
    rows: int
    file_bytes: int
    memory_bytes: int
    checksum: int

    @property
    def split(self) -> str:
        """Taken from the file's name."""
        return self.path.name.partition("-")[0]

    @property
    def name(self) -> str:
        """The split, with the number of the shard where there are several."""
        shard, _, shards = self.path.stem.partition("-of-")
        return self.split if int(shards) == 1 else shard


def cards(data: Path, out: Path, *, published: bool) -> dict[Path, str]:
    """The text of every card that belongs to a built dataset, by the path it goes to.

    Args:
        data: folder with the Parquet files, `<table>/<split>-00000-of-00001.parquet` and so on.
        out: the dataset's folder, where `data` is or will be `data/`.
        published: whether `out` is the published repository.
    """
    files = scan(data)
    if not published:
        return {out / "README.md": _fill("other", metadata(files, "data"), _rows(files))}
    generated = {"size_categories": [_size_category(files)], **metadata(files, "data")}
    agreement = agreement_table(read_agreement(out / "source"))
    texts = {out / "README.md": _fill("dataset", generated, {**_statistics(files), "agreement": agreement})}
    package = out.parent / "kmi"
    if (package / "__init__.py").exists():
        texts[package / "README.md"] = _fill("package", metadata(files, f"../{out.name}/data"), _rows(files))
    return texts


def scan(data: Path) -> dict[str, list[File]]:
    """The files of each table that has any, tables and splits in canonical order."""
    found = {}
    for table in ROWS:
        paths = [path for split in codes.SPLITS for path in sorted((data / table).glob(f"{split}-*.parquet"))]
        if paths:
            found[table] = [_file(path) for path in paths]
    return found


def metadata(files: Mapping[str, list[File]], data_path: str) -> dict[str, Any]:
    """`configs` and `dataset_info` of a card; `data_path` leads from the card to the data folder."""
    return {
        "configs": [_config(table, of_table, data_path) for table, of_table in files.items()],
        "dataset_info": [_info(table, of_table) for table, of_table in files.items()],
    }


def version(files: list[File]) -> str:
    """A table's version: the release, then a checksum over the contents of its files."""
    checksum = zlib.crc32(" ".join(f"{file.split} {file.checksum}" for file in files).encode())
    return f"{RELEASE}.{checksum}"


def _config(table: str, files: list[File], data_path: str) -> dict[str, Any]:
    default = {"default": True} if table == next(iter(ROWS)) else {}
    paths = {split: [f"{data_path}/{table}/{file.path.name}" for file in shards] for split, shards in _by_split(files).items()}
    data_files = [{"split": split, "path": shards[0] if len(shards) == 1 else shards} for split, shards in paths.items()]
    return {"config_name": table, "version": version(files), **default, "data_files": data_files}


def _info(table: str, files: list[File]) -> dict[str, Any]:
    return {
        "config_name": table,
        "splits": [
            {"name": split, "num_bytes": sum(file.memory_bytes for file in shards), "num_examples": _row_count(shards)}
            for split, shards in _by_split(files).items()
        ],
        "download_size": sum(file.file_bytes for file in files),
        "dataset_size": sum(file.memory_bytes for file in files),
    }


def _by_split(files: Iterable[File]) -> dict[str, list[File]]:
    return {split: list(shards) for split, shards in groupby(files, key=lambda file: file.split)}


def _row_count(files: Iterable[File]) -> int:
    return sum(file.rows for file in files)


def _file(path: Path) -> File:
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path, pre_buffer=False) as file:  # else it holds a whole shard
        # Row group by row group, as the library reads and counts it.
        memory = sum(
            batch.nbytes for batch in file.iter_batches(batch_size=max(1, file.metadata.row_group(0).num_rows))
        )
        rows = file.metadata.num_rows
    return File(path, rows, path.stat().st_size, memory, _checksum(path))


def _checksum(path: Path) -> int:
    checksum = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            checksum = zlib.crc32(block, checksum)
    return checksum


def _fill(template: str, generated: dict[str, Any], values: Mapping[str, str]) -> str:
    """A template's own metadata joined by the generated, then its text with the values put in."""
    _, front, text = (TEMPLATES / f"{template}.md").read_text(encoding="utf-8").split("---\n", 2)
    front_matter = {**(yaml.safe_load(front) or {}), **generated}
    dumped = yaml.safe_dump(front_matter, allow_unicode=True, sort_keys=False, width=1000)
    return (
        f"---\n{MARK}; edit kmi/corpus/cards/{template}.md instead.\n{dumped}---\n{Template(text).substitute(values)}"
    )


def _size_category(files: Mapping[str, list[File]]) -> str:
    """The Hub's name for the number of dialogues."""
    rows = _row_count(files["dialogues"])
    return next((name for limit, name in SIZE_CATEGORIES.items() if rows < limit), "n>1M")


def _statistics(files: Mapping[str, list[File]]) -> dict[str, str]:
    shards = _by_split(files["dialogues"])
    splits: dict[str, Statistics] = {split: summarise(_dialogues(of_split)) for split, of_split in shards.items()}
    sizes = ", ".join(f"{split} {statistics.report.fidelity.dialogues:,}" for split, statistics in splits.items())
    whole = summarise(_dialogues(files["dialogues"]))
    if len(splits) > 1:
        splits["전체 / all"] = whole
    numbers = {"dialogues": f"{whole.report.fidelity.dialogues:,}", "utterances": f"{whole.tally.utterances:,}", "splits": sizes}
    return {**_rows(files), **markdown_tables(splits), **numbers, "comparison": comparison(whole)}


def _dialogues(files: Iterable[File]) -> Iterator[Dialogue]:
    return chain.from_iterable(read_parquet(file.path) for file in files)


def _rows(files: Mapping[str, list[File]]) -> dict[str, str]:
    sizes = {
        name: ", ".join(f"{split} {_row_count(shards):,}" for split, shards in _by_split(of_table).items())
        for name, of_table in files.items()
    }
    return {"rows": markdown_table(["config", "rows"], [[f"`{name}`", size] for name, size in sizes.items()])}
