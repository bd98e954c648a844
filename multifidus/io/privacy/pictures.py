"""What stands in pictures besides their pixels."""

from __future__ import annotations

import binascii
import re
import struct
import zlib
from collections.abc import Iterator

LARGEST_BYTES = 1 << 28
"""More is not unpacked of one text."""

_MARKER, _SCAN, _END = 0xFF, 0xDA, 0xD9
"""What begins a part of a JPEG, the one that holds its pixels, and the end."""


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
            text = unpacked(packed[1:])
            yield f"PNG {name}", keyword + b"\n" + text
            if keyword.startswith(b"Raw profile"):
                yield f"PNG {name}", _of_hexadecimals(text)
        elif kind == b"iCCP":
            yield f"PNG {name}", unpacked(body.partition(b"\0")[2][1:])
        elif kind == b"iTXt":
            yield f"PNG {name}", _international_text(body)
        elif kind == b"IEND":
            break
        elif kind != b"IDAT":
            yield f"PNG {name}", body
    yield "PNG, behind its end", data[at:]


def _of_hexadecimals(text: bytes) -> bytes:
    """Return a profile that ImageMagick writes: its kind, its length, and it in hexadecimals."""
    digits = b"".join(text.split()[2:])
    return binascii.unhexlify(digits[: len(digits) // 2 * 2])


def _international_text(body: bytes) -> bytes:
    keyword, _, rest = body.partition(b"\0")
    is_packed, rest = rest[:1] == b"\1", rest[2:]
    language, _, rest = rest.partition(b"\0")
    translated, _, text = rest.partition(b"\0")
    text = unpacked(text) if is_packed else text
    return b"\n".join((keyword, language, translated, text))


def jpeg_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a JPEG besides its pixels."""
    at, extended = 2, b""
    while at + 4 <= len(data) and data[at] == _MARKER:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker == _END:
            break
        if marker == _MARKER:  # any number of these may stand before a marker
            at += 1
            continue
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == _SCAN:
            found = _BEHIND_PIXELS.search(data, at)
            at = found.start() if found else len(data)
        elif body.startswith(_EXTENDED_XMP):
            # A text of more than 64 kB goes on in the next of these, in the middle of a word.
            extended += body[len(_EXTENDED_XMP) + 40 :]
        else:
            yield "JPEG header", body
    yield "JPEG, extended XMP", extended
    yield "JPEG, behind its end", data[at + 2 :]


_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_BEHIND_PIXELS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def gif_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the comments of a GIF and what programs added, put together of blocks of 255 bytes."""
    yield "", data
    for found in _EXTENSION.finditer(data):
        at, text = found.end(), b""
        while at < len(data) and data[at]:
            text += data[at + 1 : at + 1 + data[at]]
            at += 1 + data[at]
        yield "GIF comment", text


_EXTENSION = re.compile(rb"\x21[\xfe\xff\x01]")


def webp_texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield what stands in a WebP besides its pixels."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack("<4sI", data[at : at + 8])
        if kind not in {b"VP8 ", b"VP8L", b"ALPH", b"ANMF"}:
            yield f"WebP {kind.decode('latin-1').strip()}", data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
