r"""Tables: tidy and wide CSV, and the dictionary that explains them.

Floats are written by ``repr`` (every digit), undefined is ``NaN``, lines end in ``\n``, and the
order of rows does not depend on the order of input.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from multifidus.anatomy import Level, Structure
from multifidus.errors import ReadError
from multifidus.flag import Flag
from multifidus.io.files import reading, write_text
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

COLUMNS: Mapping[str, str] = {
    "subject": "Subject, as the cohort or the outline file names it.",
    "timepoint": "Timepoint of the exam.",
    "rater": "Who drew the outline.",
    "reading": "Which of the rater's readings: 1, 2, ...",
    "series": "Series, by its UID; NIfTI files by the start of their SHA-256.",
    "slice_index": "0-based place of the slice in its series; in NIfTI files, k. A volume stands "
    "on its first slice; what a rater said of a level as a whole has none.",
    "slice_uid": "UID of the slice.",
    "level": "Disc or vertebral body of the slice; empty where nobody said.",
    "slice_position": "Where in its level the slice lies.",
    "structure": "What the outline encloses.",
    "side": "The patient's side; both where the two are compared or put together.",
    "quantity": "What was measured; see quantities.",
    "value": "How much; NaN where it is undefined, with a flag that says why.",
    "unit": "Unit of value; 1 for signal.",
    "method": "Fat method, where the quantity depends on one.",
    "parameters": "The values that were used, or the reason for none, as one JSON object.",
    "flags": "Doubts, joined by ';'; see flags.",
    "tilt_deg": "Signed tilt of the slice against tilt_axis, in the sagittal plane; positive where "
    "the anterior edge is lower.",
    "n_pixels": "Pixels that entered the number.",
    "valid_fraction": "Share of the outline's area in the image that artefact outlines left over.",
    "roi_rule": "By which rule the muscle was outlined.",
    "source": "Where the outline comes from.",
    "protocol": "Digest of the measurement protocol.",
    "version": "Version of multifidus.",
    "image_sha256": "SHA-256 of the slice: rescaled pixels and plane.",
    "outline_sha256": "SHA-256 of the outline's coordinates.",
    "name": "Tells outlines of one structure on one slice apart.",
    "tilt_axis": "Against what tilt_deg is measured: spine (its own axis there, from landmarks), "
    "patient_z, or vector (the protocol's).",
    "offset_mm": "Signed distance of the slice plane from the landmark of its level, positive to "
    "cranial; NaN where no landmark says it.",
    "uncertainty": "Standard uncertainty of value, in its unit; its parts are the u_... among the "
    "parameters. NaN where none is stated.",
}
"""The tidy table's columns in order, and what they hold."""

SUMMARY_KEYS = ("subject", "timepoint", "rater", "reading", "level", "structure", "side")

SUMMARY_COLUMNS = (
    *SUMMARY_KEYS, "n_slices", "slice_indices", "slice_selection", "level_value", "tilt_deg",
)  # fmt: skip
"""The wide table's first columns; those of quantities follow."""

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
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(named)
    writer.writerows([_cell(row.get(name)) for name in named] for row in rows)
    write_text(path, text.getvalue(), overwrite=overwrite)


def read_rows(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> list[dict[str, str]]:
    """Read a CSV table as it is: one dictionary of text a row.

    Parameters
    ----------
    path
        Its file.
    where
        Keep only rows whose columns hold one of these texts; a column that is not there keeps all.

    Raises
    ------
    ReadError
        If the file cannot be opened, is not UTF-8, or a row has more fields than the header.
    """
    file = Path(path)
    # Line by line: a large study's table is larger than the memory it may take.
    with reading(file, "a table"), file.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)
        header = next((cells for cells in lines if cells), [])
        asked = (where or {}).items()
        wanted = [(header.index(name), texts) for name, texts in asked if name in header]
        rows = []
        for cells in lines:
            if not cells:
                continue
            if len(cells) > len(header):
                msg = f"{file}, line {lines.line_num} has more fields than the header."
                raise ReadError(msg, remedy="Quote fields that contain commas.")
            full = [*cells, *[""] * (len(header) - len(cells))]
            if all(full[place] in texts for place, texts in wanted):
                rows.append(dict(zip(header, full, strict=True)))
    return rows


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "NaN" if value != value else repr(float(value))  # noqa: PLR0124 - what NaN is
    return "" if value is None else str(value)


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
        **{f"{name}_u": uncertain[name] for name in sorted(uncertain)},
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


def summary_column(quantity: str, method: str) -> str:
    """Name of a quantity's column in the wide table: the method first, the unit last."""
    return quantity if method in quantity else f"{method}_{quantity}"


def write_summary(
    rows: Iterable[Row],
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    overwrite: bool = False,
) -> None:
    """Write the wide table of tidy rows."""
    write_rows(summary_rows(rows, protocol), path, SUMMARY_COLUMNS, overwrite=overwrite)


def dictionary() -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables."""
    return {
        "software": "multifidus",
        "version": VERSION,
        "measurements.csv": dict(COLUMNS),
        "summary.csv": {
            **{name: COLUMNS[name] for name in SUMMARY_KEYS},
            "n_slices": "Outlined slices of the level that enter its values.",
            "slice_indices": "Their places in their series, joined by ';'.",
            "slice_selection": "Which of the level's outlined slices the protocol takes: all, the "
            "nearest to the level's landmark, or those in a band about it.",
            "level_value": "What is given of them: their mean, or the max of each quantity.",
            "tilt_deg": "Mean tilt of these slices.",
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
