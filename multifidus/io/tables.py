r"""Tables: tidy and wide CSV, and the dictionary that explains them.

Floats are written by ``repr`` (every digit), undefined is ``NaN``, lines end in ``\n``, and the
order of rows does not depend on the order of input.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from multifidus.anatomy import Level, Structure
from multifidus.columns import (
    COLUMNS,
    KNOWN,
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
    UNCERTAINTY,
    check_extra,
    summary_column,
)
from multifidus.flag import Flag
from multifidus.io.files import write_text
from multifidus.io.table_file import Asked, Table, read_table
from multifidus.io.table_text import csv_text
from multifidus.measurement import Measurement, Quantity
from multifidus.missing import MISSING_COLUMNS, Absence
from multifidus.protocol import MeasurementProtocol
from multifidus.slice_choice import (
    chosen_slices,
    level_uncertainty,
    level_value,
    selection_name,
)
from multifidus.version import VERSION

_NOT_SUMMARISED = {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT}

_OF_MANY_SLICES = {Quantity.VOLUME_ML}
"""Said of a run of slices, so that no slice is selected for them."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

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
        If the file cannot be opened, or as :func:`multifidus.io.table_file.read_table`.
    """
    return read_table(path, Asked(known=KNOWN, where=where))


def read_rows(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> list[dict[str, str]]:
    """Return the rows of :func:`read_results`: one dictionary of text a row."""
    return read_results(path, where).rows


def summary_rows(
    rows: Iterable[Row],
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> list[Row]:
    """Make the wide table: one row a reading x level x structure x side.

    Which of the level's slices enter, and whether by their mean or their largest value, is the
    protocol's choice; their number and places are given. A value that one slice leaves undefined
    is NaN, and so is a level without a slice that can be selected. Slices without a level stand
    alone, one row each, and so do outlines told apart by a name; a volume that was refused over
    slices of several levels is left to the tidy table. Rows follow the timepoints' order
    in the cohort, and the spine from cranial to caudal.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    whose = itemgetter(*SUMMARY_KEYS)
    rows = list(rows)
    check_extra({name for row in rows for name in row} - {*COLUMNS})
    for row in rows:
        refused = row["quantity"] in _OF_MANY_SLICES and math.isnan(row["value"])
        if row["structure"] in _NOT_SUMMARISED or (refused and not row["level"]):
            continue
        alone = () if row["level"] else (row["series"], row["slice_index"])
        key = whose(row)
        groups.setdefault((key, alone, row["name"]), []).append(row)
    found = [_summary(key, members, protocol) for (key, *_), members in groups.items()]
    return sorted(found, key=_reading_order)


def _reading_order(row: Row) -> tuple[Any, ...]:
    """Sort the wide table as people read it."""
    order = str(row.get("order", "")).strip()
    return (
        row["subject"],
        float(order) if _NUMBER.fullmatch(order) else math.inf,
        row["timepoint"],
        row["rater"],
        row["reading"],
        Level(row["level"]).rank if row["level"] else -1,
        0 if row["level"] else int(row["slice_indices"]),
        list(Structure).index(Structure(row["structure"])),
        row["side"],
        row["name"],
    )


