"""Coded dialogues from short strings of codes, and AnnoMI where it lies."""

import os
from pathlib import Path

import pytest

from kmi import codes
from kmi.dialogue import Dialogue, Utterance
from kmi.metrics.coded import from_dialogues

SHORT = {**codes.ABBREVIATIONS}


def session(text, id_="d"):
    """A dialogue of codes: "OQ change/desire SR -" ("-" is a client turn without a code, "?" a therapist's)."""
    turns = []
    for code in text.split():
        if code in SHORT or code == "?":
            turns.append(Utterance("therapist", "말", label=SHORT.get(code)))
        else:
            talk, subtype = (None, None) if code == "-" else codes.split_talk(code)
            turns.append(Utterance("client", "말", talk=talk, talk_subtype=subtype))
    return Dialogue(id_, "", "", tuple(turns))


@pytest.fixture(scope="session")
def session_of():
    """Makes a dialogue of codes; see `session`."""
    return session


@pytest.fixture(scope="session")
def coded():
    """Makes coded dialogues, one per string of codes."""
    return lambda *texts: from_dialogues(session(text, f"d{i}") for i, text in enumerate(texts))


@pytest.fixture(scope="session")
def annomi_folder():
    folder = os.environ.get("KMI_ANNOMI")
    if not folder or not Path(folder).is_dir():
        pytest.skip("AnnoMI is absent: set KMI_ANNOMI or run scripts/prepare_annomi.py")
    return Path(folder)
