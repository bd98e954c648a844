"""Tables, page and dictionary of a study, assembled from its finished cases one after another.

No more than one reading's rows are in memory at a time; rows of the wide table wait in a file,
as its order is not that of the tidy one.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from multifidus.data.columns import (
    ACQUISITION_COLUMNS,
    COLUMNS,
    FAILURE_COLUMNS,
    MISSING_COLUMNS,
    MUSCLE_COLUMNS,
)
from multifidus.data.measurement import Measurement
from multifidus.data.printed_table import PrintedTable
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.files import make_folder, write_atomically, write_text
from multifidus.io.measurements_csv import TidyLines
from multifidus.io.parquet import ParquetTable, parquet_table
from multifidus.io.protocol_toml import as_toml
from multifidus.io.table_csv import Row, write_lines, write_rows
from multifidus.study.dictionary import summary_meanings, tidy_meanings, write_dictionary
from multifidus.study.exam_table import ExamTable
from multifidus.study.further_tables import remove_further, write_exam_tables
from multifidus.study.missing import in_order
from multifidus.study.muscles import MuscleTable, muscle_rows
from multifidus.study.qc_page import PageContent, write_page
from multifidus.study.results_folder import (
    ACQUISITIONS,
    DICTIONARY,
    FAILURES,
    MISSING,
    MUSCLES,
    PAGE,
    PICTURES,
    PROTOCOL,
    SUMMARY,
    TABLE,
    Output,
    remove_earlier,
)
from multifidus.study.results_page import first_printed
from multifidus.study.reviewed import ReviewedReadings, review_beside
from multifidus.study.run.study import Study
from multifidus.study.summary import reading_order, summary_rows, write_summary_rows
from multifidus.study.table_files import PARQUET, FurtherTable


@dataclass(frozen=True, slots=True)
class Assembled:
    """What a study's tables hold that is to be said.

    Parameters
    ----------
    printed
        What is printed of the summary: the multifidus.
    missing
        Rows of the table of what is missing.
    remarks
        What a review left out; in sentences.
    """

    printed: PrintedTable
    missing: list[Row]
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class WideRows:
    """Rows of the wide table, kept in a file until all are known; may be gone through again."""

    file: IO[bytes]
    places: list[tuple[tuple[Any, ...], int, int]] = field(default_factory=list)

    def add(self, rows: list[Row], like: list[Row] | None = None) -> None:
        """Add those of one reading; they stand where ``like`` would."""
        if rows:
            text = json.dumps(rows).encode()
            place = reading_order((like or rows)[0])
            self.places.append((place, self.file.seek(0, 2), len(text)))
            self.file.write(text)

    def __iter__(self) -> Iterator[Row]:
        """Yield all, as people read them."""
        for _, place, length in sorted(self.places):
            self.file.seek(place)
            yield from json.loads(self.file.read(length))


def assemble(study: Study, output: Output, protocol: MeasurementProtocol) -> Assembled:
    """Write the tables and the page of a study, and remove what an earlier run left.

    What did not pass a review is undefined in all tables but the tidy one, which stays as it was
    measured: it is what a review is about, and a later verdict may take an earlier one back.

    Parameters
    ----------
    study
        Its finished cases.
    output
        Where to.
    protocol
        The protocol they were measured by.

    Raises
    ------
    ReadError
        If the review cannot be read.
    """
    folder, overwrite = output.folder, output.overwrite
    review = ReviewedReadings(review_beside(folder / TABLE, output.review))
    make_folder(folder)
    failures = study.failures
    has_rows = study.n_rows > 0
    has_page = has_rows and output.pictures
    if overwrite:
        remove_further(folder, kept=output.tables if has_rows else ())
        remove_earlier(output, study.pictures, has_tables=has_rows, has_page=has_page)
    with contextlib.ExitStack() as files:
        file, other, small = (
            files.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in range(3)
        )
        wide, muscles = WideRows(file), WideRows(small)
        # The page is for looking at values again, those that did not pass as well.
        measured = wide if review.review is None else WideRows(other)
        if has_rows:
            own = tuple(study.own_columns)
            passing = _Passing(review, wide, measured, muscles, protocol, own)
            _write_readings(study, output, passing)
            summary = write_summary_rows(wide, folder / SUMMARY, overwrite=overwrite)
            table = MuscleTable(muscles)
            write_rows(table, folder / MUSCLES, tuple(MUSCLE_COLUMNS), overwrite=overwrite)
            columns = tuple(ACQUISITION_COLUMNS)
            acquired = study.acquisitions(passing.orders)
            write_rows(acquired, folder / ACQUISITIONS, columns, overwrite=overwrite)
            explained = {TABLE: tidy_meanings(own), SUMMARY: summary_meanings(summary, own)}
            if {*output.tables} - {FurtherTable.PARQUET}:
                exams = ExamTable(muscles, protocol, own)
                explained |= write_exam_tables(exams, output.tables, folder)
            write_dictionary(folder / DICTIONARY, explained, overwrite=overwrite)
        if has_rows or overwrite:
            write_text(folder / PROTOCOL, as_toml(protocol), overwrite=overwrite)
        missing = in_order([*study.missing(), *review.missing])
        write_rows(failures, folder / FAILURES, tuple(FAILURE_COLUMNS), overwrite=True)
        write_rows(missing, folder / MISSING, tuple(MISSING_COLUMNS), overwrite=True)
        if has_page:
            drawn = study.pictures, folder / PICTURES
            why = "no image: nothing is flagged" if output.drawing.only_flagged else "no image"
            content = PageContent(measured, failures, missing, *drawn, why, review.review)
            write_page(content, folder / PAGE, protocol)
        return Assembled(first_printed(wide), missing, review.remarks)


@dataclass(frozen=True, slots=True)
class _Passing:
    """Takes the rows of one reading after another to the tables made of what passes."""

    review: ReviewedReadings
    wide: WideRows
    measured: WideRows
    muscles: WideRows
    protocol: MeasurementProtocol
    own: tuple[str, ...]
    parquet: ParquetTable | None = None
    orders: dict[tuple[str, str], str] = field(default_factory=dict)
    """Of the exams that were taken, by subject and timepoint: which of the subject's, if known."""

    def take(self, rows: list[Measurement]) -> None:
        if self.parquet is not None:
            self.parquet.add(rows)
        for row in rows[:1]:
            by = row.key.reading
            if order := row.extra.get("order", ""):
                self.orders[by.subject, by.timepoint] = order
        summary = summary_rows(self.review.passing(rows), self.protocol)
        self.wide.add(summary)
        self.muscles.add([*muscle_rows(summary, self.protocol, self.own)], summary)
        if self.measured is not self.wide:
            self.measured.add(summary_rows(rows, self.protocol))


def _write_readings(study: Study, output: Output, passing: _Passing) -> None:
    """Go through all rows once, and write the tables that are made of each."""
    path = output.folder / TABLE
    if FurtherTable.PARQUET not in output.tables:
        _write_tidy(study, path, passing, overwrite=output.overwrite)
        return

    def write(part: Path) -> None:
        with parquet_table(part, study.own_columns) as table:
            both = replace(passing, parquet=table)
            _write_tidy(study, path, both, overwrite=output.overwrite)

    write_atomically(output.folder / PARQUET, write, overwrite=True)


def _write_tidy(study: Study, path: Path, passing: _Passing, *, overwrite: bool) -> None:
    """Write the tidy table, and make the other ones on the way."""
    table = TidyLines(dict.fromkeys((*COLUMNS, *study.own_columns)))

    def lines() -> Iterator[str]:
        yield table.header
        for rows in study.readings():
            passing.take(rows)
            yield from table.lines(rows)

    write_lines(lines(), path, overwrite=overwrite)