def _summary(key: tuple[Any, ...], members: Sequence[Row], protocol: MeasurementProtocol) -> Row:
    places = _selected(members, protocol)
    values: dict[str, list[float]] = {}
    chosen, counted = [], []
    for row in members:
        found = values.setdefault(summary_column(row["quantity"], row["method"]), [])
        whole = row["slice_index"] is None or row["quantity"] in _OF_MANY_SLICES
        if whole or _place(row) in places:
            chosen.append(row)
            # Of a muscle outlined on other slices of its level there is a value.
            if not (places and row["flags"] and Flag.NOT_MEASURABLE in row["flags"].split(";")):
                found.append(row["value"])
                counted.append(row)
    tilts = {_place(row): row["tilt_deg"] for row in chosen}
    flags = {flag for row in chosen for flag in row["flags"].split(";") if flag}
    flags |= {
        Flag.GRADES_DIFFER
        for name, found in values.items()
        if name.endswith("_grade") and len(set(found)) > 1
    }
    if len({series for series, _ in places}) > 1:
        flags.add(Flag.SERIES_MIXED)
    if not places and any(row["slice_index"] is not None for row in members):
        flags.add(Flag.NO_SLICE_SELECTED)
    known = (*COLUMNS,)
    uncertain = _uncertainties(counted, protocol)
    return {
        **dict(zip(SUMMARY_KEYS, key, strict=True)),
        "n_slices": len(places),
        "slice_indices": ";".join(str(index) for _, index in sorted(places)),
        "slice_selection": selection_name(protocol),
        "level_value": protocol.level_value.value,
        "tilt_deg": _mean([tilts[place] for place in sorted(places)]),
        **{
            name: level_value(found, protocol, is_grade=name.endswith("_grade"))
            for name, found in sorted(values.items())
        },
        **{f"{name}{UNCERTAINTY}": uncertain[name] for name in sorted(uncertain)},
        "flags": ";".join(sorted(flags)),
        "name": members[0]["name"],
        **{name: value for name, value in members[0].items() if name not in known},
    }


def _uncertainties(chosen: Sequence[Row], protocol: MeasurementProtocol) -> dict[str, float]:
    """Combine the uncertainties of a level's slices, by column."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in chosen:
        column = summary_column(row["quantity"], row["method"])
        found.setdefault(column, []).append((row["value"], row["uncertainty"]))
    stated = {
        name: pairs for name, pairs in found.items() if not all(math.isnan(u) for _, u in pairs)
    }
    return {
        name: level_uncertainty([v for v, _ in pairs], [u for _, u in pairs], protocol)
        for name, pairs in stated.items()
    }


def _place(row: Row) -> tuple[Any, ...]:
    return row["series"], row["slice_index"]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _selected(members: Sequence[Row], protocol: MeasurementProtocol) -> set[tuple[Any, ...]]:
    """Return the slices of one level that the protocol's summary takes, by series and index."""
    apart = {_place(row): row["offset_mm"] for row in members if row["slice_index"] is not None}
    return chosen_slices(apart, protocol, has_level=bool(members[0]["level"]))


def write_summary(
    rows: Iterable[Row],
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    overwrite: bool = False,
) -> None:
    """Write the wide table of tidy rows."""
    columns = (*SUMMARY_KEYS, *SUMMARY_COLUMNS)
    write_rows(summary_rows(rows, protocol), path, columns, overwrite=overwrite)


def dictionary() -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables."""
    return {
        "software": "multifidus",
        "version": VERSION,
        "measurements.csv": dict(COLUMNS),
        "summary.csv": {
            **{name: COLUMNS[name] for name in SUMMARY_KEYS},
            **SUMMARY_COLUMNS,
            "other columns": "A quantity's mean or max over these slices, the fat method in front "
            "where there is one; NaN where a slice's value is undefined. Grades are given where "
            "the slices agree.",
            "columns that end in _u": "Standard uncertainty of that column. Errors of one rater's "
            "slices are taken to go together: the mean of the slices' uncertainties, or that of "
            "the slice with the largest value.",
            "flags": "Flags of any of these values.",
            "name": COLUMNS["name"],
        },
        "missing.csv": dict(MISSING_COLUMNS),
        "reasons": {absence.value: absence.meaning for absence in Absence},
        "quantities": {
            quantity.value: {
                "unit": quantity.unit,
                "definition": quantity.definition,
                "source": quantity.source,
            }
            for quantity in Quantity
        },
        "flags": {flag.value: flag.meaning for flag in Flag},
    }


def write_dictionary(path: Path, *, overwrite: bool = False) -> None:
    """Write the dictionary as JSON."""
    write_text(path, json.dumps(dictionary(), indent=1) + "\n", overwrite=overwrite)
