"""The exam table for REDCap: a file to import, and the data dictionary that it goes with.

By REDCap's rules a field's name is of lowercase letters, digits and underscores, begins with a
letter, and has at most 26 characters; the first field of the first form tells records apart.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from multifidus.data.columns import COLUMNS
from multifidus.errors import WriteError
from multifidus.io.table_csv import Row, write_rows
from multifidus.study.exam_table import KEYS, LIKE_DIGESTED, ExamTable, digest_of

LONGEST = 26

FORM = "multifidus"

RECORD = "record_id"

DICTIONARY_COLUMNS = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
"""Columns of a data dictionary, all of which REDCap expects."""


def write_redcap(table: ExamTable, data: Path, dictionary: Path) -> None:
    """Write a table to import into REDCap, and its data dictionary.

    Columns of the study's own are left out: a project has fields of its own for them. Texts are
    as they are: REDCap computes nothing of them, and takes no apostrophe off.
    """
    names = field_names([*KEYS, *(column.name for column in table.columns)])
    fields = (RECORD, *names.values())
    explained = list(_dictionary(table, names))
    write_rows(_Records(table, names), data, fields, overwrite=True, guard=False)
    write_rows(explained, dictionary, DICTIONARY_COLUMNS, overwrite=True, guard=False)


def field_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the name of each column as a field, no two of them alike.

    A name is made of its column alone, so that it means the same in every import.

    Raises
    ------
    WriteError
        If two columns would be one field.

    Examples
    --------
    >>> [*field_names(["fat_L4L5_left_pct", "fat L4L5 left, %"]).values()]
    ['fat_l4l5_left_pct', 'fat_l4l5_left_b4d72c']
    """
    names = {column: _field_name(column) for column in columns}
    columns_of: dict[str, str] = {}
    for column, name in names.items():
        if columns_of.setdefault(name, column) != column:
            msg = f"Columns {columns_of[name]} and {column} would both be field {name} of REDCap."
            raise WriteError(msg, remedy="Rename one of them, or leave out --tables redcap.")
    return names


def _field_name(column: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    name = name if name[:1].isalpha() else f"f_{name}"
    is_column = name == column.lower() and len(name) <= LONGEST
    if is_column and name != RECORD and not LIKE_DIGESTED.search(name):
        return name
    return f"{name[: LONGEST - 7].rstrip('_')}_{digest_of(column)}"


class _Records:
    """Rows to import, which are gone through twice."""

    def __init__(self, table: ExamTable, names: dict[str, str]) -> None:
        self.table, self.names = table, names

    def __iter__(self) -> Iterator[Row]:
        seen: dict[str, int] = {}
        for row in self.table:
            record = "_".join(str(row[name]) for name in KEYS if row[name] not in {"", None})
            seen[record] = seen.get(record, 0) + 1
            # Texts may hold what joins them, so that two readings may look alike.
            unique = record if seen[record] == 1 else f"{record}_{seen[record]}"
            yield {RECORD: unique, **{ours: _cell(row[name]) for name, ours in self.names.items()}}


def _cell(value: object) -> object:
    """Undefined is empty: REDCap takes no NaN for a number."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _dictionary(table: ExamTable, names: dict[str, str]) -> Iterator[Row]:
    yield _field(RECORD, "Subject, timepoint, rater and reading: one record each.")
    for name in KEYS:
        kind = "integer" if name == "reading" else ""
        yield _field(names[name], COLUMNS[name], kind)
    for column in table.columns:
        kind = "number" if column.unit else ""
        yield _field(names[column.name], column.description, kind, column.unit)


def _field(name: str, label: str, kind: str = "", note: str = "") -> Row:
    row: Row = dict.fromkeys(DICTIONARY_COLUMNS)
    return row | {
        "Variable / Field Name": name,
        "Form Name": FORM,
        "Field Type": "text",
        "Field Label": label,
        "Field Note": note,
        "Text Validation Type OR Show Slider Number": kind,
    }
