"""``review.csv``: the verdicts of who looked through the results.

The page of the results reads it by the same rules, which are in ``study/page/review.js`` once more.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.cells import is_missing, whole
from multifidus.data.columns import REVIEW_COLUMNS
from multifidus.data.review import UNKNOWN_LEVEL, Review, ReviewEntry, Verdict
from multifidus.errors import ReadError
from multifidus.io.table_reader import ExpectedTable, read_table

REVIEW = "review.csv"
"""Its name in a results folder."""

_REQUIRED = ("subject", "timepoint", "verdict")

_TEXTS = frozenset({"rater", "comment", "reviewer"})
"""Columns in which NA is a text: somebody may have these initials."""

_DATE = re.compile(r"[1-9]\d{3}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?", re.ASCII)


def read_review(path: str | Path) -> Review:
    """Read a table of verdicts.

    Raises
    ------
    ReadError
        If the file cannot be opened, a column is missing or is none of such a table, a row names no
        exam, or a verdict, level, side, structure, reading or date is none; names the line.
    """
    file = Path(path)
    table = read_table(file, ExpectedTable("a table of verdicts", known=tuple(REVIEW_COLUMNS)))
    _check_header(file, table.header)
    entries = []
    for line, row in zip(table.lines, table.rows, strict=True):
        try:
            entries.append(_entry({name: _cell(name, text) for name, text in row.items()}, line))
        except ValueError as error:
            msg = f"{file}, line {line}: {error}."
            raise ReadError(msg, remedy="Correct it; an empty cell stands for all.") from error
    return Review.of(entries)


def _check_header(file: Path, header: Collection[str]) -> None:
    """Refuse columns that are none: a verdict would reach further than a misspelt one says."""
    remedy = f"Its columns are: {', '.join(REVIEW_COLUMNS)}."
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        msg = f"{file} lacks the columns {', '.join(missing)}."
        raise ReadError(msg, remedy=remedy)
    strange = [name for name in header if name not in REVIEW_COLUMNS]
    if strange:
        msg = f"{file} has columns that are none of a table of verdicts: {', '.join(strange)}."
        raise ReadError(msg, remedy=remedy)


def _cell(name: str, text: str) -> str:
    return "" if name not in _TEXTS and is_missing(text) else text.strip()


def _entry(row: Mapping[str, str], line: int) -> ReviewEntry:
    for name in _REQUIRED:
        if not row[name]:
            msg = f"it has no {name}"
            raise ValueError(msg)
    return ReviewEntry(
        row["subject"],
        row["timepoint"],
        Verdict(_word("verdict", row["verdict"], Verdict)),
        rater=row.get("rater", ""),
        reading=_reading(row.get("reading", "")),
        level=_word("level", row.get("level", ""), (*Level, UNKNOWN_LEVEL)),
        side=_word("side", row.get("side", ""), Side),
        structure=_word("structure", row.get("structure", ""), Structure),
        comment=row.get("comment", ""),
        reviewer=row.get("reviewer", ""),
        date=_date(row.get("date", "")),
        line=line,
    )


def _word(name: str, text: str, allowed: Iterable[str]) -> str:
    """Return a word of a vocabulary, whatever its letters' case; an empty cell stays empty."""
    words = [*map(str, allowed)]
    homes = {"": "", **{word.lower(): word for word in words}}
    if text.lower() not in homes:
        msg = f"{name} is {text!r}; allowed are {', '.join(words)}"
        raise ValueError(msg)
    return homes[text.lower()]


def _reading(text: str) -> int | None:
    try:
        number = whole(text)
    except ValueError:
        number = 0
    if number is not None and number < 1:
        msg = f"reading is {text!r}; readings count 1, 2, ..."
        raise ValueError(msg)
    return number


def _date(text: str) -> str:
    """Return a date such that later ones sort after it as texts."""
    try:
        when = datetime.datetime.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        when = None
    if text and when is None:
        msg = f"date is {text!r}; allowed are 2026-11-30 and 2026-11-30T14:05"
        raise ValueError(msg)
    return "" if when is None else text if len(text) == len("2026-11-30") else when.isoformat()
