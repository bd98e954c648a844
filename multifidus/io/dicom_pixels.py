"""Where the pixels of a DICOM file are, and how to get them when they are wanted."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from multifidus.errors import ReadError
from multifidus.io.dicom_header import PIXEL_DATA, Header
from multifidus.io.files import reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.uid import UID

_LONG_HEADER = 12
_LONG_VRS = (b"OB", b"OW", b"UN")

MISSING_CODEC = 'Install the decoders: pip install "multifidus[dicom]".'


@dataclass(slots=True)
class PixelSource:
    """The pixels of one file, read when they are first asked for.

    Parameters
    ----------
    path, frames, shape
        The file, its number of frames, and (rows, columns) of each.
    dtype
        Of the stored pixels.
    unused_bits
        Bits above the stored ones, which may hold other things and are cleared.
    offset
        Byte at which uncompressed pixels begin; None where a decoder is needed.
    """

    path: Path
    frames: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    unused_bits: int
    offset: int | None
    _decoded: NDArray[Any] | None = field(default=None, init=False)
    _lock: Any = field(default_factory=threading.Lock, init=False)

    def read(self, frame: int) -> NDArray[Any]:
        """Return the stored pixels of a frame (counted from 0), shape (rows, columns)."""
        if self.offset is None:
            pixels = self._decode()[frame]
        else:
            count = self.shape[0] * self.shape[1]
            start = self.offset + frame * count * self.dtype.itemsize
            with reading(self.path, "DICOM pixels"):
                flat = np.fromfile(self.path, self.dtype, count, offset=start)
            if len(flat) != count:
                msg = f"{self.path} was cut short after its header was read."
                raise ReadError(msg)
            pixels = flat.reshape(self.shape)
        if self.unused_bits and _reaches(pixels, self.unused_bits):
            # Shifting up and down clears the unused bits, and spreads the sign where there is one.
            pixels = np.left_shift(pixels, self.unused_bits)
            np.right_shift(pixels, self.unused_bits, out=pixels)
        return np.asarray(pixels)

    def _decode(self) -> NDArray[Any]:
        """Decode all frames once; compressed frames cannot be found without reading all before."""
        from pydicom.pixels.utils import pixel_array

        with self._lock:
            if self._decoded is None:
                try:
                    decoded = pixel_array(self.path, raw=True)
                except Exception as error:  # decoders raise whatever a damaged stream makes them
                    without = "missing dependencies" in str(error)
                    remedy = MISSING_CODEC if without else "Export the image again, uncompressed."
                    msg = f"Cannot decode the pixels of {self.path}: {error}."
                    raise ReadError(msg, remedy=remedy) from error
                self._decoded = decoded.reshape(self.frames, *self.shape)
        return self._decoded


def _reaches(pixels: NDArray[Any], unused_bits: int) -> bool:
    """Whether any pixel has one of its highest bits set."""
    limit = np.iinfo(pixels.dtype).max >> unused_bits
    signed = pixels.dtype.kind == "i"
    return bool(pixels.max() > limit or (signed and pixels.min() < -limit - 1))


def locate_pixels(header: Header, syntax: UID, file: BinaryIO, path: Path) -> PixelSource:
    """Find the pixels of a file whose header was just read up to them.

    Raises
    ------
    ReadError
        If there are none, they are not single-channel, or the file ends before they do.
    """
    rows, columns = header.integer("Rows"), header.integer("Columns")
    frames = header.integer("NumberOfFrames", 1)
    if rows < 1 or columns < 1 or frames < 1:
        msg = "No image in this file."
        raise ReadError(msg)
    dtype, unused_bits = _stored_type(header)
    length, offset = _pixel_element(file, explicit=not syntax.is_implicit_VR, order=header.order)
    if syntax.is_compressed:
        return PixelSource(path, frames, (rows, columns), dtype, 0, None)
    needed = frames * rows * columns * dtype.itemsize
    available = min(length, path.stat().st_size - offset)
    if available < needed:
        msg = f"Truncated: {needed - available} of {needed} bytes of pixels are missing."
        raise ReadError(msg)
    return PixelSource(path, frames, (rows, columns), dtype, unused_bits, offset)


def _stored_type(header: Header) -> tuple[np.dtype[Any], int]:
    """Return the type of the stored pixels and how many of their highest bits are unused."""
    allocated = header.integer("BitsAllocated")
    stored = header.integer("BitsStored", allocated)
    if header.integer("SamplesPerPixel", 1) != 1 or allocated not in {8, 16, 32}:
        msg = f"Not a grey-scale image of 8, 16 or 32 bits (bits allocated: {allocated})."
        raise ReadError(msg)
    high = header.integer("HighBit", stored - 1)
    if high != stored - 1 or not 0 < stored <= allocated:
        msg = f"Pixels of {stored} bits of {allocated} with high bit {high} are not supported."
        raise ReadError(msg)
    kind = "i" if header.integer("PixelRepresentation") else "u"
    return np.dtype(f"{header.order}{kind}{allocated // 8}"), allocated - stored


def _pixel_element(file: BinaryIO, *, explicit: bool, order: str) -> tuple[int, int]:
    """Read the element header of PixelData; returns its length and where its value begins."""
    head = file.read(_LONG_HEADER)
    if len(head) < _LONG_HEADER:
        msg = "No pixels in this file."
        raise ReadError(msg)
    group, element = struct.unpack(f"{order}HH", head[:4])
    if group << 16 | element != PIXEL_DATA:
        msg = "No pixels in this file."
        raise ReadError(msg)
    if explicit and head[4:6] in _LONG_VRS:
        return struct.unpack(f"{order}I", head[8:12])[0], file.tell()
    return struct.unpack(f"{order}I", head[4:8])[0], file.tell() - 4
