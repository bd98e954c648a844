"""The texts of a PDF: strings, in brackets or as hexadecimal numbers, and letters by glyphs."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Callable, Iterator

from multifidus.io.privacy.pictures import unpacked

_DICTIONARY = rb"<<(?:[^<>]|<<(?:[^<>]|<<[^<>]*>>|<[^<>]*>)*>>|<[^<>]*>)*>>"
_STREAM = re.compile(rb"(?P<facts>" + _DICTIONARY + rb")\s*stream\r?\n")
_STRING = re.compile(rb"\((?P<plain>(?:[^()\\]|\\.)*)\)|<(?P<hex>[0-9A-Fa-f\s]+)>", re.DOTALL)
_ARRAY = re.compile(rb"\[(?P<inside>(?:[^\[\]()]|\((?:[^()\\]|\\.)*\))*)\]\s*TJ", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|\r?\n|.)", re.DOTALL)
_NAMED = {
    b"\n": b"",
    b"\r\n": b"",
    b"\r": b"",
    b"n": b"\n",
    b"r": b"\r",
    b"t": b"\t",
    b"b": b"\b",
    b"f": b"\f",
}
_NO_TEXT = re.compile(rb"/Subtype\s*/Image|/Length1\b|/Type\s*/XRef")
"""Pictures, fonts, and where objects lie."""

_BY_GLYPH = re.compile(rb"/Encoding\s*/Identity-[HV]")
_AS_SHAPES = re.compile(rb"/Subtype\s*/Type3")
_LETTERS = re.compile(rb"begincmap(?P<map>.*?)endcmap", re.DOTALL)
_ONE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:\n|\r|$)")
_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(?:<([0-9A-Fa-f]+)>|\[([^\]]*)\])")
_BLOCK = re.compile(rb"beginbf(?P<kind>char|range)(?P<lines>.*?)endbf", re.DOTALL)

Letters = dict[int, str]


def pdf_parts(data: bytes) -> Iterator[tuple[str, str | bytes, str]]:
    """Yield where a text stands in a PDF, the text or bytes, and why something was not read.

    Letters that are drawn one by one, with distances between, are joined to words; those that are
    drawn by the numbers of their glyphs are read by the table that the font brings along.
    """
    if b"/Encrypt" in data:
        yield "", "", "a locked PDF"
    outside, streams, unread = _taken_apart(data)
    yield from (("", "", reason) for reason in unread)
    alphabets = [_alphabet(found["map"]) for body in streams for found in _LETTERS.finditer(body)]
    yield "PDF", "\n".join(map(_decoded, _strings(outside))), ""
    names = re.findall(rb"/([^\s/<>\[\]()]*#[^\s/<>\[\]()]*)", outside)
    yield "PDF names", "\n".join(map(_of_name, names)), ""
    for number, body in enumerate(streams, start=1):
        where = f"PDF stream {number}"
        found = _strings(body)
        yield where, body, ""
        yield where, "\n".join(map(_decoded, found)), ""
        # Letters that are moved one by one are drawn one by one.
        yield where, "".join(map(_decoded, found)), ""
        for letters in alphabets:
            yield where, "\n".join(_spelled(text, letters) for text in found), ""
    fonts = (outside, *streams)
    if not alphabets and any(map(_BY_GLYPH.search, fonts)):
        yield "", "", "text of a PDF that is drawn by numbers of glyphs"
    if any(map(_AS_SHAPES.search, fonts)):
        yield "", "", "text of a PDF whose letters, other than Latin ones, are drawn as shapes"


def _taken_apart(data: bytes) -> tuple[bytes, list[bytes], list[str]]:
    """Return what lies outside streams, the streams that may hold text, and what is not read."""
    outside, streams, unread = [], [], []
    at = 0
    for found in _STREAM.finditer(data):
        if found.start() < at:
            continue
        end = data.find(b"endstream", found.end())
        end = end if end >= 0 else len(data)
        outside.append(data[at : found.end()])
        at = end
        facts, body = found["facts"], data[found.end() : end]
        if _NO_TEXT.search(facts):
            continue
        try:
            streams.append(_decoded_stream(facts, body))
        except KeyError:
            unread.append("a stream of a PDF that is packed in another way")
        except (zlib.error, ValueError):
            unread.append("damaged: a packed stream of a PDF")
    return b"".join([*outside, data[at:]]), streams, unread


def _decoded_stream(facts: bytes, body: bytes) -> bytes:
    filters = _FILTERS.search(facts)
    for name in re.findall(rb"/(\w+)", filters[1]) if filters else ():
        body = _UNPACK[name](body)
    row = re.search(rb"/Predictor\s*1[0-5]\b", facts) and re.search(rb"/Columns\s+(\d+)", facts)
    return _without_differences(body, int(row[1])) if row else body


def _without_differences(data: bytes, columns: int) -> bytes:
    """Undo what PNG's filters do to rows of bytes: each holds its difference to the one above."""
    rows, above = [], bytes(columns)
    for start in range(0, len(data), columns + 1):
        kind, row = data[start], data[start + 1 : start + 1 + columns]
        if kind == _AS_ABOVE:
            row = bytes((one + other) & 0xFF for one, other in zip(row, above, strict=False))
        elif kind:
            raise KeyError(kind)
        rows.append(row)
        above = row
    return b"".join(rows)


