"""Recipes: the YAML files that decide a training run, one dataclass per kind of model.

Not covered: the fields themselves (`kmi.forecaster.training.Recipe`, `kmi.coder.training.Recipe`).
"""

from dataclasses import Field, fields
from pathlib import Path
from typing import Any, TypeVar

from kmi.errors import ConfigError, allowed

Kind = TypeVar("Kind")
KINDS = {int: "a whole number", float: "a number", str: "text"}
LARGEST = 2**53  # up to it every whole number is a float too; infinite and NaN are beyond


def read_recipe(kind: type[Kind], path: str | Path, shipped: str) -> Kind:
    """Reads a recipe of `kind`; every field must be there and no other.

    Args:
        kind: the dataclass of the recipe, its fields int, float or str; its `__post_init__` checks the values.
        path: the YAML file.
        shipped: the recipe that comes with KMI, named where the file is missing.

    Raises:
        ConfigError: naming file and field, where the recipe is missing, damaged or wrong.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"Expected a recipe at {path}, found none.", f"The shipped one is {shipped}.")
    values = read_fields(path)
    names = [field.name for field in fields(kind)]
    wrong = sorted(set(values) ^ set(names), key=str)
    if wrong:
        raise ConfigError(f"{path}: expected exactly the fields {allowed(names, 20)}; {wrong[0]!r} is missing or unknown.")
    for field in fields(kind):
        _check(field, values[field.name], path)
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.problem}", error.next_step) from None


def read_fields(path: Path) -> dict[Any, Any]:
    """The fields of a YAML file as they stand there; `ConfigError` if it holds anything else."""
    import yaml

    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8-sig")) or {}
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 ({error.reason}).", "Save it as UTF-8.") from None
    # A value that is not what its form or tag promises, such as 2024-99-99, escapes PyYAML as an error of Python's.
    except (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise ConfigError(f"{path}: not valid YAML ({' '.join(str(error).split())}).", "Write one field a line, such as seed: 0") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected fields such as seed: 0, got {type(values).__name__}.")
    return values


def _check(field: Field, value: Any, path: Path) -> None:
    fits = isinstance(value, (int, float) if field.type is float else field.type) and not isinstance(value, bool)
    if fits and (isinstance(value, str) or abs(value) <= LARGEST):
        return
    # By its type alone where it may be endless: a number of thousands of digits, or a list that aliases make gigabytes of.
    got = repr(value)[:80] if isinstance(value, (str, float, bool)) else f"a value of type {type(value).__name__}"
    hint = "Write the exponent as 3.0e-4: YAML takes 3e-4 for text." if field.type is float and isinstance(value, str) else ""
    raise ConfigError(f"{path}: expected {field.name} to be {KINDS[field.type]}, got {got}.", hint)
