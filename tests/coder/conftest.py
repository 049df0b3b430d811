"""A tiny coder, trained in seconds on a few shipped dialogues."""

from dataclasses import replace
from itertools import islice

import pytest

from kmi.coder.text import examples_of
from kmi.coder.training import Recipe, fit
from kmi.corpus.load import shipped_dialogues


@pytest.fixture(scope="session")
def tiny_recipe(repository):
    shipped = Recipe.from_yaml(repository / "scripts/recipes/coder.yaml")
    return replace(shipped, vocabulary=500, hidden_size=32, layers=1, heads=2, epochs=2, warmup=5, folds=2)


@pytest.fixture(scope="session")
def turns():
    """Coded Korean turns of twelve dialogues."""
    return list(examples_of(islice(shipped_dialogues("train"), 12), ["ko"]))


@pytest.fixture(scope="session")
def tiny_coder(tiny_recipe, turns, tmp_path_factory):
    """Folder of a trained tiny coder."""
    from accelerate import Accelerator

    out = tmp_path_factory.mktemp("coder")
    fit(turns, turns[:60], tiny_recipe, out, Accelerator(cpu=True))
    return out
