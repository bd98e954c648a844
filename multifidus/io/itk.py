"""NRRD and MetaImage, the files of ITK and 3D Slicer: one grid a file, one volume or several.

Their headers are lines of text. SimpleITK is not asked to read them: it ends the process at some
damaged headers, ignores other units than millimetres, fills in what is left out, and returns memory
that nothing was written to where the zipped voxels of a MetaImage are damaged.

Formats: https://teem.sourceforge.net/nrrd/format.html and
https://itk.org/Wiki/ITK/MetaIO/Documentation.
"""

from __future__ import annotations

import hashlib
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from multifidus.data.image import Series
from multifidus.errors import ReadError
from multifidus.io.files import content_sha256, named_path, reading
from multifidus.io.grid import (
    UID_DIGITS,
    VoxelGrid,
    check_affine,
    check_left,
    check_size,
    only,
    series_of_volumes,
    volumes,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

NRRD_SUFFIXES = (".nrrd", ".nhdr")
META_SUFFIXES = (".mha", ".mhd")

HEADER_BYTES = 64 * 1024
"""Longer headers are refused: those of an image take less than a tenth of it."""

_END_OF_NRRD = re.compile(rb"\r?\n\r?\n")
_END_OF_META = re.compile(rb"^ElementDataFile[ \t]*=[^\n]*(?:\n|\Z)", re.MULTILINE)

_NRRD_TYPES = {
    "i1": "signed char|int8|int8_t",
    "u1": "uchar|unsigned char|uint8|uint8_t",
    "i2": "short|short int|signed short|signed short int|int16|int16_t",
    "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "i4": "int|signed int|int32|int32_t",
    "u4": "uint|unsigned int|uint32|uint32_t",
    "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "f4": "float",
    "f8": "double",
}
_NRRD_TYPE = {name: code for code, names in _NRRD_TYPES.items() for name in names.split("|")}
_META_TYPE = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4",
    "MET_UINT": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip

_TO_LPS = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
"""Spaces of NRRD that are a patient's: what turns their axes into LPS."""

_AXIS = re.compile(r"none|\(([^()]*)\)")

_DATA_FIELDS = ("data file", "datafile")
_SKIPS = ("byte skip", "byteskip", "line skip", "lineskip")
_QUANTISED = ("old min", "oldmin", "old max", "oldmax")

_ORDERS: Mapping[str, Literal["<", ">"]] = {"little": "<", "big": ">"}
_ENCODINGS = {"raw": False, "gzip": True, "gz": True}
_HIGH_FIRST = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")
_PLACED_BY = (
    ("TransformMatrix", "Rotation", "Orientation"),
    ("Offset", "Position", "Origin"),
    ("ElementSpacing",),
)
"""Fields of MetaImage that say where an image lies, each under any of its names."""


def is_itk(path: Path) -> bool:
    """Whether a file's name ends as those of NRRD and MetaImage do."""
    return path.suffix.lower() in NRRD_SUFFIXES + META_SUFFIXES


@dataclass(frozen=True, slots=True)
class _Header:
    """What a header says, whichever of the two formats it is in.

    Attributes
    ----------
    affine
        4x4, from indices along the three axes of space to LPS millimetres.
    sizes
        Voxels along each axis, the fastest first.
    counted
        The axis that counts volumes; None in a file of one.
    stored
        Type of the voxels, in the byte order of the file.
    data, offset
        The file of the voxels, and the byte at which they begin.
    """

    affine: Array
    sizes: tuple[int, ...]
    counted: int | None
    stored: np.dtype[Any]
    zipped: bool
    data: Path
    offset: int

    @property
    def needed(self) -> int:
        """Bytes of the voxels."""
        return math.prod(self.sizes) * self.stored.itemsize


def open_itk(path: Path) -> tuple[VoxelGrid, ...]:
    """Read the header of an NRRD or MetaImage file; one grid for each of its volumes.

    Raises
    ------
    ReadError
        If it is damaged, not of volumes of single numbers, in another unit or space, does not say
        where it lies, or names a file elsewhere for its voxels.
    GeometryError
        If its axes lie in one plane.
    """
    with reading(path, "an image"):
        header = _read_header(path)
        check_size(header.data, header.needed, zipped=header.zipped)
        left = header.data.stat().st_size - header.offset - header.needed
    if not header.zipped:  # what is zipped is counted when it is unzipped
        check_left(path, left, min(header.sizes[:2]) * header.stored.itemsize)
    shape = tuple(size for axis, size in enumerate(header.sizes) if axis != header.counted)
    check_affine(header.affine, shape, path)
    grid = VoxelGrid(
        path,
        header.affine,
        (shape[0], shape[1], shape[2]),
        (str(header.stored.newbyteorder("=")), 1.0, 0.0),
        lambda: _voxels(path, header),
    )
    return volumes(grid, 1 if header.counted is None else header.sizes[header.counted])


def open_itk_volume(path: Path) -> VoxelGrid:
    """Read the header of a file of one volume; errors as of :func:`open_itk`."""
    return only(open_itk(path), path)


def read_itk(path: Path) -> tuple[Series, ...]:
    """Read an NRRD or MetaImage file as one series a volume, named as those of NIfTI are.

    Raises
    ------
    ReadError, GeometryError
        As :func:`open_itk`.
    """
    grids = open_itk(path)
    # A header alone is the same for every image of a protocol, so both files make the name.
    hashed = dict.fromkeys((path, _read_header(path).data))
    content = "".join(content_sha256(part) for part in hashed)
    if len(hashed) > 1:
        content = hashlib.sha256(content.encode()).hexdigest()
    return series_of_volumes(grids, content[:UID_DIGITS])


def data_file(path: Path) -> Path | None:
    """Return the file that holds the voxels of a header of its own; None for any other file."""
    try:
        with reading(path, "an image"):
            data = _read_header(path).data
    except ReadError:
        return None
    return None if data == path else data


def _refused(path: Path, why: str, remedy: str = "Export it again.") -> ReadError:
    return ReadError(f"{path} {why}.", remedy=remedy)


def _read_header(path: Path) -> _Header:
    with path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    try:
        if path.suffix.lower() in NRRD_SUFFIXES:
            return _nrrd_header(path, head)
        return _meta_header(path, head)
    except (KeyError, ValueError) as error:
        missing = f"lacks the field {error}" if isinstance(error, KeyError) else f"holds {error}"
        raise _refused(path, f"has a header that {missing}") from error


def _nrrd_header(path: Path, head: bytes) -> _Header:
    end = _END_OF_NRRD.search(head)
    detached = path.suffix.lower() == ".nhdr"
    if not head.startswith(b"NRRD000") or (end is None and not detached):
        raise _refused(path, "is not a readable NRRD file")
    lines = head[: end.start() if end else None].decode("latin-1").splitlines()[1:]
    plain = [line for line in lines if not line.startswith("#") and ":=" not in line]
    fields = _fields(path, plain, ":")
    sizes = _whole(fields["sizes"])
    if fields["dimension"] != str(len(sizes)):
        raise _refused(path, f"has {fields['dimension']} dimensions and sizes {fields['sizes']}")
    counted = _counted_axis(path, fields, len(sizes))
    if any(fields.get(name, "0") != "0" for name in _SKIPS):
        raise _refused(path, "holds other things before its voxels")
    if any(name in fields for name in _QUANTISED):
        raise _refused(path, "holds voxels that stand for others (old min, old max)")
    stored = _NRRD_TYPE.get(fields["type"].lower())
    encoding = fields["encoding"].lower()
    if stored is None or encoding not in _ENCODINGS or min(sizes) < 1:
        why = f"holds {fields['type']} encoded as {encoding} in sizes {fields['sizes']}"
        raise _refused(path, why, "Save it as plain numbers, raw or gzip.")
    order = _ORDERS[fields["endian"].lower() if np.dtype(stored).itemsize > 1 else "little"]
    named = next((fields[name] for name in _DATA_FIELDS if name in fields), "")
    if detached and not named:
        raise _refused(path, "names no file of voxels")
    return _Header(
        affine=_nrrd_affine(path, fields),
        sizes=sizes,
        counted=counted,
        stored=np.dtype(stored).newbyteorder(order),
        zipped=_ENCODINGS[encoding],
        data=_beside(path, named) if named else path,
        offset=0 if named or end is None else end.end(),
    )


def _nrrd_affine(path: Path, fields: Mapping[str, str]) -> Array:
    space = fields.get("space", "unknown").lower()
    if space not in _TO_LPS:
        raise _refused(path, f"lies in the space {space!r}, which is no patient's")
    if set(re.findall(r'"([^"]*)"', fields.get("space units", ""))) - {"mm", ""}:
        raise _refused(path, f"is measured in {fields['space units']}, not in mm")
    places = f"{fields['space directions']} {fields['space origin']}"
    vectors = [_numbers(text, ",", 3) for text in _AXIS.findall(places) if text]
    affine = np.eye(4)
    affine[:3] = np.array(_TO_LPS[space])[:, None] * np.array(vectors).T
    return affine


def _counted_axis(path: Path, fields: Mapping[str, str], count: int) -> int | None:
    """Return the axis of an NRRD file that lies in no direction; None where there is none."""
    directions = fields.get("space directions", "")
    axes = [found[0] for found in _AXIS.finditer(directions)]
    placed = len(axes) == count and not _AXIS.sub("", directions).strip()
    if not placed or not _AXIS.fullmatch(fields.get("space origin", "")):
        raise _refused(path, "does not say where it lies: it has no space directions and origin")
    counted = [axis for axis, direction in enumerate(axes) if direction == "none"]
    if count - len(counted) != 3 or len(counted) > 1:  # noqa: PLR2004
        raise _refused(path, f"has the sizes {fields['sizes']}; only volumes are read")
    kinds = fields.get("kinds", "").lower().split()
    if counted and (len(kinds) != count or kinds[counted[0]] != "list"):
        raise _refused(path, "holds vectors or colours, or does not say which", "Export its parts.")
    return counted[0] if counted else None


def _meta_header(path: Path, head: bytes) -> _Header:
    end = _END_OF_META.search(head)
    if end is None:
        raise _refused(path, "is not a readable MetaImage file")
    fields = _fields(path, head[: end.end()].decode("latin-1").splitlines(), "=")
    sizes = _whole(fields["DimSize"])
    if len(sizes) not in {3, 4} or min(sizes) < 1 or fields["NDims"] != str(len(sizes)):
        raise _refused(path, f"has the sizes {fields['DimSize']}; only volumes are read")
    affine = _meta_affine(path, fields, len(sizes))
    if fields.get("DistanceUnits", "mm").lower() not in {"mm", "?", "unknown", ""}:
        raise _refused(path, f"is measured in {fields['DistanceUnits']}, not in mm")
    if int(fields.get("ElementNumberOfChannels", "1")) != 1:
        raise _refused(path, "holds vectors or colours", "Export its parts.")
    if int(fields.get("HeaderSize", "0")) != 0:
        raise _refused(path, "holds other things before its voxels")
    slope = float(fields.get("ElementToIntensityFunctionSlope", "1"))
    offset = float(fields.get("ElementToIntensityFunctionOffset", "0"))
    if (slope, offset) != (1.0, 0.0):
        raise _refused(path, "rescales its voxels, on which its readers do not agree")
    stored = _META_TYPE.get(fields["ElementType"])
    if stored is None or not _is_true(fields, "BinaryData"):
        why = f"holds {fields['ElementType']} in text or a type of its own"
        raise _refused(path, why, "Save it as plain binary numbers.")
    named = fields["ElementDataFile"]
    data = path if named.upper() == "LOCAL" else _beside(path, named)
    high = any(_is_true(fields, name) for name in _HIGH_FIRST)
    return _Header(
        affine=affine,
        sizes=sizes,
        counted=3 if len(sizes) > 3 else None,  # noqa: PLR2004
        stored=np.dtype(stored).newbyteorder(">" if high else "<"),
        zipped=_is_true(fields, "CompressedData"),
        data=data,
        offset=end.end() if data == path else 0,
    )


def _meta_affine(path: Path, fields: Mapping[str, str], count: int) -> Array:
    """Return where a MetaImage lies; it may be placed by one name of a fact, not by two."""
    named = [[fields[name] for name in names if name in fields] for names in _PLACED_BY]
    if any(len(found) != 1 for found in named):
        raise _refused(path, "does not say where it lies: its spacing, offset or directions")
    (turned,), (offset,), (spaced,) = named
    directions = np.array(_numbers(turned, None, count * count)).reshape(count, count).T
    spacing = np.array(_numbers(spaced, None, count))
    if directions[3:, :3].any() or directions[:3, 3:].any():
        raise _refused(path, "mixes space with the count of its volumes")
    if not (spacing > 0).all():
        raise _refused(path, f"has the spacing {spaced}")
    affine = np.eye(4)
    with np.errstate(all="ignore"):  # what is not finite is refused with the affine
        affine[:3, :3] = directions[:3, :3] * spacing[:3]
    affine[:3, 3] = _numbers(offset, None, count)[:3]
    return affine


def _whole(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in text.split())


def _numbers(text: str, between: str | None, count: int) -> Sequence[float]:
    numbers = [float(part) for part in text.split(between)]
    if len(numbers) != count:
        msg = f"{text!r} where {count} numbers are expected"
        raise ValueError(msg)
    return numbers


def _is_true(fields: Mapping[str, str], name: str) -> bool:
    return fields.get(name, "")[:1] in {"T", "t", "1"}


def _fields(path: Path, lines: list[str], mark: str) -> Mapping[str, str]:
    fields: dict[str, str] = {}
    for line in filter(str.strip, lines):
        name, found, value = line.partition(mark)
        name = name.strip() if mark == "=" else name.strip().lower()
        if not found or name in fields:
            raise _refused(path, f"has a damaged header: {line[:60]!r}")
        fields[name] = value.strip()
    return fields


def _beside(path: Path, name: str) -> Path:
    """Return the file of voxels that a header names: it has to lie in the header's own folder.

    Raises
    ------
    ReadError
        If it lies elsewhere, which could be anywhere, or there are several.
    """
    parts = PureWindowsPath(name).parts  # which knows both kinds of separators
    if not parts or PureWindowsPath(name).anchor or name[:1] == "~" or ".." in parts:
        raise _refused(path, f"names a file elsewhere for its voxels: {name!r}")
    if "%" in name or parts[0] == "LIST":
        raise _refused(path, "has its voxels in several files", "Save it as one file.")
    data = named_path(name, path.parent)
    if not data.is_file():
        raise _refused(path, f"names a file for its voxels that is not there: {name!r}")
    return data


def _voxels(path: Path, header: _Header) -> NDArray[Any]:
    """Return the stored voxels, (i, j, k, volume), in the byte order of this machine."""
    with reading(path, "voxels"), header.data.open("rb") as file:
        file.seek(header.offset)
        data = file.read(-1 if header.zipped else header.needed)
    if header.zipped:
        data = _inflated(path, data, header.needed)
    if len(data) != header.needed:
        raise _refused(path, f"is cut short: it holds {len(data)} of {header.needed} bytes")
    stored = np.frombuffer(data, header.stored).reshape(header.sizes, order="F")
    if header.counted is not None:
        stored = np.moveaxis(stored, header.counted, 3)
    voxels = stored.reshape(*stored.shape[:3], -1)
    return voxels.astype(header.stored.newbyteorder("="), copy=False)


def _inflated(path: Path, data: bytes, needed: int) -> bytes:
    """Unzip to the bytes that a header asks for; the sum at the end of the stream is checked."""
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # which tells gzip and zlib apart
    try:
        voxels = inflate.decompress(data, needed)
        more = b"" if inflate.eof else inflate.decompress(inflate.unconsumed_tail, 1)
    except zlib.error as error:
        raise _refused(path, f"has damaged voxels: {error}") from error
    if more or not inflate.eof:
        raise _refused(path, f"is cut short, or holds more than {needed} bytes of voxels")
    return voxels
