"""Dialogues as a CSV for spreadsheets, a row a turn, and back.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, which the reader takes away again.

Not covered: other separators than the comma; profile, provenance and forecasts (`kmi.dialogue`, `kmi.corpus.convokit`).
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kmi.corpus.exchange import (
    ANNOTATIONS,
    DIALOGUE_FIELDS,
    TEXTS,
    annotations,
    appearing,
    dialogue_fields,
    given,
    in_language,
    known_language,
)
from kmi.corpus.tables import Row
from kmi.dialogue import Dialogue
from kmi.errors import DataError, allowed

CSV_COLUMNS = {"id", "turn", "role"}
"""What a table must have beside a text column to be read; by these it is known."""
# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"); full-width signs count in East Asian settings.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def write_csv(dialogues: Iterable[Dialogue], path: str | Path, language: str = "ko") -> int:
    """Writes a row a turn for spreadsheets and returns how many dialogues; `read_csv` is the way back.

    The file opens with a byte order mark, without which Excel garbles Korean.

    Raises:
        ConfigError, DataError: as `in_language` and `appearing`.
    """
    count = 0
    columns = ("id", *DIALOGUE_FIELDS, "turn", "role", TEXTS[known_language(language)], *ANNOTATIONS)
    with appearing(Path(path)) as partial, partial.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for dialogue in in_language(dialogues, language):
            count += 1
            shared = dialogue_fields(dialogue).values()
            for i, turn in enumerate(dialogue.utterances):
                cells = (*shared, i, turn.role, turn.text, *annotations(turn).values())
                writer.writerow(_defused(str(cell)) for cell in cells)
    return count


def read_csv(path: str | Path) -> Iterator[Dialogue]:
    """Yields the dialogues of a table with a row a turn: columns id, turn, role, utterance_ko or utterance_en.

    Of other columns those that `write_csv` writes are read; a dialogue's own fields stand in its first row. Rows may have
    been sorted: `turn` restores their order.

    Raises:
        DataError: if the file is damaged or a row does not hold, naming line or dialogue and turn.
    """
    sessions: dict[str, dict[int, Row]] = {}
    for where, row in _csv_rows(Path(path)):
        turns = sessions.setdefault(row["id"], {})
        number = int(row["turn"]) if re.fullmatch(r"\d{1,9}", row["turn"]) else None
        if number is None or number in turns:
            raise DataError(f"{where}: expected a number of its own as turn of {row['id']!r}, got {row['turn']!r:.80}.", "Number the turns from 0.")
        turns[number] = row
    for id_, turns in sessions.items():
        rows = [turns[number] for number in sorted(turns)]
        dialogue = [given(("role", *TEXTS.values(), *ANNOTATIONS), row) for row in rows]
        yield Dialogue.from_dict({"id": id_, **given(DIALOGUE_FIELDS, rows[0]), "dialogue": dialogue}, where=f"{path}, dialogue {id_!r}")


def _csv_rows(path: Path) -> Iterator[tuple[str, Row]]:
    """Place and cells of each row, formulas no longer defused."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="", strict=True)
            if not CSV_COLUMNS.issubset(reader.fieldnames or ()):
                raise DataError(f"{path}: expected columns {', '.join(sorted(CSV_COLUMNS))}, got {allowed(reader.fieldnames or ())}.")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if None in row:
                    raise DataError(f"{where}: expected {len(reader.fieldnames)} cells as in the header, got more.")
                cells = {name: _restored(cell) for name, cell in row.items()}
                mark = cells.get("corrects_reflection", "").lower()  # Excel writes TRUE
                yield where, {**cells, "corrects_reflection": {"true": True, "false": False}.get(mark, mark)}
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason}).", 'Save it as "CSV UTF-8".') from None
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.reader.line_num}: not valid CSV ({error}).") from None


def _defused(cell: str) -> str:
    return "'" + cell if FORMULA.match(cell) else cell


def _restored(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell
