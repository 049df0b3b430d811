"""A tiny dialogue model, trained in seconds on a few shipped sessions."""

from dataclasses import replace
from itertools import islice

import pytest

from kmi.corpus.load import shipped_dialogues
from kmi.dialogue_model.recipe import recipe_from_yaml
from kmi.dialogue_model.training import fit


@pytest.fixture(scope="session")
def tiny_recipe(repository):
    shipped = recipe_from_yaml(repository / "scripts/recipes/chatbot.yaml")
    return replace(shipped, vocabulary=900, hidden_size=32, layers=2, heads=2, epochs=2, warmup=2, dropout=0.1)


@pytest.fixture(scope="session")
def sessions():
    return list(islice(shipped_dialogues("train"), 12))


@pytest.fixture(scope="session")
def tiny_model(tiny_recipe, sessions, tmp_path_factory):
    """Folder of a trained tiny dialogue model."""
    out = tmp_path_factory.mktemp("chatbot")
    fit(sessions, tiny_recipe, out)
    return out
