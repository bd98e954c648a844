"""What a DICOM file says about who was scanned and what for: read only for who asks to see it.

Nothing that reads images for measuring keeps these texts, so nothing can pass them on.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, repr=False)
class Identifiers:
    """Texts that may identify a person; empty where a file does not have them."""

    patient_id: str = ""
    patient_name: str = ""
    exam_description: str = ""
    series_description: str = ""


LETTERS_AT_LEAST = 4
"""Shorter parts of names and identifiers stand in paths by chance."""

DIGITS_AT_LEAST = 6
"""So do shorter numbers, as those that count images do."""

_BETWEEN = re.compile(r"[\^=,;.\s_-]+")

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


def names_patient(known: Identifiers, paths: Iterable[Path]) -> bool:
    """Whether a part of the patient's name or ID stands in one of the paths."""
    texts = _BETWEEN.split(_plain(f"{known.patient_name} {known.patient_id}"))
    parts = [part for part in texts if _tells(part)]
    return any(part in _plain(str(path)) for path in paths for part in parts)


def _tells(part: str) -> bool:
    return len(part) >= (DIGITS_AT_LEAST if part.isdigit() else LETTERS_AT_LEAST)


def _plain(text: str) -> str:
    """Return a text without case and accents, which folders are often named without."""
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part)).casefold()
