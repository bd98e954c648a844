"""The summary of a run's results as people read it, rounded, and the name of its page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Structure
from multifidus.data.columns import SUMMARY_KEYS
from multifidus.data.measurement import Measurement
from multifidus.data.printed_table import PrintedTable
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.slice_number import slice_number
from multifidus.io.table_csv import Row
from multifidus.study.summary import summary_rows

TITLE = "<title>multifidus results</title>"

COLUMNS = (
    *((name, name, "") for name in (*SUMMARY_KEYS, "name")),
    ("slice_indices", "slices", ""),
    ("tilt_deg", "tilt, deg", ".1f"),
    ("tcsa_mm2", "CSA, cm²", ".1f"),
    ("pooled_otsu_fi_pct", "visible fat, %", ".1f"),
    ("pooled_otsu_fcsa_mm2", "lean CSA, cm²", ".1f"),
    ("asymmetry_pct", "asymmetry, %", "+.1f"),
    ("volume_ml", "volume, ml", ".1f"),
    ("ff_linear_pct", "fat (linear), %", ".1f"),
    ("ff_signal_pct", "fat signal fraction, %", ".1f"),
    *(
        (f"{method}_fi_pct", f"visible fat ({method}), %", ".1f")
        for method in FatMethod
        if method is not FatMethod.POOLED_OTSU
    ),
    ("dixon_ff_mean_pct", "Dixon mean, %", ".1f"),
    ("dixon_ff_ratio_pct", "Dixon ratio, %", ".1f"),
    ("flags", "flags", ""),
)
"""Columns of the summary on the page: name in the table, heading, format."""


def first_printed(summary: Iterable[Row]) -> PrintedTable:
    """Return what is printed of the multifidus in the wide table, which may be long."""
    return PrintedTable.first_of(*printable_summary(summary, Structure.MULTIFIDUS))


def printable(
    rows: Sequence[Measurement],
    structure: str | None = None,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> tuple[list[str], list[list[str]]]:
    """Return headings and rounded cells of the summary; columns that nobody filled are left out.

    Parameters
    ----------
    rows
        What was measured.
    structure
        Show this one only, where it was measured at all.
    protocol
        Says which slices make up a level.
    """
    headings, cells = printable_summary(summary_rows(rows, protocol), structure)
    return headings, list(cells)


def printable_summary(
    summary: Iterable[Row], structure: str | None = None
) -> tuple[list[str], Iterator[list[str]]]:
    """Return the same of rows of the wide table, which are gone through several times."""
    known, filled = False, {True: set[str](), False: set[str]()}
    for row in summary:
        is_asked = row["structure"] == structure
        known = known or is_asked
        filled[is_asked] |= {name for name, _, _ in COLUMNS if row.get(name) not in (None, "")}
    names = filled[True] if known else filled[False]
    used = [column for column in COLUMNS if column[0] in names]
    shown = (row for row in summary if not known or row["structure"] == structure)
    cells = ([_with_uncertainty(row, name, form) for name, _, form in used] for row in shown)
    return [heading for _, heading, _ in used], cells


def _with_uncertainty(row: Row, name: str, form: str) -> str:
    """Round a value, and its standard uncertainty where one is stated; areas in cm2."""
    value, uncertainty = row.get(name), row.get(f"{name}_u", math.nan)
    if name == "slice_indices" and value:
        return "; ".join(str(slice_number(int(index))) for index in str(value).split(";"))
    if name.endswith("_mm2") and isinstance(value, float):
        value, uncertainty = value / 100, uncertainty / 100
    if math.isnan(uncertainty) or not isinstance(value, float) or math.isnan(value):
        return _cell(value, form)
    # A percentage with its uncertainty needs no decimals.
    short = ".0f" if name.endswith("_pct") else form
    return f"{value:{short}} ± {uncertainty:{short}}"


def _cell(value: Any, form: str) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return "undefined" if math.isnan(value) else format(value, form or "g")
    return str(value).replace(";", "; ")


def is_page(path: Path) -> bool:
    """Whether a file is a page of results, and not another one of the same name."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return TITLE in file.read(1000)
    except OSError:
        return False
