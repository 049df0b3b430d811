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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed: three\nrate: 1\n", "expected seed to be a whole number, got 'three'"),
        ("seed: true\nrate: 1\n", "seed to be a whole number, got True"),
        ("seed: 3\nrate: 3e-4\n", "rate to be a number, got '3e-4'. Write the exponent as 3.0e-4"),
        ("seed: 3\nrate: .nan\n", "rate to be a number, got nan"),
        ("seed: 0x" + "f" * 5000 + "\nrate: 1\n", "seed to be a whole number, got a value of type int"),
        ("seed: [1]\nrate: 1\n", "seed to be a whole number, got a value of type list"),
        ("seed: 2024-99-99\nrate: 1\n", "not valid YAML"),
        ("seed: !!python/object/apply:os.getpid []\nrate: 1\n", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("- seed", "expected fields such as seed: 0, got list"),
        ("1: 2\nseed: 3\nrate: 1\n", "1 is missing or unknown"),
        ("seed: 3\nrate: -1\n", "Expected a rate above 0"),
    ],
)
def test_what_is_no_recipe_is_refused_by_file_and_field(tmp_path, text, words):
    @dataclass
    class Checked(Two):
        def __post_init__(self):
            if self.rate < 0:
                raise ConfigError("Expected a rate above 0.")

    (tmp_path / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_recipe(Checked, tmp_path / "r.yaml", "shipped.yaml")
    assert str(caught.value).startswith(f"{tmp_path / 'r.yaml'}: ") and words in str(caught.value) and str(caught.value).isprintable()


def test_a_recipe_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "r.yaml").write_bytes("seed: 3  # 씨앗".encode("cp949"))
    with pytest.raises(ConfigError, match="r.yaml: not UTF-8 .*Save it as UTF-8"):
        read_recipe(Two, tmp_path / "r.yaml", "shipped.yaml")
