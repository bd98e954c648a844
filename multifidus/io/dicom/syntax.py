"""How a DICOM file begins, and by that how its elements are written.

A file of DICOM's Part 10 begins with a preamble, a mark and file meta information, which names its
transfer syntax. Some programs leave out all of it, or the preamble alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.errors import ReadError

if TYPE_CHECKING:
    from pydicom.uid import UID

NOT_DICOM = "Not a DICOM file."
"""Why a file is refused that does not begin as DICOM does, with or without its preamble."""

_PREAMBLE_BYTES, _MARK = 128, b"DICM"

_FIRST_IN_GROUP = 0x0018
"""Data sets begin with one of the first elements of group 8: at the latest the image's own UID."""

_SHORT_FIRST = 256
"""The value of that first element, in bytes, is shorter."""

_VRS = frozenset(("AE", "CS", "DA", "DT", "LO", "SH", "SQ", "TM", "UI", "UL"))
"""What the first elements of group 8 are."""

_META_GROUP = 0x0002
_TRANSFER_SYNTAX = 0x00020010


@dataclass(frozen=True, slots=True)
class Syntax:
    """A transfer syntax: how elements and pixels are written.

    ``is_named`` is false where no header names it and the first element alone shows it.
    """

    uid: UID
    is_implicit: bool
    is_little_endian: bool
    is_compressed: bool
    is_named: bool = True

    @property
    def order(self) -> str:
        """The byte order of numbers: ``<`` or ``>``."""
        return "<" if self.is_little_endian else ">"


def begin(file: Any) -> Syntax:
    """Read up to the data set, over a preamble and file meta information where there are any."""
    head = file.read(_PREAMBLE_BYTES + len(_MARK))
    if head[_PREAMBLE_BYTES:] != _MARK:
        file.seek(0)
        syntax = bare_syntax(head)
        if syntax is not None:
            return syntax
        if not _begins_with_meta(head):
            raise ReadError(NOT_DICOM)
    from pydicom.filereader import data_element_generator

    wanted: list[Any] = [_TRANSFER_SYNTAX]
    meta = data_element_generator(
        file,
        is_implicit_VR=False,
        is_little_endian=True,
        stop_when=lambda tag, _vr, _length: tag >> 16 != _META_GROUP,
        specific_tags=wanted,
    )
    named = [element for element in meta if element.tag == _TRANSFER_SYNTAX]  # all are read over
    if not named:
        msg = "The file names no transfer syntax."
        raise ReadError(msg, remedy="Export it again as a DICOM file (Part 10).")
    return _syntax(bytes(named[0].value or b""))


def begins_as_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does, with its preamble or without.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_PREAMBLE_BYTES + len(_MARK))
    marked = head[_PREAMBLE_BYTES:] == _MARK
    return marked or _begins_with_meta(head) or bare_syntax(head) is not None


def _begins_with_meta(head: bytes) -> bool:
    """Whether a file begins with its file meta information, without the preamble before it."""
    return head[:2] == b"\2\0" and head[4:6] in {b"UL", b"OB", b"UI"}


def bare_syntax(head: bytes) -> Syntax | None:
    """Tell how a data set is written that has neither preamble nor file meta information.

    Parameters
    ----------
    head
        The first bytes of a file.

    Returns
    -------
    Syntax or None
        None where the file does not begin as such a data set does: with one of the first elements
        of group 8. Its pixels are taken to be as they are without compression, which is to be
        checked by their length.
    """
    if len(head) < 8:  # noqa: PLR2004 - a tag and a length
        return None
    has_vr = head[4:6].decode("latin-1") in _VRS
    for order in "<>":
        group, element = struct.unpack(f"{order}2H", head[:4])
        if group != 8 or element > _FIRST_IN_GROUP:  # noqa: PLR2004
            continue
        from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

        if has_vr:
            little = order == "<"
            uid = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            return Syntax(uid, False, little, False, False)  # noqa: FBT003
        if order == "<" and struct.unpack("<I", head[4:8])[0] <= _SHORT_FIRST:
            return Syntax(ImplicitVRLittleEndian, True, True, False, False)  # noqa: FBT003
    return None


@lru_cache(maxsize=32)
def _syntax(value: bytes) -> Syntax:
    from pydicom.config import IGNORE
    from pydicom.uid import UID

    uid = UID(value.decode("ascii", errors="replace").strip(" \0"), IGNORE)
    if not uid.is_transfer_syntax or uid.is_private:
        msg = f"Unknown transfer syntax {uid}."
        raise ReadError(msg)
    if uid.is_deflated:
        msg = "Deflated DICOM is not supported."
        raise ReadError(msg)
    return Syntax(uid, uid.is_implicit_VR, uid.is_little_endian, uid.is_compressed)
