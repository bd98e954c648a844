"""What a file is that no reader reads: recognised by its first bytes, with what to do about it.

Folders from scanners, archives and colleagues hold reports, pictures, programs and images in other
formats. Each is named for what it is, so that nobody looks for a fault in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from multifidus.io.files import reading

HEAD_BYTES = 1024
"""What is read of a file: the furthest mark stands at 344."""

_EXPORT = "Export the images themselves as DICOM."
_UNPACK = "Unpack it, and give the folder."
_CONVERT = "Convert it to NIfTI, or export DICOM."


@dataclass(frozen=True, slots=True)
class _Kind:
    """A mark in the first bytes, what has it, and what to do with that; empty where nothing."""

    mark: bytes
    what: str
    remedy: str = ""
    at: int = 0


_KINDS = (
    _Kind(b"%PDF", "A PDF document, no image."),
    _Kind(b"{\\rtf", "A text document (RTF), no image."),
    _Kind(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "An Office document or a list of thumbnails."),
    _Kind(b"\xff\xd8\xff", "A JPEG picture, which does not say how large its pixels are.", _EXPORT),
    _Kind(b"\x89PNG\r\n", "A PNG picture, which does not say where it lies.", _EXPORT),
    _Kind(b"GIF8", "A GIF picture, which does not say how large its pixels are.", _EXPORT),
    _Kind(b"II*\0", "A TIFF picture, which does not say where it lies.", _EXPORT),
    _Kind(b"MM\0*", "A TIFF picture, which does not say where it lies.", _EXPORT),
    _Kind(b"BM", "A BMP picture, which does not say where it lies.", _EXPORT),
    _Kind(b"\0\0\1\0", "An icon, no image."),
    _Kind(b"ftyp", "A film, no image that can be measured.", _EXPORT, at=4),
    _Kind(b"AVI ", "A film, no image that can be measured.", _EXPORT, at=8),
    _Kind(b"\x30\x26\xb2\x75", "A film, no image that can be measured.", _EXPORT),
    _Kind(b"Rar!", "A RAR archive, which is not looked into.", _UNPACK),
    _Kind(b"7z\xbc\xaf\x27\x1c", "A 7z archive, which is not looked into.", _UNPACK),
    _Kind(b"ustar", "A tar archive, which is not looked into.", _UNPACK, at=257),
    _Kind(b"BZh", "A bzip2 file, which is not looked into.", _UNPACK),
    _Kind(b"\xfd7zXZ\0", "An xz file, which is not looked into.", _UNPACK),
    _Kind(b"MZ", "A Windows program, as of the viewer on a disc."),
    _Kind(b"\x7fELF", "A program."),
    _Kind(b"\xca\xfe\xba\xbe", "A program."),
    _Kind(b"SQLite format 3\0", "A database (SQLite), no image."),
    _Kind(b"\0\x05\x16\x07", "What macOS keeps beside a file; no image of its own."),
    _Kind(b"\0\0\0\1Bud1", "What macOS keeps about a folder (.DS_Store), no image."),
    _Kind(b"n+1\0", "A NIfTI file whose name does not say so.", "Name it .nii.", at=344),
    _Kind(b"n+2\0", "A NIfTI file whose name does not say so.", "Name it .nii.", at=4),
    _Kind(b"ni1\0", "The header of a NIfTI pair.", "Name it .hdr, beside its .img.", at=344),
    _Kind(b"NRRD000", "An NRRD file whose name does not say so.", "Name it .nrrd or .nhdr."),
    _Kind(b"ObjectType", "A MetaImage header whose name does not say so.", "Name it .mhd or .mha."),
    _Kind(b"\x5c\1\0\0", "An ANALYZE 7.5 header, which does not tell left from right.", _CONVERT),
    _Kind(b"\0\0\1\x5c", "An ANALYZE 7.5 header, which does not tell left from right.", _CONVERT),
    _Kind(b"\x89HDF\r\n", "An HDF5 file (such as MINC, MATLAB or raw data).", _CONVERT),
    _Kind(b"CDF\1", "A netCDF file, such as MINC.", _CONVERT),
    _Kind(b"MATLAB", "A MATLAB file.", _CONVERT),
    _Kind(b"\x93NUMPY", "A NumPy array, which does not say where it lies.", _CONVERT),
    _Kind(b"IMGF", "A GE Signa image of before DICOM.", "Convert it to DICOM or NIfTI."),
    _Kind(b"SIEMENS", "A Siemens image of before DICOM.", "Convert it to DICOM or NIfTI.", at=96),
    _Kind(b"DICM", "DICOM whose preamble is not whole.", "Export it again as a DICOM file."),
    _Kind(b"\x08\0", "Begins as DICOM without its preamble does, and holds no image.", _EXPORT),
    _Kind(b"# === DATA DESCRIPTION FILE", "The text of a Philips PAR/REC pair.", _CONVERT),
    _Kind(b"##TITLE", "A Bruker parameter file.", _CONVERT),
    _Kind(b"raw_image_stack_by_hpeng", "A Vaa3D stack, without a place.", _CONVERT),
    _Kind(b"<?xml", "A text file (XML), no image."),
    _Kind(b"<html", "A web page, no image."),
    _Kind(b"<!DOCTYPE html", "A web page, no image."),
)
"""Marks of kinds, the longest and the surest before those that others may begin with."""

_MGZ = "A FreeSurfer volume.", "Convert it: mri_convert in.mgz out.nii.gz."
_REC = "The voxels of a Philips PAR/REC pair.", _CONVERT
_IMG = "The voxels of an image whose header (.hdr) is not beside it or not NIfTI's.", _CONVERT

_BY_NAME = {".mgz": _MGZ, ".mgh": _MGZ, ".mgh.gz": _MGZ, ".rec": _REC, ".img": _IMG}
"""Kinds without a mark of their own, which their names alone tell."""

_SURE_MARK = 4
"""Letters that no text begins with by chance."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK\3\4"

