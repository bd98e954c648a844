"""What a run does by itself, before the first case and after the last, timed on small cohorts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.scaling.finished import FinishedCase
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.files import content_sha256
from multifidus.study.qc_page import PageContent, write_page
from multifidus.study.results_folder import PAGE, PICTURES, TABLE
from multifidus.study.run.assembly import assemble
from multifidus.study.run.cohort import CohortRun, planned_run, study_of
from multifidus.study.run.record_files import records_in
from multifidus.study.summary import summary_rows

TARGET = 100_000

CPU, MB = "CPU s", "MB"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a run does by itself.

    Parameters
    ----------
    name, unit
        What, and in what it is counted.
    when
        ``before`` the first case or ``after`` the last in a new run; ``going on`` where a run finds
        finished cases; ``on disk``.
    sizes, values
        Exams, and what they took.
    """

    name: str
    unit: str
    when: str
    sizes: tuple[int, ...]
    values: tuple[float, ...]

    @property
    def power(self) -> float:
        """How it grows: 1 in proportion to the exams, 2 with their square."""
        first, last = max(self.values[0], 1e-6), max(self.values[-1], 1e-6)
        return math.log(last / first) / math.log(self.sizes[-1] / self.sizes[0])

    @property
    def at_target(self) -> float:
        """What it would be for :data:`TARGET` exams: by the same power, at least in proportion."""
        return self.values[-1] * (TARGET / self.sizes[-1]) ** max(self.power, 1.0)


Taken = tuple[str, str, str, float]
"""Name, unit, when, and how much."""


def steps(case: FinishedCase, folder: Path, sizes: tuple[int, ...]) -> list[Step]:
    """Take all steps on folders of so many finished cases."""
    found: dict[tuple[str, str, str], list[float]] = {}
    for number in sizes:
        run = case.copied(number, folder / f"finished_{number}")
        for *what, value in _taken(run):
            name, unit, when = what
            found.setdefault((name, unit, when), []).append(value)
    return [Step(*what, sizes, tuple(values)) for what, values in found.items()]


def _taken(run: CohortRun) -> Iterator[Taken]:
    folder = run.output.folder

    def timed(name: str, when: str, job: Callable[[], Any]) -> Iterator[Any]:
        begun = time.process_time()
        result.append(job())
        yield name, CPU, when, time.process_time() - begun

    result: list[Any] = []
    yield from timed("read the cohort table", "before", lambda: read_cohort(run.table))
    yield from timed("list the folder and read the head of each record", "going on",
                     lambda: [*records_in(folder)])  # fmt: skip
    yield from timed("compare each case with its record, its files hashed before; twice",
                     "going on", lambda: [planned_run(run), planned_run(run)])  # fmt: skip
    plan, _ = result.pop()[0]
    study = study_of([case.reading for case in run.cases], dict(plan.kept))
    yield from timed("list what is missing", "after (in the tables)", study.missing)
    output = replace(run.output, overwrite=True)
    yield from timed("assemble all tables, without the page", "after",
                     lambda: assemble(study, output, run.protocol))  # fmt: skip
    yield f"{TABLE}", MB, "on disk", (folder / TABLE).stat().st_size / 1e6
    yield "records", MB, "on disk", sum(p.stat().st_size for p in folder.glob("cases/??/*")) / 1e6
    rows = [row for reading in study.readings() for row in summary_rows(reading, run.protocol)]
    content = PageContent(rows, [], [], [], folder / PICTURES)
    yield from timed("write the page, without its images", "after",
                     lambda: write_page(content, folder / PAGE, run.protocol))  # fmt: skip
    yield "the page without its images", MB, "on disk", (folder / PAGE).stat().st_size / 1e6
    yield from timed("hash the images and outlines of all cases", "going on",
                     lambda: _hash_all(run))  # fmt: skip


def _hash_all(run: CohortRun) -> None:
    """Hash the files of each case, which are the same here: of others they would be others."""
    files = [path for image in run.cases[0].images for path in sorted(image.iterdir())]
    for _ in run.cases:
        for path in (*files, *run.cases[0].outlines):
            content_sha256(path)
