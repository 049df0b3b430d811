"""A rating form for people, as CSV that a spreadsheet opens with its Korean intact.

One row per dialogue and item; raters fill the column `score`. `read_form` takes a filled form back, one rater a file.

Not covered: how dialogues are shown to raters (`scripts/evaluate_dialogues.py --html`).
"""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from kmi.dialogue import Dialogue
from kmi.errors import DataError
from kmi.metrics.ratings import Rating
from kmi.metrics.rubric import HIGHEST, ITEMS, LOWEST

COLUMNS = ("dialogue", "item", "항목", "질문", "1은", "5는", "question", "1 means", "5 means", "score")


def write_form(dialogues: Iterable[Dialogue], path: str | Path) -> int:
    """Writes an empty form for `dialogues` and returns the number of rows."""
    rows = 0
    # utf-8-sig: without the mark a spreadsheet on Windows shows Korean as rubbish.
    with Path(path).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for dialogue in dialogues:
            for item in ITEMS.values():
                texts = (item.ko, item.question_ko, item.low_ko, item.high_ko, item.question_en, item.low_en, item.high_en)
                writer.writerow([dialogue.id, item.name, *texts, ""])
                rows += 1
    return rows


def read_form(path: str | Path, rater: str, kind: str = "human") -> Iterator[Rating]:
    """Yields the ratings of a filled form; rows left empty are skipped.

    Raises:
        DataError: naming file and line, where a column is missing or a score is no number of 1 to 5.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"dialogue", "item", "score"} - set(reader.fieldnames or ())
            if missing:
                raise DataError(f"{path}: expected the columns dialogue, item and score, missing {', '.join(sorted(missing))}.")
            for row in reader:
                text = (row["score"] or "").strip()
                if text:
                    yield _rating(row, text, rater, kind, f"{path}, line {reader.line_num}")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}).", "Save it as CSV UTF-8.") from None
    except FileNotFoundError:
        raise DataError(f"Expected a filled rating form at {path}, found none.", "Check the path.") from None


def _rating(row: dict[str, str], text: str, rater: str, kind: str, where: str) -> Rating:
    try:
        value = float(text)
    except ValueError:
        raise DataError(f"{where}: expected a score of {LOWEST} to {HIGHEST}, got {text!r}.") from None
    try:
        return Rating(row["dialogue"], rater, row["item"], value, kind)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
