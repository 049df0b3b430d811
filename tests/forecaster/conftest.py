"""Fixtures of the forecaster tests: AnnoMI where it is at hand, and sessions with a rule to learn."""

import os
import random
import warnings

import pytest

from kmi.codes import TALK_TYPES
from kmi.corpus.annomi import load_annomi
from kmi.dialogue import Dialogue, Utterance
from kmi.forecaster.training import Recipe

ABSENT = "AnnoMI IS ABSENT: the forecaster's figures were NOT checked. Set KMI_ANNOMI to what scripts/prepare_annomi.py wrote."
RULE = {"change": "Complex Reflection", "sustain": "Simple Reflection", "neutral": "Open Question"}


@pytest.fixture(scope="session")
def annomi_folder():
    if not os.environ.get("KMI_ANNOMI"):
        warnings.warn(pytest.PytestWarning(ABSENT), stacklevel=1)
        pytest.skip(ABSENT)
    return os.environ["KMI_ANNOMI"]


@pytest.fixture(scope="session")
def annomi(annomi_folder):
    return load_annomi(annomi_folder)


def session(number, turns=24):
    """A session in which the therapist answers each talk type with one label, always."""
    rng = random.Random(number)
    utterances, talk = [Utterance("therapist", "어서 오세요.", label="General")], None
    for i in range(turns):
        if i % 2 == 0:
            talk = rng.choice(TALK_TYPES)
            utterances.append(Utterance("client", "요즘은 " * rng.randint(1, 9) + "그래요.", talk=talk))
        else:
            utterances.append(Utterance("therapist", "그러셨군요.", label=RULE[talk]))
    return Dialogue(f"annomi-{number}", "", "", tuple(utterances))


@pytest.fixture(scope="session")
def sessions():
    return [session(number) for number in range(20)]


@pytest.fixture(scope="session")
def recipe():
    """Small and quick, but enough for the rule."""
    return Recipe(
        seed=0, members=4, hidden_size=16, epochs=12, batch_size=32, learning_rate=0.02, weight_decay=0.01,
        dropout_in=0.0, dropout=0.1, session_share=0.7, wordless_share=0.3, incomplete_share=0.1, unknown_share=0.3, clip=4.0,
    )  # fmt: skip
