"""What the command line was asked to measure, as cases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.cells import near_names
from multifidus.data.cohort import Case, heights_apart, shared_images
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.archive import is_zip, unpack
from multifidus.io.bids.labels import problems_of
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.contrast import load_contrasts
from multifidus.io.files import name_from
from multifidus.io.identifiers import Identifiers, names_patient, read_identifiers
from multifidus.io.label_names import names_left_out
from multifidus.io.read import read_exam
from multifidus.io.scan_result import in_words
from multifidus.io.table_reader import is_table
from multifidus.io.walk import walk
from multifidus.study.batch import (
    Failure,
    Measured,
    case_of,
    measure_cases,
    measure_exam,
    read_by_reading,
)
from multifidus.study.exam_order import contradictions

NAMED_AFTER_PATIENTS = (
    "The cohort table carries names or IDs of patients, and results repeat what it says: rename "
    "folders and subjects before either leaves the hospital."
)

PEEKED = 10
"""Files of a folder of images that are asked whom they show, before that is taken as unsaid."""


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
    series: str | None = None
    rater: str = ""
    reading: int | None = None

    @property
    def is_cohort(self) -> bool:
        """Whether it names a cohort table."""
        return len(self.exam) == 1 and is_table(self.exam[0])


@dataclass(frozen=True, slots=True)
class Run:
    """Cases to be measured when they are asked for, their number, and remarks on their table."""

    outcomes: Iterator[Measured | Failure]
    total: int
    remarks: tuple[str, ...] = ()


def remarks_on(request: Request) -> list[str]:
    """Say what is to be known before a request's results are passed on.

    Raises
    ------
    MultifidusError
        If a cohort table cannot be read.
    """
    named = [NAMED_AFTER_PATIENTS] if names_patients(request) else []
    return [
        *named,
        *labels_left_out(request),
        *images_given_twice(request),
        *said_of_subjects(request),
    ]


def names_patients(request: Request) -> bool:
    """Whether a cohort table repeats names or IDs of the patients whom its images name.

    What it names files, subjects and all else by stands in results as well. Says no more than
    that, and nothing of files named by hand, whose paths are not written.

    Raises
    ------
    MultifidusError
        If the table cannot be read.
    """
    if not request.is_cohort:
        return False
    return any(map(_names_patient, read_cohort(request.exam[0]).cases))


def labels_left_out(request: Request) -> list[str]:
    """Say which names of the label schemes asked for are of nothing that is measured.

    Raises
    ------
    MultifidusError
        If a cohort table cannot be read.
    """
    asked = [(request.labels or "").split(";")]
    if request.is_cohort:
        asked += [(case.labels or "").split(";") for case in read_cohort(request.exam[0]).cases]
    tables = dict.fromkeys(Path(name) for names in asked for name in names)
    found: list[str] = []
    for table in tables:
        # What is wrong with one, its cases say.
        with contextlib.suppress(MultifidusError):
            if table.suffix == ".tsv" and names_left_out(table):
                found += problems_of(table)
    return found


def images_given_twice(request: Request) -> list[str]:
    """Say which images a cohort table gives to several exams; paths are as in the table.

    Raises
    ------
    MultifidusError
        If the table cannot be read.
    """
    if not request.is_cohort:
        return []
    folder = request.exam[0].parent
    return [
        f"{name_from(path, folder)} is given to {in_words(owners)}: one image measured under "
        "several names. Check the column images."
        for path, owners in shared_images(read_cohort(request.exam[0]))
    ]


def said_of_subjects(request: Request) -> list[str]:
    """Say where a cohort table contradicts itself about a subject: order of exams, and height.

    Raises
    ------
    MultifidusError
        If the table cannot be read.
    """
    if not request.is_cohort:
        return []
    cohort = read_cohort(request.exam[0])
    return [*contradictions(cohort.cases), *heights_apart(cohort)]


def _names_patient(case: Case) -> bool:
    folder = case.folder or Path()
    files = (*case.images, *case.outlines, *case.landmarks)
    by = case.reading
    texts = [by.subject, by.timepoint, by.rater, *case.extra.values()]
    texts += [name_from(path, folder) for path in files]
    return any(names_patient(known, texts) for known in _known(case))


def _known(case: Case) -> Iterator[Identifiers]:
    """Read whom the images of a case name, from the first file that names anybody."""
    for image in case.images:
        with contextlib.suppress(MultifidusError):  # that it cannot be read, measuring will say
            found = [unpack(image, PEEKED)] if is_zip(image) else [image]
            for path in walk(found).files[:PEEKED]:
                known = read_identifiers(path)
                if known.patient_name or known.patient_id:
                    yield known
                    break


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
        subjects = {case.reading.subject for case in cohort.cases}
        remarks = (*cohort.remarks, *near_names("subject", subjects))
        return Run(outcomes, len(cohort.cases), remarks)
    if not request.outlines:
        msg = "Nothing to measure: no outlines are named."
        raise CohortError(msg, remedy="Give --outlines FILE, or a cohort.csv.")
    measured = _measure_one(request, protocol)
    return Run(iter(measured), len(measured))


def _measure_one(request: Request, protocol: MeasurementProtocol) -> list[Measured]:
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