_OFFICE = (b"word/", b"xl/", b"ppt/", b"[Content_Types].xml", b"mimetypeapplication/vnd.oasis")
"""Names at the beginning of the zip archives that Office documents are."""


def describe_file(path: Path) -> str:
    """Say what a file is that is neither DICOM nor a file of volumes, and what to do.

    Parameters
    ----------
    path
        A file; its first bytes are read.

    Raises
    ------
    ReadError
        If it cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "report.dcm"
    >>> _ = path.write_bytes(b"%PDF-1.7")
    >>> describe_file(path)
    'A PDF document, no image.'
    """
    with reading(path, "a file"), path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    for tell in _TELLERS:
        found = tell(path, head)
        if found is not None:
            return " ".join(found).strip()
    return (
        "Neither DICOM nor in another format that is known. If it is an image, export it as DICOM."
    )


Told = tuple[str, str] | None


def _empty(_path: Path, head: bytes) -> Told:
    return None if head else ("An empty file.", "Copy or export it again.")


def _by_name(path: Path, head: bytes) -> Told:
    name = path.name.lower()
    told = next((told for suffix, told in _BY_NAME.items() if name.endswith(suffix)), None)
    return None if told is None or _is_text(head) else told


def _packed(path: Path, head: bytes) -> Told:
    if head.startswith(_GZIP):
        return "A gzip file, which is not looked into.", "Unpack it (gunzip)."
    if not head.startswith(_ZIP):
        return None
    if any(name in head for name in _OFFICE):
        return "An Office document, no image.", ""
    why = "damaged or cut short" if path.suffix.lower() == ".zip" else "not named .zip"
    return f"A zip archive that is {why}.", _UNPACK


def _by_mark(_path: Path, head: bytes) -> Told:
    # Two or three letters may begin any text.
    least = _SURE_MARK if _is_text(head) else 1
    for kind in _KINDS:
        if len(kind.mark) >= least and head.startswith(kind.mark, kind.at):
            return kind.what, kind.remedy
    return None


def _text(_path: Path, head: bytes) -> Told:
    return ("A text file, no image.", "") if _is_text(head) else None


def _is_text(head: bytes) -> bool:
    """Whether bytes are text: without control characters, or of 16 bits with its mark."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    return not any(byte < 9 or 13 < byte < 32 for byte in head)  # noqa: PLR2004 - but for spaces


_TELLERS: tuple[Callable[[Path, bytes], Told], ...] = (
    _empty,
    _by_name,
    _packed,
    _by_mark,
    _text,
)
