"""Where the pixels of a DICOM file are, and how to get them when they are wanted."""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from multifidus.errors import ReadError
from multifidus.io.dicom.decoder_memory import memory_errors_raised
from multifidus.io.dicom.header import PIXEL_DATA, Header, quiet
from multifidus.io.dicom.stored_values import FLOAT_BITS, check_meaning, stored_type
from multifidus.io.dicom.syntax import NOT_DICOM, Syntax
from multifidus.io.files import reading

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.uid import UID

_LONG_HEADER, _SHORT_HEADER = 12, 8
_LONG_VRS = (b"OB", b"OW", b"OF", b"OD", b"UN")

EXPAND_AT_MOST = 1000
"""How many times larger than its file compressed pixels can be; RLE reaches 64."""

EXPAND_ALWAYS_BYTES = 16 << 20
"""Up to this size, how much larger than their file pixels are is not asked."""

_DECODERS = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", "gdcm")
"""Best first. GDCM ends the whole process at some damaged files, so it is asked last."""

_EIGHT_BITS_ONLY = {"pillow", "gdcm"}
"""Decoders that read no more of JPEG extended. What reads it all is under the GPL."""

_J2K_BITS_AT = 42
"""Byte of a JPEG 2000 stream that says how many bits a pixel has, less one."""

_J2K_START, _JPEG_START, _JPEG_END = b"\xff\x4f\xff\x51", b"\xff\xd8", b"\xff\xd9"
_JPEG_FRAMES = {bytes([n]) for n in (*range(0xC0, 0xD0), 0xF7) if n not in (0xC4, 0xC8, 0xCC)}
"""Markers after which the size of a JPEG or JPEG-LS image stands."""

_LOSSY = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"}
"""JPEG baseline and extended, which always lose."""

