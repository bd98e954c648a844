"""Where the pixels of a DICOM file are, and how to get them when they are wanted."""

from __future__ import annotations

import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from multifidus.errors import ReadError
from multifidus.io.files import reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

_PIXEL_DATA = (0x7FE0, 0x0010)
_UNDEFINED_LENGTH = 0xFFFFFFFF
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
        if self.unused_bits:
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
                except (RuntimeError, NotImplementedError) as error:
                    msg = f"Cannot decode the pixels of {self.path}: {error}"
                    raise ReadError(msg, remedy=MISSING_CODEC) from error
                except Exception as error:  # decoders raise whatever a damaged stream makes them
                    msg = f"The compressed pixels of {self.path} are damaged: {error}."
                    raise ReadError(msg, remedy="Export the image again.") from error
                self._decoded = decoded.reshape(self.frames, *self.shape)
        return self._decoded


def locate_pixels(dataset: Dataset, file: BinaryIO, path: Path) -> PixelSource:
    """Find the pixels of a file whose header was just read up to them.

    Raises
    ------
    ReadError
        If there are none, they are not single-channel, or the file ends before they do.
    """
    rows, columns = int(dataset.get("Rows") or 0), int(dataset.get("Columns") or 0)
    frames = int(dataset.get("NumberOfFrames") or 1)
    allocated = int(dataset.get("BitsAllocated") or 0)
    if rows < 1 or columns < 1 or frames < 1:
        msg = "No image in this file."
        raise ReadError(msg)
    if int(dataset.get("SamplesPerPixel") or 1) != 1 or allocated not in (8, 16, 32):
        msg = f"Not a grey-scale image of 8, 16 or 32 bits (bits allocated: {allocated})."
        raise ReadError(msg)
    syntax = dataset.file_meta.TransferSyntaxUID
    stored = int(dataset.get("BitsStored") or allocated)
    signed = int(dataset.get("PixelRepresentation") or 0)
    order = "<" if syntax.is_little_endian else ">"
    dtype = np.dtype(f"{order}{'i' if signed else 'u'}{allocated // 8}")
    if int(dataset.get("HighBit") or stored - 1) != stored - 1:
        msg = f"Pixels of {stored} bits with high bit {dataset.HighBit} are not supported."
        raise ReadError(msg)
    length, offset = _pixel_element(file, explicit=not syntax.is_implicit_VR, order=order)
    needed = frames * rows * columns * dtype.itemsize
    if syntax.is_compressed:
        if syntax.is_deflated:
            msg = "Deflated DICOM is not supported."
            raise ReadError(msg)
        return PixelSource(path, frames, (rows, columns), dtype, 0, None)
    available = path.stat().st_size - offset
    if length == _UNDEFINED_LENGTH or min(length, available) < needed:
        missing = needed - min(length, available)
        msg = f"Truncated: {missing} of {needed} bytes of pixels are missing."
        raise ReadError(msg)
    return PixelSource(path, frames, (rows, columns), dtype, allocated - stored, offset)


def _pixel_element(file: BinaryIO, *, explicit: bool, order: str) -> tuple[int, int]:
    """Read the element header of PixelData; returns its length and where its value begins."""
    head = file.read(12)
    short = struct.Struct(f"{order}HH")
    if len(head) < 12 or short.unpack(head[:4]) != _PIXEL_DATA:  # noqa: PLR2004
        msg = "No pixels in this file."
        raise ReadError(msg)
    if explicit and head[4:6] in _LONG_VRS:
        return struct.unpack(f"{order}I", head[8:12])[0], file.tell()
    return struct.unpack(f"{order}I", head[4:8])[0], file.tell() - 4
