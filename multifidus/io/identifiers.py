"""What a file says about who was scanned and what for, and whether its pixels may say it.

Read only for who asks to see it: nothing that reads images for measuring keeps these texts, so
nothing can pass them on.
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
from multifidus.io.name_variants import Text, Wanted
from multifidus.io.walk import walk


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

_ASKED = (*_KEYWORDS, *_OTHER_NAMES, *_OTHER_IDS, *_OF_THE_PERSON)

_VOLUMES = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)

_PAIR = re.compile(r"\.(hdr|img)$", re.IGNORECASE)
"""One of a pair of NIfTI files, whose names others use as well."""


def read_identifiers(path: Path) -> Identifiers:
    """Read the identifying texts of a DICOM file, or of the JSON file beside a NIfTI file.

    Those of any other file are empty.
    """
    found = _beside(path) if _VOLUMES.search(path.name) else _header(path, _ASKED)
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


def _header(path: Path, keywords: tuple[str, ...]) -> Mapping[str, str]:
    """Read elements of a DICOM header as text; nothing where it cannot be read."""
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dcmread(
                path,
                stop_before_pixels=True,
                specific_tags=list(keywords),
                force=begins_as_dicom(path),
            )
            return {keyword: _text(found.get(keyword)) for keyword in keywords}
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
    names = [name for name in (known.patient_name, *known.other_names.split("=")) if name]
    numbers = [number for number in (known.patient_id, *known.other_ids.split("=")) if number]
    wanted = (*map(Wanted.name, names), *map(Wanted.identifier, numbers))
    return any(any(one.is_in(text) for one in wanted) for text in map(Text, map(str, paths)))


_OF_PIXELS = ("BurnedInAnnotation", "SOPClassUID", "Modality")

_SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
"""Prefix of the SOP classes of secondary captures: screenshots, films, pictures of pictures."""

DECLARED = "headers declare text in the pixels (BurnedInAnnotation YES)"
SECONDARY = "secondary captures, of which headers do not say whether text is in the pixels"
NO_MODALITY = "DICOM files of no stated modality, which may be pictures of pictures"


def burned_in(paths: Iterable[Path]) -> tuple[str, ...]:
    """Say why pixels of an exam may show text; nothing where no header gives cause.

    That is no proof of the opposite: most scanners leave the field out, and NIfTI, NRRD and
    MetaImage have none. No file is named, since names may tell a person.

    Raises
    ------
    ReadError
        If a path does not exist.
    """
    counts: dict[str, int] = {}
    for path in walk(paths).files:
        for reason in _reasons(path):
            counts[reason] = counts.get(reason, 0) + 1
    return tuple(
        f"{count} {'file' if count == 1 else 'files'}: {reason}" for reason, count in counts.items()
    )


def _reasons(path: Path) -> tuple[str, ...]:
    # What cannot be read is reported where images are read.
    text = {name: value.strip().upper() for name, value in _header(path, _OF_PIXELS).items()}
    if not text or text["BurnedInAnnotation"] == "NO":
        return ()
    if text["BurnedInAnnotation"] == "YES":
        return (DECLARED,)
    if text["SOPClassUID"].startswith(_SECONDARY):
        return (SECONDARY,)
    if text["Modality"] in {"", "OT", "SC"}:
        return (NO_MODALITY,)
    return ()