_LOSSY_UNLESS_SAID = {
    "1.2.840.10008.1.2.4.81",
    "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.203",
}
"""JPEG-LS near-lossless, JPEG 2000 and HTJ2K, which may or may not."""

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
        Byte at which the pixels begin.
    syntax
        The transfer syntax that compresses them; None where they are not compressed.
    is_lossy
        Whether they were ever compressed with loss.
    is_swapped
        Whether they are single bytes in words of two whose high byte comes first (OW, big endian).
    """

    path: Path
    frames: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    unused_bits: int
    offset: int
    syntax: UID | None = None
    is_lossy: bool = False
    is_swapped: bool = False
    _decoded: NDArray[Any] | None = field(default=None, init=False)
    _lock: Any = field(default_factory=threading.Lock, init=False)

    @property
    def is_float(self) -> bool:
        """Whether they are floating-point numbers, as maps of quantities are."""
        return self.dtype.kind == "f"

    def read(self, frame: int) -> NDArray[Any]:
        """Return the stored pixels of a frame (counted from 0), shape (rows, columns)."""
        if self.syntax is not None:
            return np.asarray(self._decode(self.syntax)[frame])
        count = self.shape[0] * self.shape[1]
        with reading(self.path, "DICOM pixels"):
            flat = (
                self._unswapped(frame * count, count)
                if self.is_swapped
                else self._flat(frame * count, count)
            )
        if len(flat) != count:
            msg = f"{self.path} was cut short after its header was read."
            raise ReadError(msg)
        pixels = flat.reshape(self.shape)
        if self.unused_bits and _reaches(pixels, self.unused_bits):
            # Shifting up and down clears the unused bits, and spreads the sign where there is one.
            pixels = np.left_shift(pixels, self.unused_bits)
            np.right_shift(pixels, self.unused_bits, out=pixels)
        return np.asarray(pixels)

    def _flat(self, first: int, count: int) -> NDArray[Any]:
        """Read ``count`` pixels from the ``first`` on, counted over all frames."""
        start = self.offset + first * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, count, offset=start)

    def _unswapped(self, first: int, count: int) -> NDArray[Any]:
        """Read single bytes out of whole words, in which each stands in its neighbour's place."""
        odd = first % 2
        words = self._flat(first - odd, odd + count + (odd + count) % 2)
        words = words[: len(words) // 2 * 2].reshape(-1, 2)[:, ::-1]
        return words.ravel()[odd : odd + count]

    def _decode(self, syntax: UID) -> NDArray[Any]:
        """Decode all frames once; compressed frames cannot be found without reading all before."""
        with self._lock:
            if self._decoded is None:
                with reading(self.path, "DICOM pixels"), self.path.open("rb") as file:
                    file.seek(self.offset)
                    data = file.read()
                try:
                    with memory_errors_raised():
                        decoded = self._decoded_by_pydicom(data, syntax)
                except MemoryError:
                    raise
                except Exception as error:  # decoders raise whatever a damaged stream makes them
                    without = "missing dependencies" in str(error)
                    remedy = MISSING_CODEC if without else "Export the image again, uncompressed."
                    msg = f"Cannot decode the pixels of {self.path}: {error}."
                    raise ReadError(msg, remedy=remedy) from error
                self._decoded = decoded
        return self._decoded

    def _decoded_by_pydicom(self, data: bytes, syntax: UID) -> NDArray[Any]:
        from pydicom.encaps import generate_frames
        from pydicom.pixels.decoders.base import get_decoder
        from pydicom.uid import JPEGExtended12Bit, JPEGTransferSyntaxes, RLELossless

        decoder = get_decoder(syntax)
        # Run-length encoding says nothing of its size; the decoder looks for frames once more.
        is_plain = syntax == RLELossless
        frames = [] if is_plain else list(generate_frames(data, number_of_frames=self.frames))
        able = set(decoder.available_plugins)
        if syntax == JPEGExtended12Bit and any(_jpeg_facts(frame)[0] > 8 for frame in frames):  # noqa: PLR2004
            able -= _EIGHT_BITS_ONLY
            if not able:
                msg = "no decoder that is installed reads JPEG of more than 8 bits with loss"
                raise ValueError(msg)
        if not able:
            msg = f"missing dependencies: nothing that reads {syntax.name} is installed"
            raise ValueError(msg)
        installed = [name for name in _DECODERS if name in able][:1]
        bits = self.dtype.itemsize * 8
        options: dict[str, Any] = {
            "allow_excess_frames": False,
            "rows": self.shape[0],
            "columns": self.shape[1],
            "number_of_frames": self.frames,
            "samples_per_pixel": 1,
            "photometric_interpretation": "MONOCHROME2",
            "bits_allocated": bits,
            "bits_stored": bits - self.unused_bits,
            "pixel_representation": int(self.dtype.kind == "i"),
        }
        with quiet():
            for frame in frames:
                _check_codestream(frame, self.shape, bits)
                if installed == ["gdcm"] and syntax in JPEGTransferSyntaxes:
                    _check_for_gdcm(frame, bits)
            decoded, _ = decoder.as_array(
                data, raw=True, decoding_plugin="".join(installed), **options
            )
        return np.asarray(decoded).reshape(self.frames, *self.shape)


def _check_codestream(frame: bytes, shape: tuple[int, int], allocated: int) -> None:
    """Refuse a JPEG, JPEG-LS or JPEG 2000 stream that decoders would hang at.

    They trust the size that stands in the stream, and that it does not end early; of pixels of
    more bits than are allocated they keep the lower ones.
    """
    size, bits = shape, 0
    if frame[:4] == _J2K_START:
        columns, rows, left, top = struct.unpack(">4I", frame[8:24].ljust(16, b"\0"))
        size = rows - top, columns - left
        bits = (frame[_J2K_BITS_AT : _J2K_BITS_AT + 1].ljust(1, b"\0")[0] & 0x7F) + 1
    elif frame[:2] == _JPEG_START:
        bits, *sizes = _jpeg_facts(frame)
        size = sizes[0], sizes[1]
        if not frame[-16:].rstrip(b"\0").endswith(_JPEG_END):
            msg = "the compressed pixels are cut short"
            raise ValueError(msg)
    if bits > allocated:
        raise ValueError(_other_bits(bits, allocated))
    if size != shape:
        msg = f"the compressed pixels are {size[0]} x {size[1]}, the header says {shape}"
        raise ValueError(msg)


def _check_for_gdcm(frame: bytes, allocated: int) -> None:
    """Refuse a JPEG stream whose pixels take other bytes than allocated: GDCM ends the process."""
    bits = _jpeg_facts(frame)[0] if frame[:2] == _JPEG_START else 0
    if not allocated - 8 < bits <= allocated:
        raise ValueError(_other_bits(bits, allocated))


def _other_bits(bits: int, allocated: int) -> str:
    return f"the compressed pixels are of {bits} bits, the header says {allocated}"


def _jpeg_facts(frame: bytes) -> tuple[int, int, int]:
    """Return the bits of a pixel, the rows and the columns that stand in a JPEG stream."""
    at = 2
    while frame[at : at + 1] == b"\xff" and frame[at + 1 : at + 2] not in _JPEG_FRAMES:
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    bits, rows, columns = struct.unpack(">B2H", frame[at + 4 : at + 9].ljust(5, b"\0"))
    return bits, rows, columns


def _reaches(pixels: NDArray[Any], unused_bits: int) -> bool:
    """Whether any pixel has one of its highest bits set."""
    limit = np.iinfo(pixels.dtype).max >> unused_bits
    signed = pixels.dtype.kind == "i"
    return bool(pixels.max() > limit or (signed and pixels.min() < -limit - 1))


def locate_pixels(header: Header, syntax: Syntax, file: BinaryIO, path: Path) -> PixelSource:
    """Find the pixels of a file whose header was just read up to them.

    Raises
    ------
    ReadError
        If there are none, they are not single-channel, or the file ends before they do.
    """
    if not syntax.is_named and not header.text("SeriesInstanceUID"):
        raise ReadError(NOT_DICOM)
    rows, columns = header.integer("Rows"), header.integer("Columns")
    frames = header.integer("NumberOfFrames", 1)
    if rows < 1 or columns < 1 or frames < 1:
        msg = "No image in this file."
        raise ReadError(msg)
    element = _pixel_element(file, syntax)
    check_meaning(header)
    dtype, unused_bits = stored_type(header, element.tag)
    size = os.fstat(file.fileno()).st_size
    needed = frames * rows * columns * dtype.itemsize
    where = path, frames, (rows, columns), dtype, unused_bits, element.offset
    if syntax.is_compressed:
        most = max(EXPAND_ALWAYS_BYTES, EXPAND_AT_MOST * size)
        if needed > most or element.tag != PIXEL_DATA:
            msg = f"Damaged: {needed} bytes of pixels cannot be in this file."
            raise ReadError(msg)
        return PixelSource(*where, syntax.uid, _is_lossy(header, syntax.uid))
    is_swapped = _is_swapped(element, syntax, dtype)
    needed += needed % 2 if is_swapped else 0
    available = min(element.length, size - element.offset)
    if not syntax.is_named and element.length - needed not in {0, needed % 2}:
        msg = (
            f"DICOM without its file meta information: whether its {element.length} bytes of "
            f"pixels, where {needed} are expected, are compressed cannot be known."
        )
        raise ReadError(msg, remedy="Export it again as a DICOM file (Part 10).")
    if available < needed:
        msg = f"Truncated: {needed - available} of {needed} bytes of pixels are missing."
        raise ReadError(msg)
    # A little padding behind the pixels is common; a row or a column more is another image.
    if element.length - needed >= max(min(rows, columns) * dtype.itemsize, 2):
        msg = (
            f"{element.length} bytes of pixels, where its rows, columns, frames and bits make "
            f"{needed}: one of them is wrong."
        )
        raise ReadError(msg, remedy="Export the image again.")
    return PixelSource(*where, None, _is_lossy(header), is_swapped)


@dataclass(frozen=True, slots=True)
class _Element:
    """The element that holds the pixels; its value begins at ``offset``."""

    tag: int
    vr: bytes
    length: int
    offset: int


def _is_swapped(element: _Element, syntax: Syntax, dtype: np.dtype[Any]) -> bool:
    """Whether single bytes stand in words whose high byte comes first.

    Raises
    ------
    ReadError
        If the file does not tell.
    """
    if syntax.is_little_endian or dtype.itemsize > 1:
        return False
    if element.vr not in {b"OB", b"OW"}:
        msg = f"Big-endian pixels of 8 bits as {element.vr.decode('latin-1')}: their order is open."
        raise ReadError(msg, remedy="Export the image again in a little-endian transfer syntax.")
    return element.vr == b"OW"


def _is_lossy(header: Header, syntax: str = "") -> bool:
    """Whether an image was ever compressed with loss: by what it says, else by its syntax."""
    said = header.text("LossyImageCompression")
    return said == "01" or syntax in _LOSSY or (syntax in _LOSSY_UNLESS_SAID and said != "00")


def _pixel_element(file: BinaryIO, syntax: Syntax) -> _Element:
    """Read the element header of the pixels."""
    start, head = file.tell(), file.read(_LONG_HEADER)
    order = syntax.order
    group, element = struct.unpack(f"{order}HH", head[:4].ljust(4, b"\0"))
    tag = group << 16 | element
    vr = b"" if syntax.is_implicit else head[4:6]
    size = _LONG_HEADER if vr in _LONG_VRS else _SHORT_HEADER
    if len(head) < size or tag not in {PIXEL_DATA, *FLOAT_BITS}:
        msg = "No pixels in this file."
        raise ReadError(msg)
    length: int = struct.unpack(f"{order}I", head[size - 4 : size])[0]
    return _Element(tag, vr, length, start + size)
