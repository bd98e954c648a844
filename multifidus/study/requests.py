"""What is asked to be measured, as cases: one exam by hand, or a cohort with remarks on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from multifidus.data.cells import near_names
from multifidus.data.cohort import Case, Cohort, heights_apart, shared_images
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.bids.labels import problems_of
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.contrast import load_contrasts
from multifidus.io.files import is_file, name_from
from multifidus.io.identifiers import Identifiers, names_patient, read_identifiers
from multifidus.io.label_names import names_left_out
from multifidus.io.read import read_exam
from multifidus.io.scan_result import in_words
from multifidus.io.table_names import is_table
from multifidus.io.walk import is_zip, unpack, walk
from multifidus.study.batch import (
    Failure,
    Measured,
    case_of,
    measure_cases,
    measure_exam,
    read_by_reading,
)
from multifidus.study.exam_order import contradictions


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


def cohort_of(request: MeasureRequest) -> Cohort:
    """Read the cohort that a request names.

    Raises
    ------
    CohortError
        If the request contradicts it, or it cannot be used.
    """
    by_hand = (request.outlines, request.fat, request.water, request.series)
    if any(by_hand) or request.rater or request.reading:
        msg = (
            "A cohort.csv names the outlines of its cases itself, and their series, rater and "
            "reading."
        )
        remedy = "Leave out --outlines, --fat, --water, --series, --rater and --reading."
        raise CohortError(msg, remedy=remedy)
    return read_cohort(request.exam[0])


def _prepare_cohort(request: MeasureRequest, protocol: MeasurementProtocol) -> MeasureRun:
    cohort = cohort_of(request)
    outcomes = measure_cases(cohort.cases, protocol, request.contrasts)
    remarks = (*cohort_remarks(cohort), *privacy_remarks(cohort))
    return MeasureRun(outcomes, len(cohort.cases), remarks)


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


NAMED_AFTER_PATIENTS = (
    "The cohort table carries names or IDs of patients, and results repeat what it says: rename "
    "folders and subjects before either leaves the hospital."
)

PEEKED = 10
"""Files of a folder of images that are asked whom they show, before that is taken as unsaid."""


def cohort_remarks(cohort: Cohort) -> Iterator[str]:
    """Yield what may be wrong in a cohort table; no image is opened."""
    yield from cohort.remarks
    yield from near_names("subject", {case.reading.subject for case in cohort.cases})
    yield from labels_left_out(case.labels for case in cohort.cases)
    for path, owners in shared_images(cohort):
        folder = cohort.cases[0].folder or Path()
        yield (
            f"{name_from(path, folder)} is given to {in_words(owners)}: one image measured under "
            "several names. Check the column images."
        )
    yield from contradictions(cohort.cases)
    yield from heights_apart(cohort)


def privacy_remarks(cohort: Cohort) -> list[str]:
    """Say whether a table names patients; the first images of each case are opened for it.

    It says no more than that: results repeat what the table names files and subjects by.
    """
    known = lru_cache(maxsize=64)(_known)  # readings of one exam often follow each other
    is_named = any(_names_patient(case, known(case.images)) for case in cohort.cases)
    return [NAMED_AFTER_PATIENTS] if is_named else []


def labels_left_out(schemes: Iterable[str | None]) -> list[str]:
    """Say which names of label schemes are of nothing that is measured."""
    names = [name for scheme in schemes for name in (scheme or "").split(";")]
    found: list[str] = []
    for table in dict.fromkeys(map(Path, names)):
        # What is wrong with one, its cases say.
        with contextlib.suppress(MultifidusError):
            if table.suffix == ".tsv" and is_file(table) and names_left_out(table):
                found += problems_of(table)
    return found


def _names_patient(case: Case, known: Sequence[Identifiers]) -> bool:
    """Whether what the table says of a case names whom its images name."""
    folder = case.folder or Path()
    files = (*case.images, *case.outlines, *case.landmarks)
    by = case.reading
    texts = [by.subject, by.timepoint, by.rater, *case.extra.values()]
    texts += [name_from(path, folder) for path in files]
    return any(names_patient(person, texts) for person in known)


def _known(images: tuple[Path, ...]) -> tuple[Identifiers, ...]:
    """Read whom the images of a case name, each from the first file that names anybody."""
    found = [*map(_first_named, images)]
    return tuple(known for known in found if known is not None)


def _first_named(image: Path) -> Identifiers | None:
    with contextlib.suppress(MultifidusError):  # that it cannot be read, measuring will say
        found = [unpack(image, PEEKED)] if is_zip(image) else [image]
        for known in map(read_identifiers, walk(found).files[:PEEKED]):
            if known.patient_name or known.patient_id:
                return known
    return None