def _of_ascii85(body: bytes) -> bytes:
    text = body.strip().removeprefix(b"<~").partition(b"~>")[0]
    return base64.a85decode(b"".join(text.split()))


def _of_hexadecimals(body: bytes) -> bytes:
    digits = b"".join(body.partition(b">")[0].split())
    return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("latin-1"))


_AS_ABOVE = 2
_FILTERS = re.compile(rb"/(?:Filter|F)\s*(/\w+|\[[^\]]*\])")
_UNPACK: dict[bytes, Callable[[bytes], bytes]] = {
    b"FlateDecode": unpacked,
    b"Fl": unpacked,
    b"ASCII85Decode": _of_ascii85,
    b"A85": _of_ascii85,
    b"ASCIIHexDecode": _of_hexadecimals,
    b"AHx": _of_hexadecimals,
}


def _strings(data: bytes) -> list[bytes]:
    joined = [
        b"".join(map(_plain, _STRING.finditer(array["inside"]))) for array in _ARRAY.finditer(data)
    ]
    return [*joined, *map(_plain, _STRING.finditer(data))]


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


def _of_name(name: bytes) -> str:
    return _decoded(re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes([int(code[1], 16)]), name))


def _decoded(text: bytes) -> str:
    if text.startswith(b"\xfe\xff"):
        return text[2:].decode("utf-16-be", "replace")
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


# --- glyphs --------------------------------------------------------------------------------------


def _alphabet(table: bytes) -> Letters:
    """Read which letters the glyphs of a font are."""
    letters: Letters = {}
    for block in _BLOCK.finditer(table):
        if block["kind"] == b"char":
            for code, text in _ONE.findall(block["lines"]):
                letters[int(code, 16)] = _of_hex(text)
            continue
        for first, last, start, listed in _RANGE.findall(block["lines"]):
            low, high = int(first, 16), min(int(last, 16), int(first, 16) + 0xFFFF)
            each = re.findall(rb"<([0-9A-Fa-f]+)>", listed)
            for place, code in enumerate(range(low, high + 1)):
                if each:
                    letters[code] = _of_hex(each[place]) if place < len(each) else ""
                else:
                    letters[code] = chr(min(int(start, 16) + place, 0x10FFFF))
    return letters


def _of_hex(digits: bytes) -> str:
    return bytes.fromhex(digits.decode().zfill(4)).decode("utf-16-be", "replace")


def _spelled(text: bytes, letters: Letters) -> str:
    """Return a text whose glyphs are numbered with two bytes."""
    return "".join(
        letters.get(int.from_bytes(text[at : at + 2]), "") for at in range(0, len(text) - 1, 2)
    )
