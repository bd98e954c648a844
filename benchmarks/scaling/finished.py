"""Results folders of many finished cases, made by copying the record of one that was measured."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.synthetic import Extent, make_sample
from multifidus.data.anatomy import Structure
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, cohort_facts, measure_cohort_into
from multifidus.study.run.content import ContentHashes, content_of
from multifidus.study.run.folder import Plan, begin
from multifidus.study.run.record_files import record_path

HEAD = "subject,timepoint,rater,images,outlines"

ORIGINAL = "S000000"
"""Subject of the case that was measured."""

READING = Extent((Structure.MULTIFIDUS,), middle=True)
"""Both multifidi and four references at each of five levels: 30 outlines."""


@dataclass(frozen=True, slots=True)
class FinishedCase:
    """One case that was measured, as a text to be copied.

    Parameters
    ----------
    folder
        Of its images and outlines.
    text
        Its record.
    rows
        How many rows it has.
    """

    folder: Path
    text: str
    rows: int

    @classmethod
    def measured(cls, folder: Path) -> FinishedCase:
        """Write an exam of 25 slices with 30 outlines, and measure it."""
        folder.mkdir(parents=True)
        make_sample(folder, 1, ORIGINAL, READING)
        table = folder / "cohort.csv"
        table.write_text(f"{HEAD}\n{_line(ORIGINAL)}\n")
        run = _run(table, folder / "results")
        result = measure_cohort_into(run)
        (path,) = (folder / "results").glob("cases/??/*.jsonl")
        return cls(folder, path.read_text(encoding="utf-8"), result.study.n_rows)

    def copied(self, number: int, out: Path) -> CohortRun:
        """Write a results folder of so many finished cases; return the run that would make it.

        All name the files of the one that was measured.
        """
        table = self.folder / f"cohort_{number}.csv"
        subjects = [f"S{place:06d}" for place in range(number)]
        table.write_text("\n".join([HEAD, *map(_line, subjects)]) + "\n")
        run, hashes = _run(table, out), ContentHashes()
        out.mkdir(parents=True)
        begin(Plan(), out, run.settings, cohort_facts(run))
        key = json.loads(self.text.partition("\n")[0])["facts"]["key"]
        for case in run.cases:
            content = content_of(case, run.settings, hashes)
            path = record_path(out, content.key)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = self.text.replace(ORIGINAL + '"', f'{case.reading.subject}"')
            # The files are those of the original, whatever subject they are named after.
            path.write_text(text.replace(key, content.key), encoding="utf-8")
        return run


def _line(subject: str) -> str:
    return f"{subject},pre,AB,series,{ORIGINAL}.outlines.json"


def _run(table: Path, out: Path) -> CohortRun:
    output = Output(out, pictures=False)
    return CohortRun(table, read_cohort(table).cases, output, MeasurementProtocol())


def without_tables(run: CohortRun, out: Path) -> CohortRun:
    """Return the same run with its tables elsewhere."""
    return replace(run, output=replace(run.output, folder=out))
