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
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multifidus.anatomy import Level, Structure
from multifidus.flag import Flag
from multifidus.io.files import write_text
from multifidus.measurement import Measurement, Quantity
from multifidus.version import VERSION

COLUMNS: Mapping[str, str] = {
    "subject": "Subject, as the cohort or the outline file names it.",
    "timepoint": "Timepoint of the exam.",
    "rater": "Who drew the outline.",
    "reading": "Which of the rater's readings: 1, 2, ...",
    "series": "Series, by its UID; NIfTI files by the start of their SHA-256.",
    "slice_index": "0-based place of the slice in its series; in NIfTI files, k.",
    "slice_uid": "UID of the slice.",
    "level": "Disc or vertebral body of the slice; empty where nobody said.",
    "slice_position": "Where in its level the slice lies.",
    "structure": "What the outline encloses.",
    "side": "The patient's side.",
    "quantity": "What was measured; see quantities.",
    "value": "How much; NaN where it is undefined, with a flag that says why.",
    "unit": "Unit of value; 1 for signal.",
    "method": "Fat method, where the quantity depends on one.",
    "parameters": "The values the method used, as one JSON object.",
    "flags": "Doubts, joined by ';'; see flags.",
    "tilt_deg": "Signed tilt of the slice against patient z; positive where the anterior edge is "
    "lower.",
    "n_pixels": "Pixels that entered the number.",
    "valid_fraction": "Share of the outline's area in the image that artefact outlines left over.",
    "roi_rule": "By which rule the muscle was outlined.",
    "source": "Where the outline comes from.",
    "protocol": "Digest of the measurement protocol.",
    "version": "Version of multifidus.",
    "image_sha256": "SHA-256 of the slice: rescaled pixels and plane.",
    "outline_sha256": "SHA-256 of the outline's coordinates.",
    "name": "Tells outlines of one structure on one slice apart.",
}
"""The tidy table's columns in order, and what they hold."""

SUMMARY_KEYS = ("subject", "timepoint", "rater", "reading", "level", "structure", "side")

_NOT_SUMMARISED = {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT}

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
    }


def tidy_order(row: Row) -> tuple[Any, ...]:
    """Sort the tidy table by key, then quantity, as :func:`multifidus.measure` sorts one exam."""
    names = ("subject", "timepoint", "rater", "reading", "series", "slice_index")
    return tuple(row[name] for name in (*names, "structure", "side", "name", "quantity", "method"))


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
    extra = dict.fromkeys(name for row in rows for name in row if name not in columns)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, *extra], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    write_text(path, text.getvalue(), overwrite=overwrite)


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(float(value))
    return "" if value is None else str(value)


def summary_rows(rows: Iterable[Row]) -> list[Row]:
    """Make the wide table: one row a reading x level x structure x side.

    Values are means over the level's slices, whose number and places are given; a mean that one
    slice leaves undefined is NaN. Slices without a level stand alone, one row each, and so do
    outlines told apart by a name. Rows follow the timepoints' order in the cohort, and the spine
    from cranial to caudal.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["structure"] in _NOT_SUMMARISED:
            continue
        alone = () if row["level"] else (row["series"], row["slice_index"])
        key = tuple(row[name] for name in SUMMARY_KEYS)
        groups.setdefault((key, alone, row["name"]), []).append(row)
    found = [_summary(key, members) for (key, *_), members in groups.items()]
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


def _summary(key: tuple[Any, ...], members: Sequence[Row]) -> Row:
    slices = sorted({(row["series"], row["slice_index"]) for row in members})
    values: dict[str, list[float]] = {}
    for row in members:
        values.setdefault(summary_column(row["quantity"], row["method"]), []).append(row["value"])
    tilts = {(row["series"], row["slice_index"]): row["tilt_deg"] for row in members}
    flags = {flag for row in members for flag in row["flags"].split(";") if flag}
    known = (*COLUMNS,)
    return {
        **dict(zip(SUMMARY_KEYS, key, strict=True)),
        "n_slices": len(slices),
        "slice_indices": ";".join(str(index) for _, index in slices),
        "tilt_deg": math.fsum(tilts.values()) / len(tilts),
        **{name: math.fsum(found) / len(found) for name, found in sorted(values.items())},
        "flags": ";".join(sorted(flags)),
        "name": members[0]["name"],
        **{name: value for name, value in members[0].items() if name not in known},
    }


def summary_column(quantity: str, method: str) -> str:
    """Name of a quantity's column in the wide table: the method first, the unit last."""
    return quantity if not method or quantity.startswith(method) else f"{method}_{quantity}"


def write_summary(rows: Iterable[Row], path: Path, *, overwrite: bool = False) -> None:
    """Write the wide table of tidy rows."""
    columns = (*SUMMARY_KEYS, "n_slices", "slice_indices", "tilt_deg")
    write_rows(summary_rows(rows), path, columns, overwrite=overwrite)


def dictionary() -> dict[str, Any]:
    """Explain every column, quantity and flag of the tables."""
    return {
        "software": "multifidus",
        "version": VERSION,
        "measurements.csv": dict(COLUMNS),
        "summary.csv": {
            **{name: COLUMNS[name] for name in SUMMARY_KEYS},
            "n_slices": "Slices of the level that were outlined.",
            "slice_indices": "Their places in their series, joined by ';'.",
            "tilt_deg": "Mean tilt of these slices.",
            "other columns": "A quantity's mean over these slices, the fat method in front where "
            "there is one; NaN where a slice's value is undefined.",
            "flags": "Flags of any of these values.",
            "name": COLUMNS["name"],
        },
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
