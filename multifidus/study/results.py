"""The results folder: tables, their dictionary, pictures of every measured slice, a page."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.data.columns import (
    COLUMNS,
    FAILURE_COLUMNS,
    MISSING_COLUMNS,
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
)
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Measurements, Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.errors import WriteError
from multifidus.figures.bias_field import draw_bias_fields
from multifidus.figures.overlay import draw_overlays
from multifidus.figures.picture_files import SMALL, is_picture_stem
from multifidus.io.files import name_from, refuse_file_as_folder, write_text
from multifidus.io.measurements_csv import tidy_row, write_table
from multifidus.io.protocol_toml import as_toml
from multifidus.io.scan_result import in_words
from multifidus.io.table_csv import Row, write_rows
from multifidus.study.batch import Failure, Measured
from multifidus.study.exchanged_sides import exchanged_sides, side_areas, with_exchanged_sides
from multifidus.study.missing import Absence, Place, missing_rows, notes_of
from multifidus.study.results_page import PageContent, is_page, write_page
from multifidus.study.summary import write_summary
from multifidus.version import VERSION

TABLE = "measurements.csv"
SUMMARY = "summary.csv"
DICTIONARY = "dictionary.json"
FAILURES = "failures.csv"
MISSING = "missing.csv"
PROTOCOL = "protocol.toml"
PICTURES = "pictures"
PAGE = "index.html"
REPORT = "report"
"""Folder of the report that is made of all these."""

OLD_REPORT = (
    f"{REPORT}/ in this folder was made of the results that were just replaced: delete it, or make "
    "it anew with 'multifidus report --overwrite'."
)


@dataclass(frozen=True, slots=True)
class Results:
    """What was measured, what failed, and what the study lacks.

    ``notes`` say what is doubtful about several cases together, and what of their label maps was
    not measured, in sentences.
    """

    rows: Measurements
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
            If the folder is a file, lies below one or holds results.
        """
        refuse_file_as_folder(self.folder)
        if not self.overwrite and self._holds_results():
            msg = f"{self.folder} already holds results."
            raise WriteError(msg, remedy="Choose another folder, or ask to overwrite them.")

    def _holds_results(self) -> bool:
        # Pictures alone are of a run that did not end; a report would show them among the new.
        return (self.folder / TABLE).exists() or any(self.old_pictures())

    def old_pictures(self, drawn: Sequence[tuple[str, str]] = ()) -> Iterator[Path]:
        """Yield the pictures of slices in the folder, large and small, besides those just drawn.

        Other files there are not this program's.
        """
        large = self.folder / PICTURES
        new = [large / name for name, _ in drawn]
        new += [(large / SMALL / name).with_suffix(".jpg") for name, _ in drawn]
        # As files, not by name: some systems take names of another case for the same.
        kept = {(at.st_dev, at.st_ino) for at in (path.stat() for path in new if path.exists())}
        for path in (*large.glob("*.png"), *(large / SMALL).glob("*.jpg")):
            at = path.lstat()
            if (
                is_picture_stem(path.stem)
                and not path.is_dir()
                and (at.st_dev, at.st_ino) not in kept
            ):
                yield path


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
    study = _Study()
    pictures: list[tuple[str, str]] = []
    for outcome in outcomes:
        study.add(outcome)
        if output is not None and output.pictures and isinstance(outcome, Measured):
            pictures += _draw(outcome, output.folder / PICTURES)
        progress(outcome)
    results = study.results()
    if output is None:
        return results
    if output.overwrite and (output.folder / REPORT).is_dir():
        results = replace(results, notes=(*results.notes, OLD_REPORT))
    _write(results, output, protocol, pictures)
    return results


def _draw(done: Measured, folder: Path) -> list[tuple[str, str]]:
    """Draw what was measured; file name and caption of each picture."""
    return [
        *draw_overlays(done.exam, done.rois, done.rows, folder),
        *draw_bias_fields(done.exam, done.rois, done.calibration, folder),
    ]


@dataclass(slots=True)
class _Study:
    """The cases of a run so far."""

    rows: list[Measurement] = field(default_factory=list)
    failures: list[Row] = field(default_factory=list)
    measured: set[Reading] = field(default_factory=set)
    failed: dict[Reading, str] = field(default_factory=dict)
    notes: dict[tuple[Reading, Place], str] = field(default_factory=dict)
    unnamed: dict[tuple[int, ...], dict[str, None]] = field(default_factory=dict)
    """Values that label schemes do not name, and the label maps that hold them."""

    def add(self, outcome: Measured | Failure) -> None:
        """Add a case."""
        if isinstance(outcome, Failure):
            self.failures.append(_failure_row(outcome))
            self.failed[outcome.case.reading] = outcome.error
            return
        for held in outcome.rois.unnamed_labels:
            self.unnamed.setdefault(held.values, {})[_called(held.path, outcome.case)] = None
        self.measured |= {row.key.reading for row in outcome.rows} or {outcome.rois.reading}
        self.notes |= notes_of(outcome.rois)
        self.rows.extend(outcome.rows)

    def results(self) -> Results:
        """Put all cases together."""
        exchanged = exchanged_sides(side_areas(self.rows))
        rows = sorted(self.rows, key=lambda row: row.sort_key)
        return Results(
            Measurements(tuple(with_exchanged_sides(rows, exchanged))),
            self.failures,
            missing_rows(self.rows, self.measured, self.failed, self.notes),
            (*_not_named(self.unnamed), *(found.in_words() for found in exchanged)),
        )


def _called(path: Path, case: Case) -> str:
    """Name a file from the case's table; one given by hand by its name alone."""
    return path.name if case.folder is None else name_from(path, case.folder)


def _not_named(unnamed: Mapping[tuple[int, ...], Iterable[str]]) -> list[str]:
    """Report values in label maps that their label scheme does not name."""
    return [
        f"{in_words(paths)}: the label scheme does not name {in_words(map(str, values))}, and "
        f"voxels of {'these values' if len(values) > 1 else 'this value'} are not measured."
        for values, paths in unnamed.items()
    ]


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
    has_page = bool(results.rows) and output.pictures
    if overwrite:
        _remove_earlier(output, pictures, has_tables=bool(results.rows), has_page=has_page)
    if results.rows:
        write_table(results.rows, folder / TABLE, overwrite=overwrite)
        write_summary(results.rows, folder / SUMMARY, protocol, overwrite=overwrite)
        write_dictionary(folder / DICTIONARY, overwrite=overwrite)
    if results.rows or overwrite:
        write_text(folder / PROTOCOL, as_toml(protocol), overwrite=overwrite)
    write_rows(results.failures, folder / FAILURES, FAILURE_COLUMNS, overwrite=True)
    write_rows(results.missing, folder / MISSING, tuple(MISSING_COLUMNS), overwrite=True)
    if has_page:
        content = PageContent(results.rows, results.failures, results.missing, pictures)
        write_page(content, folder / PAGE, protocol)


def _remove_earlier(
    output: Output, drawn: Sequence[tuple[str, str]], *, has_tables: bool, has_page: bool
) -> None:
    """Remove what an earlier run wrote and this one does not replace.

    Nothing but files that this program names. The protocol is not among them: it is always
    replaced, and may be the very file that the user wrote.
    """
    for name in () if has_tables else (TABLE, SUMMARY, DICTIONARY):
        (output.folder / name).unlink(missing_ok=True)
    if not has_page and is_page(output.folder / PAGE):
        (output.folder / PAGE).unlink()
    for path in [*output.old_pictures(drawn)]:
        path.unlink()


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
