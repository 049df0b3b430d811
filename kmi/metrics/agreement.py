"""Agreement of coders on codes: Cohen's kappa, Fleiss' kappa, Krippendorff's alpha, per code.

All from per-dialogue counts, so that the bootstrap over dialogues of `kmi.metrics.scores`
applies. 1 is perfect agreement, 0 what chance gives, below 0 worse than chance. By the
customary bands (Cicchetti 1994) .40 is fair, .60 good, .75 excellent; expert opinion again.

Sources: Cohen 1960; Fleiss 1971 (for a varying number of coders: pairwise agreement as in
Fleiss, Levin & Paik 2003, 18.3); Krippendorff 2019, ch. 12, nominal. Against two figures of
AnnoMI's public table: therapist behaviour .74, client talk .47 (seven sessions, ten coders).

Not covered: agreement on rating scales (`kmi.metrics.ratings`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kmi.errors import DataError, allowed
from kmi.metrics.scores import USUAL, Resampling, Score, ratio, score_all

NO_CODES = "no utterance has codes of two coders"
ONE_CODE = "undefined: no code of two coders, or all of them the same"


@dataclass(frozen=True, slots=True)
class Codings:
    """Codes of several coders for the same utterances.

    `codes` is [utterances, coders], an index into `names` or -1 where a coder was silent;
    `dialogue` numbers the dialogue of each utterance (what the bootstrap draws).
    """

    names: tuple[str, ...]
    codes: np.ndarray
    dialogue: np.ndarray


def codings(
    ratings: Sequence[Sequence[str | None]], dialogues: Sequence[object] | None = None, names: Sequence[str] = ()
) -> Codings:
    """Collects codes.

    Args:
        ratings: for each utterance the code each coder gave, None or "" for none.
        dialogues: the dialogue of each utterance; each utterance its own where not given.
        names: the codes allowed, in order; by default those that occur, sorted.

    Raises:
        DataError: where rows differ in length or a code is not among `names`.
    """
    coders = len(ratings[0]) if len(ratings) else 0
    known = list(names) or sorted({code for row in ratings for code in row if code})
    index = {name: i for i, name in enumerate(known)}
    found = np.full((len(ratings), coders), -1, dtype=np.int16)
    for i, row in enumerate(ratings):
        if len(row) != coders:
            raise DataError(f"utterance {i}: expected the codes of {coders} coders, as for utterance 0, got {len(row)}.")
        for j, code in enumerate(row):
            if code and code not in index:
                raise DataError(f"utterance {i}, coder {j}: code {code!r} is unknown; allowed are {allowed(known)}.")
            found[i, j] = index[code] if code else -1
    if dialogues is not None and len(dialogues) != len(ratings):
        raise DataError(f"Expected a dialogue for each of {len(ratings)} utterances, got {len(dialogues)}.")
    places = range(len(ratings)) if dialogues is None else dialogues
    numbers = {place: n for n, place in enumerate(dict.fromkeys(places))}
    return Codings(tuple(known), found, np.array([numbers[place] for place in places], dtype=np.int64))


def cohen(found: Codings, resampling: Resampling = USUAL) -> dict[str, Score]:
    """Cohen's kappa of two coders: "overall", then each code against all others.

    Utterances that one of the two left out do not count.
    """
    if found.codes.shape[1] != 2:
        raise DataError(f"Cohen's kappa is for two coders, got {found.codes.shape[1]}; Fleiss' kappa takes more.")
    size = len(found.names)
    counts = _per_dialogue(found, _pairs(found.codes, size), size * size)
    return _overall_and_each(found.names, counts, cohen_of, resampling)


def fleiss(found: Codings, resampling: Resampling = USUAL) -> dict[str, Score]:
    """Fleiss' kappa of two or more coders: "overall", then each code against all others."""
    size = len(found.names)
    statistics = {"overall": lambda sums: fleiss_of(sums[..., : 2 + size])}
    for code, name in enumerate(found.names):
        statistics[name] = lambda sums, code=code: fleiss_of(_one_of_fleiss(sums, code, size))
    return score_all(_agreements(found, size), statistics, dict.fromkeys(statistics, ONE_CODE), resampling)


