"""What the command line was asked to measure, as cases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.batch import (
    Failure,
    Measured,
    case_of,
    measure_cases,
    measure_exam,
    read_by_reading,
)
from multifidus.errors import CohortError
from multifidus.formats import read_exam
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.contrast import load_contrasts
from multifidus.protocol import MeasurementProtocol


@dataclass(frozen=True, slots=True)
class Request:
    """Files named by hand: one exam with outlines, a Dixon pair with outlines, or a cohort."""

    exam: tuple[Path, ...] = ()
    outlines: tuple[Path, ...] = ()
    labels: str | None = None
    fat: Path | None = None
    water: Path | None = None
    pair_by: str = "geometry"
    contrasts: Path | None = None

    @property
    def is_cohort(self) -> bool:
        """Whether it names a cohort table."""
        return len(self.exam) == 1 and self.exam[0].suffix.lower() == ".csv"


@dataclass(frozen=True, slots=True)
class Run:
    """Cases to be measured when they are asked for, and their number."""

    outcomes: Iterator[Measured | Failure]
    total: int


def plan(request: Request, protocol: MeasurementProtocol) -> Run:
    """Turn a request into cases; nothing is measured yet.

    Raises
    ------
    CohortError
        If the request contradicts itself.
    MultifidusError
        If a cohort table, or one exam named by hand, cannot be read.
    """
    load_contrasts(request.contrasts)  # a mistake in it is no failure of each case
    if request.is_cohort:
        if request.outlines or request.fat or request.water:
            msg = "A cohort.csv names the outlines of its cases itself."
            raise CohortError(msg, remedy="Leave out --outlines, --fat and --water.")
        cohort = read_cohort(request.exam[0])
        return Run(measure_cases(cohort.cases, protocol, request.contrasts), len(cohort.cases))
    if not request.outlines:
        msg = "Nothing to measure: no outlines are named."
        raise CohortError(msg, remedy="Give --outlines FILE, or a cohort.csv.")
    outcomes = _measure_one(request, protocol)
    return Run(iter(outcomes), len(outcomes))


def _measure_one(request: Request, protocol: MeasurementProtocol) -> list[Measured]:
    """Measure one exam, reading by reading."""
    exam = read_exam(
        *request.exam,
        fat=request.fat,
        water=request.water,
        pair_by=request.pair_by,
        contrasts=request.contrasts,
    )
    case = case_of(request.exam, request.outlines, request.labels)
    return [measure_exam(exam, rois, protocol, case) for rois in read_by_reading(case, exam)]
