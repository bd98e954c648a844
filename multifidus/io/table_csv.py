"""Tables of results as CSV: plain rows, columns by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from multifidus.data.columns import KNOWN
from multifidus.io.files import write_text
from multifidus.io.table_reader import ExpectedTable, read_table
from multifidus.io.table_text import csv_text

Row = dict[str, Any]
"""One row of a table to write: values by column."""

TextRow = dict[str, str]
"""One row of a table as it was read: texts by column."""


def write_rows(
    rows: Sequence[Row], path: Path, columns: Sequence[str], *, overwrite: bool = False
) -> None:
    """Write rows as CSV; columns that rows hold beyond the named ones follow in their order."""
    named = dict.fromkeys(columns)
    for row in rows:
        if row.keys() - named.keys():
            named |= dict.fromkeys(name for name in row if name not in named)
    lines = ([row.get(name) for name in named] for row in rows)
    write_text(path, csv_text([list(named), *lines]), overwrite=overwrite)


def read_rows(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> list[TextRow]:
    """Return the rows of a table of results: texts by column.

    Parameters
    ----------
    path
        Its file.
    where
        Keep only rows whose columns hold one of these texts; a column that is not there keeps all.

    Raises
    ------
    ReadError
        If the file cannot be opened, or as :func:`multifidus.io.table_reader.read_table`.
    """
    return read_table(path, ExpectedTable(known=KNOWN, where=where)).rows
