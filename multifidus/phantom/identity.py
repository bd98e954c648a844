"""Names, dates and UIDs of phantom exams: fixed or derived from what they name, never random."""

from __future__ import annotations

import datetime
import hashlib

from multifidus.phantom.spec import PhantomSpec, Variant

SUBJECT = "S01"
RATER = "AB"
SURGERY_DATE = datetime.date(2001, 3, 19)

_DATES = {
    Variant.HEALTHY: datetime.date(1999, 3, 8),
    Variant.PATIENT: datetime.date(2001, 3, 5),
    Variant.POST_OPEN: datetime.date(2002, 3, 25),
    Variant.POST_MIS: datetime.date(2002, 3, 25),
}


def exam_date(variant: Variant) -> datetime.date:
    """Date of the exam; after surgery a year later."""
    return _DATES[variant]


def timepoint(variant: Variant) -> str:
    """Time-point of the exam: ``post`` after surgery, else ``pre``."""
    return "post" if variant.is_postoperative else "pre"


def uid_of(spec: PhantomSpec, *path: object) -> str:
    """Derive a DICOM UID (below 2.25, at most 44 characters) from a spec and a path of names."""
    text = "/".join(map(str, ("multifidus phantom", repr(spec), *path)))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
    return f"2.25.{number}"


IMPLEMENTATION_UID = "2.25.302153480398361262164017398211036208841"
"""DICOM ImplementationClassUID of files that the phantom writes."""
