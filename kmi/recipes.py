"""Recipes: the YAML files that decide a training run, one dataclass per kind of model.

Not covered: the fields themselves (`kmi.forecaster.training.Recipe`, `kmi.coder.training.Recipe`).
"""

from dataclasses import fields
from pathlib import Path
from typing import TypeVar

from kmi.errors import ConfigError, allowed

Kind = TypeVar("Kind")


def read_recipe(kind: type[Kind], path: str | Path, shipped: str) -> Kind:
    """Reads a recipe of `kind`; every field must be there and no other.

    Args:
        kind: the dataclass of the recipe; its `__post_init__` checks the values.
        path: the YAML file.
        shipped: the recipe that comes with KMI, named where the file is missing.
    """
    import yaml

    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"Expected a recipe at {path}, found none.", f"The shipped one is {shipped}.")
    values = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    names = [field.name for field in fields(kind)]
    wrong = sorted(set(values) ^ set(names))
    if wrong:
        raise ConfigError(f"{path}: expected exactly the fields {allowed(names, 20)}; {wrong[0]!r} is missing or unknown.")
    return kind(**values)
