r"""``measurements.csv``: written from measurements, and read back as measurements.

Floats are written by ``repr`` (every digit), undefined is ``NaN``, lines end in ``\n``, and the
order of rows does not depend on the order of input. Tables made by other software are read as well:
only subject, quantity and value are required, and unknown words are kept as text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Level, RoiRule, SlicePosition, word_or_text
from multifidus.data.cells import is_missing, number, whole
from multifidus.data.columns import COLUMNS, KNOWN
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement, Measurements, Provenance, Quantity
from multifidus.data.protocol import TiltAxis
from multifidus.data.roi import Reading, RoiKey, Source
from multifidus.errors import ReadError
from multifidus.io.table_csv import Row, csv_cell, csv_lines, write_lines
from multifidus.io.table_reader import ExpectedTable, read_table

REQUIRED = ("subject", "quantity", "value")
"""Columns without which a table holds no measurements."""

KEPT = 4096
"""So many texts of parameters are kept while a table is written."""


def tidy_row(row: Measurement) -> Row:
    """Return a measurement as one row of the tidy table, columns of the study's own last."""
    own = _number_cells(row, _parameters_as_text(row.parameters))
    found = {**_shared_cells(row.key, row.provenance), **own}
    return {**{name: found[name] for name in COLUMNS}, **row.extra}


def _shared_cells(key: RoiKey, origin: Provenance) -> Row:
    """Return what the rows of one outline have in common."""
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
        "tilt_deg": origin.tilt_deg,
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
    }


def _number_cells(row: Measurement, parameters: str) -> Row:
    """Return what is one number's own."""
    return {
        "quantity": row.quantity,
        "value": row.value,
        "unit": row.unit,
        "method": row.method,
        "parameters": parameters,
        "flags": ";".join(row.flags),
        "n_pixels": row.n_pixels,
        "uncertainty": row.uncertainty,
    }


def _parameters_as_text(parameters: Mapping[str, Any]) -> str:
    return json.dumps(plain_parameters(parameters), sort_keys=True)


def plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters for JSON, which has no NaN: what is undefined becomes null."""
    return {
        name: None if isinstance(value, float) and math.isnan(value) else value
        for name, value in parameters.items()
    }


class TidyLines:
    """Turns measurements into lines of the tidy table.

    Parameters
    ----------
    columns
        Of the table; :data:`multifidus.data.columns.COLUMNS` and those of the study's own.
    """

    def __init__(self, columns: Iterable[str]) -> None:
        self.columns = tuple(columns)
        self._parameters: dict[int, tuple[Mapping[str, Any], str]] = {}

    @property
    def header(self) -> str:
        """The first line of the table."""
        (line,) = csv_lines([self.columns])
        return line

    def lines(self, rows: Iterable[Measurement]) -> Iterator[str]:
        """Yield a line for each row; what rows of an outline share is put together once."""
        by_name: Row = {}
        shared: tuple[object, ...] = ()
        for row in rows:
            same = (row.key, row.provenance, row.extra)
            if not shared or any(a is not b for a, b in zip(same, shared, strict=True)):
                shared = same
                cells = {**_shared_cells(row.key, row.provenance), **row.extra}
                by_name = {name: csv_cell(cells.get(name)) for name in self.columns}
            for name, value in _number_cells(row, self._parameters_of(row)).items():
                by_name[name] = csv_cell(value)
            yield ",".join(by_name.values()) + "\n"

    def _parameters_of(self, row: Measurement) -> str:
        """Return a row's parameters; many rows hold the same ones."""
        held = self._parameters.get(id(row.parameters))
        if held is None:
            if len(self._parameters) >= KEPT:
                self._parameters.clear()
            # What is kept cannot be taken for something else that lies in its place later.
            held = row.parameters, _parameters_as_text(row.parameters)
            self._parameters[id(row.parameters)] = held
        return held[1]


def write_table(rows: Iterable[Measurement], path: str | Path, *, overwrite: bool = False) -> None:
    """Write measurements as a tidy CSV table, one number a row.

    Raises
    ------
    WriteError
        If the file exists and ``overwrite`` is not set.
    """
    ordered = sorted(rows, key=lambda row: row.sort_key)
    own = dict.fromkeys(name for row in ordered for name in row.extra)
    table = TidyLines([*COLUMNS, *own])
    write_lines(chain([table.header], table.lines(ordered)), Path(path), overwrite=overwrite)


