"""What is asked to be measured, as cases: one exam by hand, or a cohort."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import CohortError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.contrast import load_contrasts
from multifidus.io.read import read_exam
from multifidus.io.table_reader import is_table
from multifidus.study.batch import (
    Failure,
    Measured,
    case_of,
    measure_cases,
    measure_exam,
    read_by_reading,
)
from multifidus.study.cohort_remarks import cohort_remarks, labels_left_out


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """Files named by hand: one exam with outlines, a Dixon pair with outlines, or a cohort."""

    exam: tuple[Path, ...] = ()
    outlines: tuple[Path, ...] = ()
    labels: str | None = None
    fat: Path | None = None
    water: Path | None = None
    pair_by: str = "geometry"
    contrasts: Path | None = None
    series: str | None = None
    rater: str = ""
    reading: int | None = None

    @property
    def is_cohort(self) -> bool:
        """Whether it names a cohort table."""
        return len(self.exam) == 1 and is_table(self.exam[0])


@dataclass(frozen=True, slots=True)
class MeasureRun:
    """Cases that are measured when they are asked for.

    Parameters
    ----------
    outcomes
        Cases, measured or failed, one after another.
    total
        How many.
    remarks
        What is to be known before results are passed on, in sentences.
    """

    outcomes: Iterator[Measured | Failure]
    total: int
    remarks: tuple[str, ...] = ()


def prepare(request: MeasureRequest, protocol: MeasurementProtocol) -> MeasureRun:
    """Turn a request into cases; of a cohort, whose table is read once, nothing is measured yet.

    Raises
    ------
    CohortError
        If the request contradicts itself.
    MultifidusError
        If a cohort table, or one exam named by hand, cannot be read.
    """
    load_contrasts(request.contrasts)  # a mistake in it is no failure of each case
    if request.is_cohort:
        return _prepare_cohort(request, protocol)
    if not request.outlines:
        msg = "Nothing to measure: no outlines are named."
        raise CohortError(msg, remedy="Give --outlines FILE, or a cohort.csv.")
    measured = _measure_one(request, protocol)
    return MeasureRun(iter(measured), len(measured), tuple(labels_left_out([request.labels])))


def _prepare_cohort(request: MeasureRequest, protocol: MeasurementProtocol) -> MeasureRun:
    by_hand = (request.outlines, request.fat, request.water, request.series)
    if any(by_hand) or request.rater or request.reading:
        msg = (
            "A cohort.csv names the outlines of its cases itself, and their series, rater and "
            "reading."
        )
        remedy = "Leave out --outlines, --fat, --water, --series, --rater and --reading."
        raise CohortError(msg, remedy=remedy)
    cohort = read_cohort(request.exam[0])
    outcomes = measure_cases(cohort.cases, protocol, request.contrasts)
    return MeasureRun(outcomes, len(cohort.cases), tuple(cohort_remarks(cohort)))


def _measure_one(request: MeasureRequest, protocol: MeasurementProtocol) -> list[Measured]:
    """Measure one exam, reading by reading."""
    exam = read_exam(
        *request.exam,
        fat=request.fat,
        water=request.water,
        pair_by=request.pair_by,
        contrasts=request.contrasts,
    )
    case = case_of(request.exam, request.outlines, request.labels, request.series)
    sets = read_by_reading(case, exam, request.rater, request.reading)
    return [measure_exam(exam, rois, protocol, case) for rois in sets]
