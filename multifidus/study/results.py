"""Measured cases become results: tables, pictures of every measured slice, a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from multifidus.data.measurement import Measurement, Measurements
from multifidus.data.printed_table import PrintedTable
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.measurements_csv import tidy_row
from multifidus.io.table_csv import Row
from multifidus.study.batch import Failure, Measured
from multifidus.study.further_tables import check_tables
from multifidus.study.pictures import draw_pictures
from multifidus.study.results_folder import (
    OLD_REPORT,
    PICTURES,
    REPORT,
    TABLE,
    Output,
    remove_run,
)
from multifidus.study.reviewed import review_beside
from multifidus.study.run.assembly import assemble
from multifidus.study.run.record import record_of
from multifidus.study.run.study import Study


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured, what failed, and what the study lacks.

    ``notes`` say what is doubtful about several cases together, and what of their label maps was
    not measured, in sentences; ``printed`` is what is printed of the summary.
    """

    rows: Measurements
    failures: list[Row]
    missing: list[Row]
    notes: tuple[str, ...] = ()
    printed: PrintedTable = field(default_factory=PrintedTable)


def write_results(
    outcomes: Iterable[Measured | Failure],
    output: Output | None,
    protocol: MeasurementProtocol,
    progress: Callable[[Measured | Failure], None] = lambda _: None,
) -> Results:
    """Take cases as they are measured and write everything about them.

    Parameters
    ----------
    outcomes
        Cases, measured or failed.
    output
        Where to; None writes nothing.
    protocol
        The protocol they were measured by.
    progress
        Called after each case.

    Raises
    ------
    WriteError
        If results would be replaced unasked.
    ReadError
        If the review in the folder cannot be read.
    """
    if output is not None:
        output.check()
        # Refused before anything is measured.
        review_beside(output.folder / TABLE, output.review)
        check_tables(output.tables)
    draws = output is not None and output.pictures
    cases = []
    for outcome in outcomes:
        rows: tuple[Measurement, ...] = ()
        pictures = None
        if isinstance(outcome, Measured):
            rows = outcome.rows.rows
            if draws and output is not None:
                pictures = draw_pictures(outcome, output.folder / PICTURES, output.drawing)
        cases.append((record_of(outcome, pictures), partial(tuple, rows)))
        progress(outcome)
    study = Study(tuple(cases))
    results = results_of(study)
    if output is None:
        return results
    if output.overwrite and (output.folder / REPORT).is_dir():
        results = replace(results, notes=(*results.notes, OLD_REPORT))
    remove_run(output.folder)
    made = assemble(study, output, protocol)
    notes = (*results.notes, *made.remarks)
    return replace(results, missing=made.missing, notes=notes, printed=made.printed)


def results_of(study: Study) -> Results:
    """Return everything about a study, its rows included."""
    rows = tuple(row for reading in study.readings() for row in reading)
    return Results(Measurements(rows), study.failures, study.missing(), study.notes())


def as_json(results: Results) -> dict[str, Any]:
    """Return results as plain values for JSON, which has no NaN: undefined is null."""
    return {
        "rows": [
            {name: _json_value(value) for name, value in tidy_row(row).items()}
            for row in results.rows
        ],
        "failures": results.failures,
        "missing": results.missing,
        "notes": list(results.notes),
    }


def _json_value(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
