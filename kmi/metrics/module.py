"""What KMI's `evaluate` modules share: dialogues in any form in, plain dictionaries out.

A module in `evaluate_metrics/<name>/` says what it is and calls one function of `kmi.metrics`; this base
turns what the user has into the columns `evaluate` stores, and codes what has no codes.

Not covered: the figures (`fidelity`, `change_talk`, `sequences`, ...).
"""

from typing import Any

import datasets
import evaluate

from kmi.errors import ConfigError, DataError
from kmi.metrics.bands import BANDS, band
from kmi.metrics.coded import CodedDialogues, from_turns
from kmi.metrics.inputs import TURN_FIELDS, Plain, plain_dialogues, turns_of
from kmi.metrics.scores import Resampling

DIALOGUES = datasets.Features(
    {"dialogues": {"id": datasets.Value("string"), "dialogue": datasets.List({name: datasets.Value("string") for name in TURN_FIELDS})}}
)
INPUTS = """
Args:
    dialogues: what to score, in any form: a file path, a `datasets` split, records of KMI, of the reference release or of
        AnnoMI, or lists of turns such as {"role": "therapist", "label": "Open Question"} and {"role": "client", "talk": "change"}.
    scheme: what the therapist labels are codes of: "kmi" (default), "miti", "misc" or "annomi".
    coder: codes turns that have no code from their text: "kmi-coder", a folder or a Hub repository. A model's codes err; see its card.
    resamples: bootstrap resamples over dialogues for the 95% intervals, 0 for none.
    seed: of the bootstrap.
"""


class DialogueModule(evaluate.Metric):
    """An `evaluate` metric whose only input is `dialogues`."""

    def add(self, *, dialogues: Any = None, prediction: Any = None, reference: Any = None) -> None:
        """Adds one dialogue."""
        super().add(dialogues=plain_dialogues([dialogues])[0])

    def add_batch(self, *, dialogues: Any = None, predictions: Any = None, references: Any = None) -> None:
        """Adds dialogues in any form that `kmi.metrics.inputs` reads."""
        super().add_batch(dialogues=plain_dialogues(dialogues))


def coded(dialogues: list[Plain], scheme: str, coder: str | None = None) -> CodedDialogues:
    """The stored dialogues as arrays; with `coder`, turns without a code get one from that checkpoint first."""
    if coder is not None:
        if scheme != "kmi":
            raise ConfigError(f"A coder gives KMI labels, but scheme is {scheme!r}.", "Leave out scheme, or leave out coder.")
        from kmi.coder import Coder

        checkpoint = Coder.from_pretrained(coder)
        dialogues = [with_codes(dialogue, checkpoint) for dialogue in dialogues]
    return from_turns(turns_of(dialogues), scheme)


def with_codes(dialogue: Plain, coder: Any) -> Plain:
    """A plain dialogue whose turns without a code have the coder's; given codes stay."""
    try:
        found = coder.code_turns([(turn["role"], turn["text"]) for turn in dialogue["dialogue"]])
    except DataError as error:
        raise DataError(f"dialogue {dialogue['id']!r}, {error}") from None
    column = {"therapist": "label", "client": "talk"}
    turns = [
        {**turn, column[turn["role"]]: turn[column[turn["role"]]] or code.label} for turn, code in zip(dialogue["dialogue"], found, strict=True)
    ]
    return {**dialogue, "dialogue": turns}


def resampling(resamples: int, seed: int) -> Resampling:
    """How intervals are made."""
    return Resampling(resamples, seed)


def with_bands(report: dict, wanted: bool) -> dict:
    """The report, with what the reference corpora score on the same figures beside it where `wanted`."""
    if not wanted:
        return report
    return {**report, "bands": {name: {key: value for key, value in band(name).items() if key in report} for name in BANDS}}


def plain(report: Any) -> Any:
    """A report as plain dictionaries, at any depth."""
    if isinstance(report, dict):
        return {name: plain(value) for name, value in report.items()}
    return report.to_dict() if hasattr(report, "to_dict") else report
