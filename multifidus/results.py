"""The results folder: tables, their dictionary, pictures of every measured slice, a page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.batch import Failure, Measured
from multifidus.columns import COLUMNS, FAILURE_COLUMNS
from multifidus.errors import WriteError
from multifidus.io.files import name_from, write_text
from multifidus.io.protocols import as_toml
from multifidus.io.tables import (
    Row,
    tidy_order,
    tidy_row,
    write_dictionary,
    write_rows,
    write_summary,
)
from multifidus.missing import MISSING_COLUMNS, missing_rows
from multifidus.protocol import MeasurementProtocol
from multifidus.report.bias import draw_corrections
from multifidus.report.overlay import draw_overlays
from multifidus.report.page import Shown, write_page
from multifidus.roi import Reading
from multifidus.stats.exchanged_sides import exchanged_sides, side_areas, with_exchanged_sides

TABLE = "measurements.csv"
SUMMARY = "summary.csv"
DICTIONARY = "dictionary.json"
FAILURES = "failures.csv"
MISSING = "missing.csv"
PROTOCOL = "protocol.toml"
PICTURES = "pictures"
PAGE = "index.html"


@dataclass(frozen=True, slots=True)
class Results:
    """What a run measured, what failed, and what the study lacks, as table rows.

    ``notes`` say what is doubtful about several cases together, in sentences.
    """

    rows: list[Row]
    failures: list[Row]
    missing: list[Row]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go.

    Parameters
    ----------
    folder
        Made if need be.
    overwrite
        Whether results already there may be replaced.
    pictures
        Whether to draw every measured slice and the page that shows them.
    """

    folder: Path
    overwrite: bool = False
    pictures: bool = True

    def check(self) -> None:
        """Refuse, before anything is measured, to replace results unasked.

        Raises
        ------
        WriteError
            If the folder is a file or holds results.
        """
        if self.folder.exists() and not self.folder.is_dir():
            msg = f"{self.folder} is a file, not a folder for results."
            raise WriteError(msg, remedy="Choose another name.")
        if not self.overwrite and (self.folder / TABLE).exists():
            msg = f"{self.folder} already holds results."
            raise WriteError(msg, remedy="Choose another folder, or ask to overwrite them.")


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
    """
    if output is not None:
        output.check()
    rows: list[Row] = []
    failures: list[Row] = []
    pictures: list[tuple[str, str]] = []
    measured: set[Reading] = set()
    failed: dict[Reading, str] = {}
    for outcome in outcomes:
        if isinstance(outcome, Failure):
            failures.append(_failure_row(outcome))
            failed[outcome.case.reading] = outcome.error
        else:
            measured |= {row.key.reading for row in outcome.rows} or {outcome.rois.reading}
            rows.extend({**tidy_row(row), **outcome.case.extra} for row in outcome.rows)
            if output is not None and output.pictures:
                folder = output.folder / PICTURES
                pictures.extend(draw_overlays(outcome.exam, outcome.rois, outcome.rows, folder))
                pictures.extend(draw_corrections(outcome.exam, outcome.rois, protocol, folder))
        progress(outcome)
    missing = missing_rows(rows, measured, failed)
    exchanged = exchanged_sides(side_areas(rows))
    rows.sort(key=tidy_order)
    notes = tuple(found.in_words() for found in exchanged)
    results = Results(with_exchanged_sides(rows, exchanged), failures, missing, notes)
    if output is not None:
        _write(results, output, protocol, pictures)
    return results


def _failure_row(failure: Failure) -> Row:
    by, folder = failure.case.reading, failure.case.folder
    images = failure.case.images
    named = [p.as_posix() if folder is None else name_from(p, folder) for p in images]
    return {
        "subject": by.subject,
        "timepoint": by.timepoint,
        "rater": by.rater,
        "reading": by.reading,
        "path": ";".join(named),
        "error": failure.error,
        "message": failure.message,
        "remedy": failure.remedy,
    }


def _write(
    results: Results,
    output: Output,
    protocol: MeasurementProtocol,
    pictures: Sequence[tuple[str, str]],
) -> None:
    folder, overwrite = output.folder, output.overwrite
    if results.rows:
        write_rows(results.rows, folder / TABLE, tuple(COLUMNS), overwrite=overwrite)
        write_summary(results.rows, folder / SUMMARY, protocol, overwrite=overwrite)
        write_dictionary(folder / DICTIONARY, overwrite=overwrite)
        write_text(folder / PROTOCOL, as_toml(protocol), overwrite=overwrite)
    write_rows(results.failures, folder / FAILURES, FAILURE_COLUMNS, overwrite=True)
    write_rows(results.missing, folder / MISSING, tuple(MISSING_COLUMNS), overwrite=True)
    if results.rows and output.pictures:
        shown = Shown(results.rows, results.failures, results.missing, pictures)
        write_page(shown, folder / PAGE, protocol)


def as_json(results: Results) -> dict[str, Any]:
    """Return results as plain values for JSON, which has no NaN: undefined is null."""
    return {
        "rows": [{name: _json_value(value) for name, value in row.items()} for row in results.rows],
        "failures": results.failures,
        "missing": results.missing,
        "notes": list(results.notes),
    }


def _json_value(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
