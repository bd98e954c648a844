r"""Tables of results as CSV: measurements, one number a row, and rows of whatever else.

Floats are written by ``repr`` (every digit), undefined is ``NaN``, lines end in ``\n``, and the
order of rows does not depend on the order of input.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Level
from multifidus.data.columns import COLUMNS, KNOWN
from multifidus.data.measurement import Measurement
from multifidus.io.files import write_text
from multifidus.io.table_reader import Asked, Table, read_table
from multifidus.io.table_text import csv_text

Row = dict[str, Any]


def tidy_row(row: Measurement) -> Row:
    """Return a measurement as one row of the tidy table."""
    key, origin = row.key, row.provenance
    return {
        "subject": key.reading.subject,
        "timepoint": key.reading.timepoint,
        "rater": key.reading.rater,
        "reading": key.reading.reading,
        "series": origin.series,
        "slice_index": origin.slice_index,
        "slice_uid": key.slice_uid,
        "level": origin.level or "",
        "slice_position": origin.slice_position,
        "structure": key.structure,
        "side": key.side,
        "quantity": row.quantity,
        "value": row.value,
        "unit": row.quantity.unit,
        "method": row.method,
        "parameters": json.dumps(_plain(row.parameters), sort_keys=True),
        "flags": ";".join(row.flags),
        "tilt_deg": origin.tilt_deg,
        "n_pixels": row.n_pixels,
        "valid_fraction": origin.valid_fraction,
        "roi_rule": origin.roi_rule,
        "source": origin.source,
        "protocol": origin.protocol,
        "version": origin.version,
        "image_sha256": origin.image_sha256,
        "outline_sha256": origin.outline_sha256,
        "name": key.name,
        "tilt_axis": origin.tilt_axis,
        "offset_mm": origin.offset_mm,
        "uncertainty": row.uncertainty,
    }


def tidy_order(row: Row) -> tuple[Any, ...]:
    """Sort the tidy table by key, then quantity, as :func:`multifidus.measure` sorts one exam."""
    whose = tuple(row[name] for name in ("subject", "timepoint", "rater", "reading", "series"))
    # What was said about a level lies in no series, and only the level tells one from another.
    sliced = row["slice_index"] is not None
    where = (row["slice_index"], -1) if sliced else (-1, Level(row["level"]).rank)
    what = tuple(row[name] for name in ("structure", "side", "name", "quantity", "method"))
    return (*whose, *where, *what)


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has no NaN; what is undefined becomes null."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in parameters.items()
    }


def write_table(rows: Iterable[Measurement], path: str | Path, *, overwrite: bool = False) -> None:
    """Write measurements as a tidy CSV table, one number a row.

    Raises
    ------
    WriteError
        If the file exists and ``overwrite`` is not set.
    """
    tidy = sorted(map(tidy_row, rows), key=tidy_order)
    write_rows(tidy, Path(path), tuple(COLUMNS), overwrite=overwrite)


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


def read_results(path: str | Path, where: Mapping[str, Collection[str]] | None = None) -> Table:
    """Read a table of results, or one that is laid out as these are.

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
    return read_table(path, Asked(known=KNOWN, where=where))


def read_rows(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> list[dict[str, str]]:
    """Return the rows of :func:`read_results`: one dictionary of text a row."""
    return read_results(path, where).rows
