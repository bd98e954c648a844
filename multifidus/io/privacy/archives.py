"""What is packed: archives, compressed files, and names in them."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

import numpy as np

from multifidus.io.privacy.workbook import dates_of

LARGEST_BYTES = 1 << 27
"""More is not unpacked of one part."""

Parts = Iterator[tuple[str, bytes | str, str]]
"""Where, what is there, and why it could not be read."""

_BEGINNING = f"only its first {LARGEST_BYTES >> 20} MiB are looked into"


def _limited(stream: IO[bytes], where: str) -> Parts:
    data = stream.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        yield where, "", _BEGINNING
        data = data[:LARGEST_BYTES]
    yield where, data, ""


def _gzip(data: bytes) -> Parts:
    yield "", data[:512], ""  # the name of the file that was packed
    with gzip.open(io.BytesIO(data)) as stream:
        yield from _limited(cast("IO[bytes]", stream), "unpacked")


def _bz2(data: bytes) -> Parts:
    with bz2.open(io.BytesIO(data)) as stream:
        yield from _limited(cast("IO[bytes]", stream), "unpacked")


def _lzma(data: bytes) -> Parts:
    with lzma.open(io.BytesIO(data)) as stream:
        yield from _limited(cast("IO[bytes]", stream), "unpacked")


def _zlib(data: bytes) -> Parts:
    yield "unpacked", zlib.decompressobj().decompress(data, LARGEST_BYTES), ""


def _zip(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if archive.comment:
            yield "comment of the archive", archive.comment, ""
        for member in archive.infolist():
            yield "name in the archive", member.filename, ""
            if not member.flag_bits & _NAMES_ARE_UTF8 and not member.filename.isascii():
                # In whatever encoding the program that packed it had.
                yield "name in the archive", b"\n" + member.filename.encode("cp437") + b"\n", ""
            if member.comment or member.extra:
                yield "comment in the archive", member.comment + member.extra, ""
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                yield member.filename, "", "locked by a password"
                continue
            with archive.open(member) as stream:
                yield from _limited(stream, member.filename)
        if dates := dates_of(archive):
            yield "dates of the workbook", dates, ""


_NAMES_ARE_UTF8 = 0x800


def is_zip_behind(data: bytes) -> bool:
    """Whether a zip archive stands at the end of a file that begins with something else."""
    return b"PK\x05\x06" in data[-(1 << 16) - 22 :] and zipfile.is_zipfile(io.BytesIO(data))


def zip_behind(data: bytes) -> Parts:
    """Yield a file as it stands, and the members of the archive at its end."""
    yield "", data, ""
    yield from _zip(data)


def is_tar(data: bytes) -> bool:
    """Whether bytes are a tar archive."""
    return data[257:262] == b"ustar"


def tar_parts(data: bytes) -> Parts:
    """Yield the headers of a tar archive, with names of files and owners, and its members."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for member in archive:
            named = (member.name, member.linkname, member.uname, member.gname)
            yield "name in the archive", "\n".join((*named, *member.pax_headers.values())), ""
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                yield from _limited(stream, member.name)


PACKED: tuple[tuple[bytes, Callable[[bytes], Parts]], ...] = (
    (b"\x1f\x8b", _gzip),
    (b"BZh", _bz2),
    (b"\xfd7zXZ\0", _lzma),
    (b"\x5d\0\0", _lzma),
    (b"\x78\x01", _zlib),
    (b"\x78\x9c", _zlib),
    (b"\x78\xda", _zlib),
    (b"PK\x03\x04", _zip),
    (b"PK\x05\x06", _zip),
)
"""What they begin with, and what unpacks them."""

_SAMPLE, _AT_LEAST, _BITS = 1 << 16, 4096, 7.9


def is_dense(data: bytes) -> bool:
    """Whether bytes look packed or locked: each of the 256 values is about as frequent."""
    if len(data) < _AT_LEAST:
        return False
    counts = np.bincount(np.frombuffer(data[:_SAMPLE], np.uint8), minlength=256)
    shares = counts[counts > 0] / counts.sum()
    return bool(-(shares * np.log2(shares)).sum() > _BITS)
