from dataclasses import dataclass

import pytest

from kmi.errors import ConfigError
from kmi.recipes import read_recipe


@dataclass
class Two:
    seed: int
    rate: float


def test_a_recipe_is_read_whole(tmp_path):
    (tmp_path / "r.yaml").write_text("seed: 3\nrate: 0.5\n", encoding="utf-8")
    assert read_recipe(Two, tmp_path / "r.yaml", "shipped.yaml") == Two(3, 0.5)


@pytest.mark.parametrize(("text", "wrong"), [("seed: 3\n", "rate"), ("seed: 3\nrate: 1\nrats: 1\n", "rats"), ("", "rate")])
def test_missing_and_unknown_fields_are_named(tmp_path, text, wrong):
    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=f"expected exactly the fields seed, rate; '{wrong}'"):
        read_recipe(Two, tmp_path / "r.yaml", "shipped.yaml")


def test_an_absent_recipe_names_the_shipped_one(tmp_path):
    with pytest.raises(ConfigError, match=r"found none. The shipped one is shipped.yaml"):
        read_recipe(Two, tmp_path / "none.yaml", "shipped.yaml")