@dataclass(frozen=True, slots=True)
class MeasurementTable:
    """A table of measurements as it was read.

    Parameters
    ----------
    rows
        In the order of the file.
    header
        Names of the file's columns.
    lines
        At which line of the file each row begins.
    remark
        How it was read, if not as plain CSV: one sentence; empty where there is nothing to say.
    """

    rows: Measurements
    header: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    remark: str = ""


def read_measurements(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> MeasurementTable:
    """Read a table of measurements, or one that is laid out like it.

    Parameters
    ----------
    path
        Its file.
    where
        Which rows to keep, as of :func:`multifidus.io.table_reader.read_rows`.

    Raises
    ------
    ReadError
        If the file cannot be opened, is no table, or as :func:`measurement_rows`.
    """
    table = read_table(path, ExpectedTable(known=KNOWN, where=where))
    found = measurement_rows(table.rows, table.lines, str(path))
    return MeasurementTable(found.rows, table.header, found.lines, table.remark)


def measurement_rows(
    records: Sequence[Mapping[str, Any]], lines: Sequence[int] = (), source: str = ""
) -> MeasurementTable:
    """Turn plain rows, columns by name, into measurements; empty rows are passed over.

    Parameters
    ----------
    records
        Texts or numbers by column; a column that is not there is empty.
    lines
        Where each stands in its file; as if they began in the second line if empty.
    source
        Name of the file, for errors.

    Raises
    ------
    ReadError
        If a column is missing, a number is none, or one quantity has several units; names the line
        and the column.
    """
    reader = _RowReader()
    found: list[Measurement] = []
    kept: list[int] = []
    for line, record in zip(lines or range(2, len(records) + 2), records, strict=True):
        if all(map(is_missing, record.values())):
            continue
        _refuse_missing(record, source or "The table")
        try:
            found.append(reader.row(record))
        except ReadError as error:
            place = f"{source}, line {line}: " if source else f"Line {line}: "
            raise ReadError(f"{place}{error.message}", remedy=error.remedy) from None
        kept.append(line)
    return MeasurementTable(Measurements(tuple(found)), lines=tuple(kept))


def _refuse_missing(record: Mapping[str, Any], table: str) -> None:
    missing = [name for name in REQUIRED if name not in record]
    if missing:
        msg = f"{table} lacks the columns {', '.join(missing)}."
        raise ReadError(msg, remedy="Give a measurements.csv.")


_KIND = ("quantity", "method", "unit")
_KEY = ("subject", "timepoint", "rater", "reading", "slice_uid", "slice_index", "structure",
        "side", "name")  # fmt: skip
_ORIGIN = ("series", "slice_index", "level", "slice_position", "tilt_deg", "valid_fraction",
           "roi_rule", "source", "protocol", "version", "image_sha256", "outline_sha256",
           "tilt_axis", "offset_mm")  # fmt: skip


class _RowReader:
    """Makes measurements of plain rows; values that many rows share are made once."""

    def __init__(self) -> None:
        kept = lru_cache(maxsize=None, typed=True)
        self._kind = kept(self._checked_kind)
        self._key = kept(_key)
        self._origin = kept(_origin)
        self._flags = kept(_flags)
        self._parameters = kept(_parameters)
        self._own_names: Callable[[tuple[str, ...]], tuple[str, ...]] = kept(_own_names)
        self._own: Callable[..., Mapping[str, str]] = kept(_own_columns)
        self._units: dict[tuple[str, str], str] = {}

    def row(self, record: Mapping[str, Any]) -> Measurement:
        """Return one row."""
        cell = record.get
        quantity, method = self._kind(*map(cell, _KIND))
        own = self._own_names(tuple(record))
        return Measurement(
            self._key(*map(cell, _KEY)),
            quantity,
            _number("value", cell("value")),
            self._origin(*map(cell, _ORIGIN)),
            _count("n_pixels", cell("n_pixels")),
            method,
            self._parameters(str(cell("parameters", ""))),
            self._flags(str(cell("flags", ""))),
            _uncertainty(cell("uncertainty")),
            self._own(own, *map(cell, own)),
        )

    def _checked_kind(self, *cells: object) -> tuple[Quantity, str]:
        """Return a quantity and its method; refuse numbers of one name in several units."""
        quantity, method, unit = map(_text, _KIND, cells)
        first = self._units.setdefault((quantity, method), unit) if unit else unit
        if first != unit:
            msg = f"{quantity} stands in the table by several values of unit: {[first, unit]}."
            raise ReadError(msg, remedy="Measure all exams again by one protocol.")
        return word_or_text(quantity, Quantity), method


_NAMES = frozenset({"subject", "timepoint", "rater", "name"})
"""Columns in which NA may be somebody's initials."""


def _text(name: str, cell: object) -> str:
    """Return the text of a cell, without blanks around it; a number 0 is a value."""
    if is_missing(cell) and (name not in _NAMES or not isinstance(cell, str)):
        return ""
    return str(cell).strip()


def _number(name: str, cell: object) -> float:
    try:
        return number(cell)
    except ValueError:
        msg = f"{name} is {cell!r}, which is no number."
        remedy = "Write it with a decimal point, or leave it empty."
        raise ReadError(msg, remedy=remedy) from None


def _count(name: str, cell: object) -> int | None:
    found = _number(name, cell)
    return int(found) if math.isfinite(found) else None


def _uncertainty(cell: object) -> float:
    """Return a standard uncertainty; other software may write something else there."""
    try:
        return number(cell)
    except ValueError:
        return math.nan


def _index(cell: object) -> int | None:
    """Return the place of a slice in its series; None where it is not counted from 0."""
    try:
        found = whole(cell)
    except ValueError:
        return None
    return None if found is None or found < 0 else found


def _key(*cells: object) -> RoiKey:
    found = {name: _text(name, cell) for name, cell in zip(_KEY, cells, strict=True)}
    try:
        count = whole(found["reading"])
    except ValueError:
        count = 0
    if count is not None and count < 1:
        msg = f"reading is {found['reading']!r}; readings count 1, 2, ..."
        raise ReadError(msg)
    reading = Reading(found["subject"], found["timepoint"], found["rater"], count or 1)
    index = found["slice_index"]
    # A text in slice_index is a name of the slice.
    named = found["slice_uid"] or (index if _index(index) is None else "")
    words = {name: found[name] for name in ("structure", "side", "name")}
    return RoiKey.as_written(reading, named, **words)


def _origin(*cells: object) -> Provenance:
    raw = dict(zip(_ORIGIN, cells, strict=True))
    text = {name: _text(name, cell) for name, cell in raw.items()}
    return Provenance(
        series=text["series"],
        slice_index=_index(raw["slice_index"]),
        level=word_or_text(text["level"], Level) if text["level"] else None,
        slice_position=word_or_text(text["slice_position"], SlicePosition),
        tilt_deg=_number("tilt_deg", raw["tilt_deg"]),
        valid_fraction=_number("valid_fraction", raw["valid_fraction"]),
        roi_rule=word_or_text(text["roi_rule"], RoiRule),
        source=word_or_text(text["source"], Source) if text["source"] else None,
        protocol=text["protocol"],
        version=text["version"],
        image_sha256=text["image_sha256"],
        outline_sha256=text["outline_sha256"],
        tilt_axis=word_or_text(text["tilt_axis"], TiltAxis),
        offset_mm=_number("offset_mm", raw["offset_mm"]),
    )


def _flags(cell: str) -> tuple[Flag, ...]:
    flags = _text("flags", cell).split(";")
    return tuple(word_or_text(flag, Flag) for flag in flags if flag)


def _parameters(cell: str) -> Mapping[str, Any]:
    """Return the parameters; none where the cell is no JSON object."""
    try:
        found = json.loads(_text("parameters", cell) or "{}")
    except ValueError:
        found = {}
    return FrozenDict(found if isinstance(found, dict) else {})


def _own_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in COLUMNS)


def _own_columns(names: Sequence[str], *cells: object) -> Mapping[str, str]:
    """Return cells of other columns as text; NA is empty in the columns of a cohort table."""
    return FrozenDict({
        name: "" if is_missing(cell) and (name in KNOWN or not isinstance(cell, str)) else str(cell)
        for name, cell in zip(names, cells, strict=True)
    })  # fmt: skip