def alpha(found: Codings, resampling: Resampling = USUAL) -> dict[str, Score]:
    """Krippendorff's alpha for nominal codes: "overall", then each code against all others.

    Like Fleiss' kappa, with a correction for small samples, and coders may be silent anywhere.
    """
    size = len(found.names)
    return _overall_and_each(found.names, _coincidences(found, size), alpha_of, resampling)


def confusion(found: Codings) -> np.ndarray:
    """Counts [codes, codes] of the first coder's code (row) by the second's (column)."""
    size = len(found.names)
    return np.bincount(_pairs(found.codes[:, :2], size)[1], minlength=size * size).reshape(size, size)


def report(found: Codings, resampling: Resampling = USUAL) -> dict:
    """Every figure in plain form; Cohen's kappa, raw agreement and the confusion table only for two coders."""
    figures = {"fleiss_kappa": fleiss(found, resampling), "krippendorff_alpha": alpha(found, resampling)}
    two = found.codes.shape[1] == 2
    if two:
        figures["cohen_kappa"] = cohen(found, resampling)
    plain = {name: {code: score.to_dict() for code, score in of.items()} for name, of in figures.items()}
    plain |= {"utterances": len(found.codes), "coders": found.codes.shape[1], "codes": list(found.names)}
    if two:
        plain |= {"raw_agreement": raw_agreement(found, resampling).to_dict(), "confusion": confusion(found).tolist()}
    return plain


def raw_agreement(found: Codings, resampling: Resampling = USUAL) -> Score:
    """Share of utterances on which two coders agree, 0-1, chance not taken out."""
    size = len(found.names)
    counts = _per_dialogue(found, _pairs(found.codes[:, :2], size), size * size)

    def share(pooled: np.ndarray) -> np.ndarray:
        table = pooled.reshape(*pooled.shape[:-1], size, size)
        return ratio(np.trace(table, axis1=-2, axis2=-1), table.sum((-2, -1)))

    return score_all(counts, {"": share}, {"": NO_CODES}, resampling)[""]


def cohen_of(table: np.ndarray) -> np.ndarray:
    """Kappa = (agreed - expected) / (1 - expected) of confusion counts [..., k, k]; expected from both coders' shares."""
    whole = table.sum((-2, -1))
    agreed = ratio(np.trace(table, axis1=-2, axis2=-1), whole)
    expected = ratio((table.sum(-1) * table.sum(-2)).sum(-1), whole**2)
    return _beyond_chance(agreed, expected)


def fleiss_of(sums: np.ndarray) -> np.ndarray:
    """Kappa of sums [..., 2 + k]: utterances, summed pairwise agreement of each, codes given by name.

    Chance agreement is the sum of squared shares of the codes, over all coders together.
    """
    utterances, agreement, given = sums[..., 0], sums[..., 1], sums[..., 2:]
    shares = ratio(given, given.sum(-1, keepdims=True) + np.zeros_like(given))
    return _beyond_chance(ratio(agreement, utterances), (shares**2).sum(-1))


def alpha_of(coincidences: np.ndarray) -> np.ndarray:
    """Alpha = 1 - observed / expected disagreement of a coincidence matrix [..., k, k] (Krippendorff 2019, ch. 12)."""
    given = coincidences.sum(-1)
    whole = given.sum(-1)
    agreed = np.trace(coincidences, axis1=-2, axis2=-1)
    observed = ratio(whole - agreed, whole)
    expected = ratio(whole**2 - (given**2).sum(-1), whole * (whole - 1))
    return 1 - ratio(observed, expected)


def _beyond_chance(agreed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return ratio(agreed - expected, np.where(np.isclose(expected, 1), 0, 1 - expected))


def _overall_and_each(names: Sequence[str], counts: np.ndarray, statistic, resampling: Resampling) -> dict[str, Score]:
    """The statistic over all codes and over each code against the rest, from per-dialogue counts."""
    shape = counts.shape[1:]

    def whole(pooled: np.ndarray) -> np.ndarray:
        return statistic(pooled.reshape(*pooled.shape[:-1], *shape))

    def one(code: int):
        return lambda pooled: statistic(_against_rest(pooled.reshape(*pooled.shape[:-1], *shape), code))

    statistics = {"overall": whole, **{name: one(code) for code, name in enumerate(names)}}
    return score_all(counts, statistics, dict.fromkeys(statistics, ONE_CODE), resampling)


def _against_rest(table: np.ndarray, code: int) -> np.ndarray:
    """A table [..., k, k] as one [..., 2, 2]: the code, and everything else."""
    both = table[..., code, code]
    row, column = table[..., code, :].sum(-1) - both, table[..., :, code].sum(-1) - both
    neither = table.sum((-2, -1)) - both - row - column
    return np.stack([np.stack([both, row], -1), np.stack([column, neither], -1)], -2)


def _pairs(codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Which utterances both coders coded, and the cell of the confusion table each falls in."""
    rows = np.flatnonzero((codes >= 0).all(1))
    return rows, codes[rows, 0].astype(np.int64) * size + codes[rows, 1]


def _per_dialogue(found: Codings, pairs: tuple[np.ndarray, np.ndarray], cells: int) -> np.ndarray:
    """Counts of cells in each dialogue, [dialogues, k, k]."""
    rows, cell = pairs
    dialogues = int(found.dialogue.max(initial=-1)) + 1
    flat = np.bincount(found.dialogue[rows] * cells + cell, minlength=dialogues * cells)
    side = int(cells**0.5)
    return flat.reshape(dialogues, side, side)


def _given(found: Codings, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes given to each utterance [utterances, k], for those with two coders or more, and their dialogues."""
    given = np.stack([(found.codes == code).sum(1) for code in range(size)], 1) if size else np.zeros((len(found.codes), 0))
    kept = given.sum(1) >= 2
    return given[kept].astype(np.float64), found.dialogue[kept]


def _agreements(found: Codings, size: int) -> np.ndarray:
    """What `fleiss_of` needs, summed within each dialogue, then the agreement on each code against the rest."""
    given, dialogue = _given(found, size)
    others = given.sum(1, keepdims=True) - given
    pairs = given.sum(1) * (given.sum(1) - 1)
    agreement = (given * (given - 1)).sum(1) / pairs
    on_each = (given * (given - 1) + others * (others - 1)) / pairs[:, None]
    return _summed(np.column_stack([np.ones(len(given)), agreement, given, on_each]), dialogue, found)


def _one_of_fleiss(sums: np.ndarray, code: int, size: int) -> np.ndarray:
    """The sums for one code against all others, as `fleiss_of` takes them."""
    given = sums[..., 2 + code]
    others = sums[..., 2 : 2 + size].sum(-1) - given
    return np.stack([sums[..., 0], sums[..., 2 + size + code], given, others], -1)


def _coincidences(found: Codings, size: int) -> np.ndarray:
    """Coincidence matrix of each dialogue: each utterance adds its ordered pairs of codes, divided by coders - 1."""
    given, dialogue = _given(found, size)
    pairs = given[:, :, None] * given[:, None, :] - given[:, :, None] * np.eye(size)
    return _summed(pairs / (given.sum(1) - 1)[:, None, None], dialogue, found)


def _summed(values: np.ndarray, dialogue: np.ndarray, found: Codings) -> np.ndarray:
    sums = np.zeros((int(found.dialogue.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, dialogue, values)
    return sums
