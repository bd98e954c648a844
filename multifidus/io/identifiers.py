"""What a DICOM file says about who was scanned and what for: read only for who asks to see it.

Nothing that reads images for measuring keeps these texts, so nothing can pass them on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, repr=False)
class Identifiers:
    """Texts that may identify a person; empty where a file does not have them."""

    patient_id: str = ""
    patient_name: str = ""
    exam_description: str = ""
    series_description: str = ""


_KEYWORDS = ("PatientID", "PatientName", "StudyDescription", "SeriesDescription")


def read_identifiers(path: Path) -> Identifiers:
    """Read the identifying texts of a DICOM file; those of any other file are empty."""
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dcmread(path, stop_before_pixels=True, specific_tags=list(_KEYWORDS))
            return Identifiers(*(_printable(found.get(keyword)) for keyword in _KEYWORDS))
    except Exception:  # noqa: BLE001 - a name that cannot be decoded must not stop a listing
        return Identifiers()


def _printable(value: object) -> str:
    """Return a value as text without characters that a terminal would obey."""
    text = "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable()).strip()
