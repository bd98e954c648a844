"""The texts of a PDF: packed streams, strings in brackets, strings as hexadecimal numbers."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from multifidus.io.privacy.pictures import unpacked

_STREAM = re.compile(rb"<<(?P<facts>(?:[^<>]|<<[^<>]*>>|<[^<>]*>)*)>>\s*stream\r?\n")
_STRING = re.compile(rb"\((?P<plain>(?:[^()\\]|\\.)*)\)|<(?P<hex>[0-9A-Fa-f\s]+)>", re.DOTALL)
_ARRAY = re.compile(rb"\[(?P<inside>(?:[^\[\]()]|\((?:[^()\\]|\\.)*\))*)\]\s*TJ", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_NO_TEXT = re.compile(rb"/Subtype\s*/Image|/Length1\b|/Type\s*/XRef")
"""Pictures, fonts, and where objects lie."""

_BY_GLYPH = re.compile(rb"/Encoding\s*/Identity-[HV]")


def pdf_parts(data: bytes) -> Iterator[tuple[str, str | bytes, str]]:
    """Yield where a text stands in a PDF, the text or bytes, and why something was not read.

    Letters that are drawn one by one, with distances between, are joined to words.
    """
    if b"/Encrypt" in data:
        yield "", "", "a locked PDF"
    yield "PDF", _strings(data), ""
    by_glyph = bool(_BY_GLYPH.search(data))
    for number, (facts, body) in enumerate(_streams(data), start=1):
        where = f"PDF stream {number}"
        if _NO_TEXT.search(facts):
            continue
        if b"/FlateDecode" in facts:
            try:
                body = unpacked(body)  # noqa: PLW2901
            except (zlib.error, ValueError):
                yield where, "", "damaged: a packed stream of a PDF"
                continue
        elif b"/Filter" in facts:
            yield where, "", "a stream of a PDF, packed in another way"
            continue
        by_glyph = by_glyph or bool(_BY_GLYPH.search(body))
        yield where, body, ""
        yield where, _strings(body), ""
    if by_glyph:
        yield "", "", "text of a PDF that is drawn by numbers of glyphs"


def _streams(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    for found in _STREAM.finditer(data):
        end = data.find(b"endstream", found.end())
        yield found["facts"], data[found.end() : end if end >= 0 else len(data)]


def _strings(data: bytes) -> str:
    joined = [
        b"".join(map(_plain, _STRING.finditer(array["inside"]))) for array in _ARRAY.finditer(data)
    ]
    alone = [_plain(found) for found in _STRING.finditer(data)]
    return "\n".join(map(_decoded, [*joined, *alone]))


def _plain(found: re.Match[bytes]) -> bytes:
    if found["hex"] is not None:
        digits = b"".join(found["hex"].split())
        return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode())
    return _ESCAPE.sub(_unescaped, found["plain"])


def _unescaped(found: re.Match[bytes]) -> bytes:
    sign = found[1]
    if sign.isdigit():
        return bytes([int(sign, 8) & 0xFF])
    return _NAMED.get(sign, sign)


def _decoded(text: bytes) -> str:
    if text.startswith(b"\xfe\xff"):
        return text[2:].decode("utf-16-be", "replace")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")
