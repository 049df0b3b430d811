"""Loads the KMI dataset anywhere: from the copy in the installed wheel, or from the checkout.

    import kmi
    dialogues = kmi.load_dataset("dialogues", split="train")

Opens no connection. The data goes through `datasets`, so that afterwards its cache also
answers plain `load_dataset("kmi", "dialogues")`, wherever you are.

Not covered: the tables' columns (`kmi.corpus.tables`), other files (`kmi.corpus.readers`).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kmi.corpus.tables import read_parquet
from kmi.dialogue import Dialogue
from kmi.errors import ConfigError, allowed

PACKAGE = Path(__file__).parents[1]
BUNDLE = PACKAGE / "_bundle" / "dataset" / "kmi"
# A split as `datasets` takes it, e.g. "train", "train[:10%]" or "train+test".
SPLIT = re.compile(r"(\w+)(\[.*\])?")


def load_dataset(config: str = "dialogues", split: str | None = None, *, streaming: bool = False) -> Any:
    """The KMI dataset as `datasets` gives it.

    Args:
        config: "dialogues", "utterances", "chat" or "forecasting".
        split: "train", "validation" or "test", or a slice such as "train[:100]"; None gives all.
        streaming: read rows as they are asked for, without filling the cache.

    Returns:
        A `Dataset` (`IterableDataset` when streaming), or a dict of them by split.

    Raises:
        ConfigError: if there is no such config or split, naming those there are.
    """
    folder = dataset_folder()
    splits = _configs(folder)
    if config not in splits:
        raise ConfigError(
            f"Expected a config among {allowed(splits)}, got {config!r}.", 'Try kmi.load_dataset("dialogues").'
        )
    for part in split.split("+") if split is not None else ():
        found = SPLIT.fullmatch(part.strip())
        if not found or found[1] not in splits[config]:
            raise ConfigError(f"Expected a split of {config!r} among {allowed(splits[config])}, got {split!r}.")
    import datasets

    return datasets.load_dataset(str(folder), config, split=split, streaming=streaming)


def shipped_dialogues(split: str | None = None) -> Iterator[Dialogue]:
    """Yields the dataset's dialogues as records, of one split or of all, without the datasets library.

    Raises:
        ConfigError: if there is no such split.
    """
    folder = dataset_folder()
    paths = _configs(folder)["dialogues"]
    if split is not None and split not in paths:
        raise ConfigError(f"Expected a split among {allowed(paths)}, got {split!r}.")
    for name, shards in paths.items():
        if split in (None, name):
            for path in shards:
                yield from read_parquet(folder / path)


def dataset_folder() -> Path:
    """The folder named `kmi` whose README declares the tables; `ConfigError` if nothing is built yet."""
    for folder in (BUNDLE, PACKAGE):
        if (folder / "README.md").is_file():
            return folder
    raise ConfigError(
        f"Expected the dataset beside the package at {PACKAGE}, found none.",
        "Build it: python scripts/build_dataset.py",
    )


def _configs(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Paths of each split's files, by config, as the README declares them."""
    front_matter = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1]
    configs = yaml.safe_load(front_matter)["configs"]
    return {config["config_name"]: {file["split"]: _paths(file["path"]) for file in config["data_files"]} for config in configs}


def _paths(declared: str | list[str]) -> list[str]:
    return [declared] if isinstance(declared, str) else declared
