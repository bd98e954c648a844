"""What files hold as text or bytes, whatever they are packed in."""

from __future__ import annotations

import base64
import binascii
import bz2
import gzip
import html
import io
import json
import lzma
import re
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, cast

from multifidus.io.privacy.elements import element_texts
from multifidus.io.privacy.pdf import pdf_parts
from multifidus.io.privacy.pictures import jpeg_texts, png_texts, webp_texts

LARGEST_BYTES = 1 << 30
"""More is not unpacked of one part."""

DEEPEST = 8
"""Parts within parts that are looked into."""


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a file.

    Attributes
    ----------
    where
        Where in the file, in words; empty for the file as it stands.
    data
        Its bytes, or its text.
    unread
        Why it could not be looked into; then it holds nothing.
    """

    where: str
    data: bytes | str = ""
    unread: str = ""


def parts_of(data: bytes) -> Iterator[Part]:
    """Yield what a file holds: its text or bytes, and those of what is packed in it.

    Parameters
    ----------
    data
        The file.
    """
    yield from _parts(data, "", 0)


def _parts(data: bytes, where: str, depth: int) -> Iterator[Part]:
    if depth > DEEPEST:
        yield Part(where, unread=f"packed more than {DEEPEST} times")
        return
    opened = next((open_ for begins, open_ in _KINDS if begins(data)), None)
    if opened is None:
        text = _as_text(data)
        if text is None:
            yield Part(where, data)
        else:
            yield from _text_parts(text, where, depth)
        return
    try:
        for part in opened(data):
            place = ", ".join(filter(None, (where, part.where)))
            if part.unread or isinstance(part.data, str):
                yield Part(place, part.data, part.unread)
            elif part.where:
                yield from _parts(part.data, place, depth + 1)
            else:
                yield Part(where, part.data)
    except _DAMAGE as error:
        yield Part(where, data)
        yield Part(where, unread=f"damaged: {type(error).__name__}")


_DAMAGE = (
    OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError,
    NotImplementedError, struct.error,
)  # fmt: skip


# --- text ----------------------------------------------------------------------------------------


def _as_text(data: bytes) -> str | None:
    """Decode a file that is text; None for any other."""
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig")):
        if data.startswith(mark):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            return None if "\0" in text else text
    return None


def _text_parts(text: str, where: str, depth: int) -> Iterator[Part]:
    """Yield a text as it stands, and as it reads where signs are written by their numbers."""
    yield Part(where, text)
    if "\\u" in text or "\\x" in text:
        yield Part(_within(where, "escaped text"), _unescaped(text))
    plain = html.unescape(text)
    if plain != text:
        yield Part(_within(where, "text of the page"), plain)
    if "%" in text:
        quoted = urllib.parse.unquote(text)
        if quoted != text:
            yield Part(_within(where, "text of an address"), quoted)
    for number, found in enumerate(_DATA_URL.finditer(text), start=1):
        place = _within(where, f"embedded file {number}")
        try:
            yield from _parts(base64.b64decode(found[1]), place, depth + 1)
        except binascii.Error:
            yield Part(place, unread="damaged: base64")


_DATA_URL = re.compile(r"data:[\w/+.;=-]*;base64,([A-Za-z0-9+/=\s]+)")

_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2})+")


def _within(where: str, what: str) -> str:
    return f"{where}, {what}" if where else what


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        written = re.sub(r"\\x", r"\\u00", found[0])
        try:
            return str(json.loads(f'"{written}"'))
        except ValueError:
            return found[0]

    return _ESCAPED.sub(plain, text).encode("utf-8", "replace").decode()


# --- what is packed ------------------------------------------------------------------------------


def _limited(stream: IO[bytes]) -> bytes:
    data = stream.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        msg = "too large"
        raise ValueError(msg)
    return data


def _gzip(data: bytes) -> Iterator[Part]:
    yield Part("", data[:512])  # the name of the file that was packed
    with gzip.open(io.BytesIO(data)) as stream:
        yield Part("unpacked", _limited(cast("IO[bytes]", stream)))


def _bz2(data: bytes) -> Iterator[Part]:
    with bz2.open(io.BytesIO(data)) as stream:
        yield Part("unpacked", _limited(cast("IO[bytes]", stream)))


def _xz(data: bytes) -> Iterator[Part]:
    with lzma.open(io.BytesIO(data)) as stream:
        yield Part("unpacked", _limited(cast("IO[bytes]", stream)))


def _zip(data: bytes) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if archive.comment:
            yield Part("comment of the archive", archive.comment)
        for member in archive.infolist():
            yield Part("name in the archive", member.filename)
            if member.comment or member.extra:
                yield Part("comment in the archive", member.comment + member.extra)
            if member.is_dir():
                continue
            if member.flag_bits & 1:
                yield Part(member.filename, unread="locked by a password")
                continue
            with archive.open(member) as stream:
                yield Part(member.filename, _limited(stream))


# --- images --------------------------------------------------------------------------------------


def _dicom(data: bytes) -> Iterator[Part]:
    """Yield a DICOM file as bytes, and the texts of its elements in its own character set."""
    yield Part("", data)
    for where, text in element_texts(data):
        yield Part(where, text)


def _picture(
    texts: Callable[[bytes], Iterator[tuple[str, bytes]]],
) -> Callable[[bytes], Iterator[Part]]:
    return lambda data: (Part(where, found) for where, found in texts(data))


def _parquet(data: bytes) -> Iterator[Part]:
    yield Part("", data)
    yield Part("", unread="columns of a Parquet file are packed")


def _pdf(data: bytes) -> Iterator[Part]:
    yield Part("", data)
    for where, found, unread in pdf_parts(data):
        yield Part(where, found, unread)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[Part]]], ...] = (
    (_begins(b"\x1f\x8b"), _gzip),
    (_begins(b"BZh"), _bz2),
    (_begins(b"\xfd7zXZ\0"), _xz),
    (_begins(b"PK\x03\x04", b"PK\x05\x06"), _zip),
    (_begins(b"\x89PNG\r\n\x1a\n"), _picture(png_texts)),
    (_begins(b"\xff\xd8\xff"), _picture(jpeg_texts)),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _picture(webp_texts)),
    (_begins(b"%PDF-"), _pdf),
    (_begins(b"PAR1"), _parquet),
    (lambda data: data[128:132] == b"DICM", _dicom),
)
