"""What stands in pictures besides their pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

LARGEST_BYTES = 1 << 28
"""More is not unpacked of one text."""

_MARKER, _SCAN = 0xFF, 0xDA
"""What begins a part of a JPEG, and the one that holds its pixels."""


def unpacked(data: bytes) -> bytes:
    """Unpack a text that was compressed.

    Raises
    ------
    ValueError
        If it is too large.
    """
    unpacking = zlib.decompressobj()
    found = unpacking.decompress(data, LARGEST_BYTES)
    if unpacking.unconsumed_tail:
        msg = "too large"
        raise ValueError(msg)
    return found


def png_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a PNG besides its pixels."""
    at = 8
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        at += 12 + length
        name = kind.decode("latin-1")
        if kind == b"zTXt":
            keyword, _, packed = body.partition(b"\0")
            yield f"PNG {name}", keyword + b"\n" + unpacked(packed[1:])
        elif kind == b"iTXt":
            yield f"PNG {name}", _international_text(body)
        elif kind != b"IDAT":
            yield f"PNG {name}", body
    yield "PNG, behind its end", data[at:]


def _international_text(body: bytes) -> bytes:
    keyword, _, rest = body.partition(b"\0")
    is_packed, rest = rest[:1] == b"\1", rest[2:]
    language, _, rest = rest.partition(b"\0")
    translated, _, text = rest.partition(b"\0")
    text = unpacked(text) if is_packed else text
    return b"\n".join((keyword, language, translated, text))


def jpeg_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a JPEG besides its pixels."""
    at = 2
    while at + 4 <= len(data) and data[at] == _MARKER:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == _SCAN:  # the pixels begin
            break
        yield "JPEG header", data[at + 4 : at + 2 + length]
        at += 2 + length
    end = data.rfind(b"\xff\xd9")
    yield "JPEG, behind its end", data[end + 2 :] if end >= 0 else b""


def webp_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a WebP besides its pixels."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        if kind not in {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}:
            yield f"WebP {kind.decode('latin-1').strip()}", data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
