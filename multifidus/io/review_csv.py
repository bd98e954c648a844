"""``review.csv``: the verdicts of who looked through the results."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.cells import is_missing, whole
from multifidus.data.columns import REVIEW_COLUMNS
from multifidus.data.review import Review, ReviewEntry, Verdict
from multifidus.errors import ReadError
from multifidus.io.table_reader import ExpectedTable, read_table

REVIEW = "review.csv"
"""Its name in a results folder."""

_REQUIRED = ("subject", "timepoint", "verdict")


def read_review(path: str | Path) -> Review:
    """Read a table of verdicts.

    Raises
    ------
    ReadError
        If the file cannot be opened, a column is missing, a row names no exam, or a verdict, level,
        side, structure or date is none; names the line.
    """
    file = Path(path)
    table = read_table(file, ExpectedTable("a table of verdicts", known=tuple(REVIEW_COLUMNS)))
    missing = [name for name in _REQUIRED if name not in table.header]
    if missing:
        msg = f"{file} lacks the columns {', '.join(missing)}."
        raise ReadError(msg, remedy=f"Its columns are: {', '.join(REVIEW_COLUMNS)}.")
    entries = []
    for line, row in zip(table.lines, table.rows, strict=True):
        try:
            entries.append(_entry({name: _cell(text) for name, text in row.items()}))
        except ValueError as error:
            msg = f"{file}, line {line}: {error}."
            raise ReadError(msg, remedy="Correct it; an empty cell stands for all.") from error
    return Review.of(entries)


def _cell(text: str) -> str:
    return "" if is_missing(text) else text.strip()


def _entry(row: Mapping[str, str]) -> ReviewEntry:
    for name in _REQUIRED:
        if not row[name]:
            msg = f"it has no {name}"
            raise ValueError(msg)
    date = row.get("date", "")
    if date:
        datetime.datetime.fromisoformat(date)
    return ReviewEntry(
        row["subject"],
        row["timepoint"],
        Verdict(row["verdict"].lower()),
        rater=row.get("rater", ""),
        reading=whole(row.get("reading", "")),
        level=str(Level(row["level"])) if row.get("level") else "",
        side=str(Side(row["side"])) if row.get("side") else "",
        structure=str(Structure(row["structure"])) if row.get("structure") else "",
        comment=row.get("comment", ""),
        reviewer=row.get("reviewer", ""),
        date=date,
    )
