"""Sessions of several sources rated side by side by raters who do not know which is which.

`mix` draws an order and gives new names; the key that undoes it stays with whoever asks. `rated` puts scores and key together as plain
rows for a file, `report` makes the figures.

Not covered: asking raters (`kmi.metrics.judge`, `kmi.metrics.ratings_form`), the figures themselves (`kmi.metrics.ratings`).
"""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kmi.dialogue import Dialogue
from kmi.errors import DataError
from kmi.metrics.ratings import Rating, ratings
from kmi.metrics.rubric import ITEMS
from kmi.metrics.scores import USUAL, Resampling


class Origin(NamedTuple):
    """Where a session under a blind name comes from."""

    source: str
    id: str


class Row(NamedTuple):
    """One score as it stands in a file, with what the rater did not know."""

    blind: str
    source: str
    id: str
    rater: str
    kind: str
    item: str
    score: float


def mix(sources: Mapping[str, Sequence[Dialogue]], seed: int = 0) -> tuple[list[Dialogue], dict[str, Origin]]:
    """All sessions in drawn order under new names, without codes and profiles, and the key to them."""
    pool = [(name, dialogue) for name, dialogues in sources.items() for dialogue in dialogues]
    random.Random(seed).shuffle(pool)
    blind = [replace(dialogue, id=f"session-{n:03d}") for n, (_, dialogue) in enumerate(pool, start=1)]
    return blind, {new.id: Origin(source, old.id) for new, (source, old) in zip(blind, pool, strict=True)}


def rated(given: Iterable[Rating], key: Mapping[str, Origin]) -> list[Row]:
    """Scores with their origin.

    Raises:
        DataError: a session that the key does not know was rated.
    """
    rows = []
    for rating in given:
        if rating.dialogue not in key:
            raise DataError(f"rater {rating.rater!r} rated {rating.dialogue!r}, which is not among the {len(key)} sessions.", "Give the sessions and the seed they were mixed with.")
        rows.append(Row(rating.dialogue, *key[rating.dialogue], rating.rater, rating.kind, rating.item, rating.score))
    return rows


def write_rows(rows: Iterable[Row], path: str | Path) -> None:
    """Writes rows as CSV."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([Row._fields, *rows])


def read_rows(path: str | Path) -> list[Row]:
    """Reads what `write_rows` wrote; nothing where there is no file."""
    if not Path(path).is_file():
        return []
    with Path(path).open(encoding="utf-8", newline="") as file:
        return [Row(**{**row, "score": float(row["score"])}) for row in csv.DictReader(file)]


def report(rows: Sequence[Row], resampling: Resampling = USUAL) -> dict:
    """Figures of each source, and of "all" together: there agreement has the whole range of quality to show in.

    Returns:
        plain data: `kind` and `raters`; `sessions`, their number by source; `figures`, by source or "all" what
        `kmi.metrics.ratings.ratings` gives, in JSON form.

    Raises:
        DataError: no scores, or people's and models' mixed.
    """
    kinds = sorted({row.kind for row in rows})
    if len(kinds) != 1:
        raise DataError(f"Expected scores of one kind of rater, got {len(kinds)}: {', '.join(kinds)}.", "Report people's and models' scores apart.")
    sources = {name: [row for row in rows if row.source == name] for name in dict.fromkeys(row.source for row in sorted(rows, key=lambda row: row.source))}
    figures = {}
    for name, its in {"all": rows, **sources}.items():
        found = ratings([Rating(row.blind, row.rater, row.item, row.score, row.kind) for row in its], resampling)[kinds[0]]
        figures[name] = {item: value if isinstance(value, str) else value.to_dict() for item, value in found.items()}
    return {
        "kind": kinds[0],
        "raters": sorted({row.rater for row in rows}),
        "sessions": {name: len({row.id for row in its}) for name, its in sources.items()},
        "figures": figures,
    }


def table(found: dict) -> str:
    """The Markdown table of a report: each item's mean by source with its 95% interval, then alpha over all sessions and within each source
    (sources that lie far apart make the one over all high)."""
    sources = list(found["sessions"])
    titles = [*(f"{name} ({found['sessions'][name]})" for name in sources), *(f"alpha, {name}" for name in ("all", *sources)), "ICC, all"]
    lines = [f"| 항목 / item | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
    for item in ITEMS.values():
        if item.name in found["figures"]["all"]:
            figures = {name: found["figures"][name][item.name] for name in ("all", *sources)}
            cells = [*(figures[name]["mean"] for name in sources), *(figures[name]["alpha"] for name in ("all", *sources)), figures["all"]["icc"]]
            lines.append(f"| {item.ko} / {item.en} | {' | '.join(map(_cell, cells))} |")
    return "\n".join(lines)


def _cell(score: dict) -> str:
    if score["value"] is None:
        return "-"
    return f"{score['value']:.2f}" + (f" ({score['low']:.2f}-{score['high']:.2f})" if score["low"] is not None else "")
