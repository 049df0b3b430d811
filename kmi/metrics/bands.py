"""Reference bands: what AnnoMI's high and low sessions and the reference release score on the same figures.

`bands.toml` holds their counts (labels, talk; no text); figures are computed from them by the same formulas.
AnnoMI's counts are made by `scripts/measure_sensitivity.py --write`, the reference's are as published.

Not covered: intervals of the bands, which `scripts/measure_sensitivity.py` prints.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from kmi import codes
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed
from kmi.metrics.scores import ratio

BANDS = {"annomi_high": "AnnoMI high", "annomi_low": "AnnoMI low", "kmi_reference": "Kim et al. 2025"}


@cache
def _table() -> dict:
    return tomllib.loads(Path(__file__).with_name("bands.toml").read_text(encoding="utf-8"))


def band(name: str) -> dict[str, float | None]:
    """Figures of a reference band by name, as `kmi.metrics` names them; None where its counts cannot tell."""
    if name not in BANDS:
        raise DataError(f"Expected a reference band among {allowed(BANDS)}, got {name!r}.")
    table = _table()[name]
    labels, talk = table["labels"], table.get("talk", {})
    reflections = labels["Simple Reflection"] + labels["Complex Reflection"]
    questions = labels["Open Question"] + labels["Closed Question"]
    leaning = talk.get("change", 0) + talk.get("sustain", 0)
    return {
        "reflection_to_question": reflections / questions,
        "complex_share": labels["Complex Reflection"] / reflections,
        "open_share": labels["Open Question"] / questions,
        "change_share": talk["change"] / sum(talk.values()) if talk else None,
        "change_to_sustain_share": talk["change"] / leaning if talk else None,
    }


def label_shares(name: str) -> np.ndarray:
    """Shares of the 8 labels in a band, in the order of THERAPIST_LABELS."""
    labels = _table()[name]["labels"]
    counts = np.array([labels[label] for label in codes.THERAPIST_LABELS], dtype=np.float64)
    return counts / counts.sum()


def bands_toml(corpora: Mapping[str, Iterable[Dialogue]]) -> str:
    """The text of `bands.toml`: counts of these corpora by band name, and the reference release's as published."""
    reference = _table()["kmi_reference"]["labels"]
    lines = ["# Counts behind the reference bands; written by scripts/measure_sensitivity.py --write, text of AnnoMI is not in them."]
    for name, dialogues in corpora.items():
        turns = [turn for dialogue in dialogues for turn in dialogue.utterances]
        labels, talk = Counter(turn.label for turn in turns if turn.label), Counter(turn.talk for turn in turns if turn.talk)
        lines += ["", f"[{name}]", f"labels = {_inline(labels, codes.THERAPIST_LABELS)}", f"talk = {_inline(talk, codes.TALK_TYPES)}"]
    lines += ["", "# Therapist labels of the release as published (9,558 turns); its client turns carry no label."]
    return "\n".join([*lines, "[kmi_reference]", f"labels = {_inline(reference, codes.THERAPIST_LABELS)}", ""])


def _inline(counts: Mapping[str, int], names: Iterable[str]) -> str:
    return "{ " + ", ".join(f'"{name}" = {counts[name]}' for name in names) + " }"


def js_distance(counts: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Jensen-Shannon distance (square root of the divergence, base 2) of counts [..., k] to shares [k], 0-1.

    0 means the same distribution (Endres & Schindelin 2003); NaN where there are no counts.
    """
    counts = np.asarray(counts, dtype=np.float64)
    whole = counts.sum(-1, keepdims=True)
    shares = ratio(counts, np.broadcast_to(whole, counts.shape))
    middle = (shares + target) / 2

    def divergence(p: np.ndarray) -> np.ndarray:
        terms = np.where(p > 0, p * np.log2(np.where(p > 0, p, 1) / np.where(middle > 0, middle, 1)), 0.0)
        return np.where(np.isnan(shares).any(-1), np.nan, terms.sum(-1))

    return np.sqrt(np.maximum((divergence(shares) + divergence(np.broadcast_to(target, shares.shape))) / 2, 0))
