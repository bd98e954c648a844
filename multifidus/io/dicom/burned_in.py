"""Whether pixels may show text, such as a name: what headers say about it, and what they cannot."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

from multifidus.io.dicom.syntax import begins_as_dicom
from multifidus.io.walk import walk

_KEYWORDS = ("BurnedInAnnotation", "SOPClassUID", "Modality")

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
    return tuple(f"{count} {_files(count)}: {reason}" for reason, count in counts.items())


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def _reasons(path: Path) -> tuple[str, ...]:
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dcmread(
                path,
                stop_before_pixels=True,
                specific_tags=list(_KEYWORDS),
                force=begins_as_dicom(path),
            )
            text = {name: str(found.get(name, "")).strip().upper() for name in _KEYWORDS}
    except Exception:  # noqa: BLE001 - what cannot be read is reported where images are read
        return ()
    if text["BurnedInAnnotation"] == "YES":
        return (DECLARED,)
    if text["BurnedInAnnotation"] == "NO":
        return ()
    if text["SOPClassUID"].startswith(_SECONDARY):
        return (SECONDARY,)
    if text["Modality"] in {"", "OT", "SC"}:
        return (NO_MODALITY,)
    return ()
