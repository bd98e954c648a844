"""What a file says about who was scanned and what for: read only for who asks to see it.

Nothing that reads images for measuring keeps these texts, so nothing can pass them on.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Mapping, MutableSequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.io.bids.names import sidecar_path
from multifidus.io.dicom.syntax import begins_as_dicom
from multifidus.io.name_variants import finds_id, finds_name


@dataclass(frozen=True, slots=True, repr=False)
class Identifiers:
    """Texts that may identify a person; empty where a file does not have them.

    ``patient_name`` holds every way in which the header writes the name, joined by ``=``: letters,
    ideographs, sounds. ``other_names`` and ``other_ids`` are former ones, joined by ``=``.
    """

    patient_id: str = ""
    patient_name: str = ""
    exam_description: str = ""
    series_description: str = ""
    other_names: str = ""
    other_ids: str = ""
    patient_sex: str = ""
    patient_birth_date: str = ""


_KEYWORDS = ("PatientID", "PatientName", "StudyDescription", "SeriesDescription")

_OTHER_NAMES = ("OtherPatientNames", "PatientBirthName")

_OTHER_IDS = ("OtherPatientIDs", "PatientBirthDate")

_OF_THE_PERSON = ("PatientSex", "PatientBirthDate")

_VOLUMES = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)

_PAIR = re.compile(r"\.(hdr|img)$", re.IGNORECASE)
"""One of a pair of NIfTI files, whose names others use as well."""


def read_identifiers(path: Path) -> Identifiers:
    """Read the identifying texts of a DICOM file, or of the JSON file beside a NIfTI file.

    Those of any other file are empty.
    """
    found = _beside(path) if _VOLUMES.search(path.name) else _header(path)
    if not found and _PAIR.search(path.name):
        found = _beside(path)
    return Identifiers(
        *(_printable(found.get(keyword)) for keyword in _KEYWORDS),
        *(
            "=".join(filter(None, (_printable(found.get(keyword)) for keyword in keywords)))
            for keywords in (_OTHER_NAMES, _OTHER_IDS)
        ),
        *(_printable(found.get(keyword)) for keyword in _OF_THE_PERSON),
    )


def _header(path: Path) -> Mapping[str, Any]:
    from pydicom import dcmread

    asked = [*_KEYWORDS, *_OTHER_NAMES, *_OTHER_IDS, *_OF_THE_PERSON]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dcmread(
                path,
                stop_before_pixels=True,
                specific_tags=list(asked),
                force=begins_as_dicom(path),
            )
            return {keyword: _text(found.get(keyword)) for keyword in asked}
    except Exception:  # noqa: BLE001 - a name that cannot be decoded must not stop a listing
        return {}


def _beside(path: Path) -> Mapping[str, Any]:
    """Read the sidecar, into which converters write names by default."""
    try:
        facts = json.loads(sidecar_path(path).read_bytes())
    except (OSError, ValueError, RecursionError):  # a damaged one is reported where it is used
        return {}
    return facts if isinstance(facts, dict) else {}


def _text(value: object) -> str:
    """Return a value, or several, as one text."""
    if value is None:
        return ""
    # A person's name can be looped over as well, letter by letter.
    return "=".join(map(str, value)) if isinstance(value, MutableSequence) else str(value)


def _printable(value: object) -> str:
    """Return a value as text without characters that a terminal would obey."""
    text = "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable()).strip()


def names_patient(known: Identifiers, paths: Iterable[Path | str]) -> bool:
    """Whether the patient's name or ID, or a part of them, stands in one of the paths.

    A name is looked for in every way in which the header writes it, and as people write it who
    have no such letters: ``Mueller`` and ``Muller`` for ``Müller``.
    """
    texts = [str(path) for path in paths]
    names = [name for name in (known.patient_name, *known.other_names.split("=")) if name]
    numbers = [number for number in (known.patient_id, *known.other_ids.split("=")) if number]
    return any(
        any(finds_name(name, text) for name in names)
        or any(finds_id(number, text) for number in numbers)
        for text in texts
    )
