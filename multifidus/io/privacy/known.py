"""What is known of persons who must not be found: from headers of their scans, or a list."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from multifidus.errors import ReadError
from multifidus.io.files import reading
from multifidus.io.walk import is_zip, unpack, walk

if TYPE_CHECKING:
    from pydicom import Dataset


class Kind(Enum):
    """What an identifier is of."""

    NAME = "name of the patient"
    PATIENT_ID = "ID of the patient"
    BIRTH_DATE = "date of birth"
    CONTACT = "address or telephone number"
    EXAM_NUMBER = "number of the exam"
    EXAM_DATE = "date of the exam"
    STAFF = "physician or operator"
    PLACE = "institution"
    DEVICE = "scanner"
    COMMENT = "description or comment"
    LISTED = "identifier of your list"


PERSONS = frozenset({Kind.NAME, Kind.STAFF})
DATES = frozenset({Kind.BIRTH_DATE, Kind.EXAM_DATE})

ELEMENTS = {
    Kind.NAME: (
        "PatientName", "OtherPatientNames", "PatientBirthName", "PatientMotherBirthName",
        "ResponsiblePerson", "NamesOfIntendedRecipientsOfResults",
    ),
    Kind.PATIENT_ID: (
        "PatientID", "OtherPatientIDs", "MedicalRecordLocator", "AdmissionID",
        "InsurancePlanIdentification",
    ),
    Kind.BIRTH_DATE: ("PatientBirthDate",),
    Kind.CONTACT: (
        "PatientAddress", "PatientTelephoneNumbers", "PatientTelecomInformation",
        "PersonAddress", "PersonTelephoneNumbers", "CountryOfResidence", "RegionOfResidence",
    ),
    Kind.EXAM_NUMBER: (
        "AccessionNumber", "StudyID", "RequestedProcedureID", "ScheduledProcedureStepID",
        "PerformedProcedureStepID", "FillerOrderNumberImagingServiceRequest",
        "PlacerOrderNumberImagingServiceRequest",
    ),
    Kind.EXAM_DATE: ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"),
    Kind.STAFF: (
        "ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "PhysiciansOfRecord",
        "NameOfPhysiciansReadingStudy", "RequestingPhysician", "ConsultingPhysicianName",
        "ReviewerName", "VerifyingObserverName", "PersonName",
    ),
    Kind.PLACE: (
        "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName",
        "RequestingService", "CurrentPatientLocation", "PatientInstitutionResidence",
    ),
    Kind.DEVICE: ("StationName", "DeviceSerialNumber", "GantryID", "DeviceUID"),
    Kind.COMMENT: (
        "PatientComments", "StudyComments", "ImageComments", "AdditionalPatientHistory",
        "RequestedProcedureComments", "StudyDescription", "Occupation", "Allergies",
        "MedicalAlerts", "ReasonForStudy", "AdmittingDiagnosesDescription",
    ),
}  # fmt: skip
"""Elements of DICOM that identify a person or lead to one: those of table E.1-1 of PS3.15 (basic
application confidentiality profile) that headers of MRI hold as text."""

KIND_OF = {keyword: kind for kind, keywords in ELEMENTS.items() for keyword in keywords}

_EMPTY = {
    "",
    "anonymous",
    "anon",
    "anonymized",
    "anonymised",
    "unknown",
    "none",
    "removed",
    "n/a",
    "na",
    "deidentified",
}
"""What programs write in place of a name."""


@dataclass(frozen=True, slots=True, repr=False)
class Known:
    """An identifier that must not be found; it does not print itself."""

    kind: Kind
    text: str


def known_in(paths: Iterable[Path]) -> tuple[frozenset[Known], int]:
    """Collect the identifiers in scans: DICOM files and the JSON files beside NIfTI.

    Parameters
    ----------
    paths
        Files, folders and zip archives.

    Returns
    -------
    tuple
        What was found, each once, and the number of files that had any.

    Raises
    ------
    ReadError
        If a path does not exist.
    """
    found: set[Known] = set()
    count = 0
    for path in _files(paths):
        here = frozenset(_known_of(path))
        count += bool(here)
        found |= here
    return frozenset(found), count


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in walk(paths).files:
        if is_zip(path):
            yield from walk([unpack(path)]).files
        else:
            yield path


def listed_in(path: Path) -> frozenset[Known]:
    """Read a list of identifiers: names, numbers or dates, one a line.

    Raises
    ------
    ReadError
        If it cannot be read or names nobody.
    """
    with reading(path, "a list of identifiers"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    found = frozenset(Known(Kind.LISTED, line.strip()) for line in lines if line.strip())
    if not found:
        msg = f"{path} holds no identifier."
        raise ReadError(msg, remedy="Write one a line: a name, a number, a date.")
    return found


def _known_of(path: Path) -> Iterator[Known]:
    for kind, value in _named_in(path):
        for text in texts_in(value):
            if text.casefold() not in _EMPTY:
                yield Known(kind, text)


def _named_in(path: Path) -> Iterator[tuple[Kind, object]]:
    facts = _sidecar(path) if path.suffix.lower() == ".json" else None
    if facts is not None:
        yield from ((KIND_OF[name], value) for name, value in facts.items() if name in KIND_OF)
    elif (dataset := read_header(path)) is not None:
        yield from identifying(dataset)


def _sidecar(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def read_header(file: Path | BinaryIO) -> Dataset | None:
    """Read the header of a DICOM file, up to its pixels; None if it is none."""
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dcmread(file, stop_before_pixels=True)
    except Exception:  # noqa: BLE001 - any other file
        return None


def identifying(dataset: Dataset) -> Iterator[tuple[Kind, object]]:
    """Yield what a DICOM header says of persons, in its sequences as well."""
    from pydicom.datadict import keyword_for_tag

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for tag in dataset.keys():  # noqa: SIM118 - iterating converts every element
            kind = KIND_OF.get(keyword_for_tag(tag))
            element = value_of(dataset, tag)
            if element is None:
                continue
            if element.VR == "SQ":
                for item in element.value or ():
                    yield from identifying(item)
            elif kind is not None:
                yield kind, element.value
            elif element.VR == "PN":
                yield Kind.STAFF, element.value


def value_of(dataset: Dataset, tag: Any) -> Any:
    """Return an element of a header; None where it cannot be decoded."""
    try:
        return dataset[tag]
    except Exception:  # noqa: BLE001 - a value that cannot be decoded names nobody in clear text
        return None


def texts_in(value: object) -> Iterator[str]:
    """Yield the texts of a value of DICOM or JSON, which may hold several."""
    if value is None:
        return
    if isinstance(value, str) or not hasattr(value, "__iter__") or hasattr(value, "components"):
        text = "".join(sign for sign in str(value) if sign.isprintable()).strip()
        if text:
            yield text
        return
    for one in value:
        yield from texts_in(one)


def written_dates(text: str) -> tuple[str, ...]:
    """Return a date of DICOM (19700131) as people write it, and as it is."""
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return (text,)
    forms = (
        "%Y%m%d",
        "%Y-%m-%d",
        "%Y/%m/%d",
        "%Y.%m.%d",
        "%d.%m.%Y",
        "%d/%m/%Y",
        "%d-%m-%Y",
        "%m/%d/%Y",
        "%m-%d-%Y",
    )
    plain = f"{day.day}.{day.month}.{day.year}"
    return (*(day.strftime(form) for form in forms), plain)
