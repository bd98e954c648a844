"""What is to be known of a cohort table before its results are passed on, in sentences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from multifidus.data.cells import near_names
from multifidus.data.cohort import Case, Cohort, heights_apart, shared_images
from multifidus.errors import MultifidusError
from multifidus.io.archive import is_zip, unpack
from multifidus.io.bids.labels import problems_of
from multifidus.io.files import name_from
from multifidus.io.identifiers import Identifiers, names_patient, read_identifiers
from multifidus.io.label_names import names_left_out
from multifidus.io.scan_result import in_words
from multifidus.io.walk import walk
from multifidus.study.exam_order import contradictions

NAMED_AFTER_PATIENTS = (
    "The cohort table carries names or IDs of patients, and results repeat what it says: rename "
    "folders and subjects before either leaves the hospital."
)

PEEKED = 10
"""Files of a folder of images that are asked whom they show, before that is taken as unsaid."""


def cohort_remarks(cohort: Cohort) -> Iterator[str]:
    """Yield what may be wrong in a cohort table; images are opened for whom they name alone."""
    yield from cohort.remarks
    yield from near_names("subject", {case.reading.subject for case in cohort.cases})
    # Says no more than that: results repeat what the table names files and subjects by.
    if any(map(_names_patient, cohort.cases)):
        yield NAMED_AFTER_PATIENTS
    yield from labels_left_out(case.labels for case in cohort.cases)
    for path, owners in shared_images(cohort):
        folder = cohort.cases[0].folder or Path()
        yield (
            f"{name_from(path, folder)} is given to {in_words(owners)}: one image measured under "
            "several names. Check the column images."
        )
    yield from contradictions(cohort.cases)
    yield from heights_apart(cohort)


def labels_left_out(schemes: Iterable[str | None]) -> list[str]:
    """Say which names of label schemes are of nothing that is measured."""
    names = [name for scheme in schemes for name in (scheme or "").split(";")]
    found: list[str] = []
    for table in dict.fromkeys(map(Path, names)):
        # What is wrong with one, its cases say.
        with contextlib.suppress(MultifidusError):
            if table.suffix == ".tsv" and names_left_out(table):
                found += problems_of(table)
    return found


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
