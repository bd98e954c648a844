"""Texts as they read: in any encoding, without tags, with signs that are written by numbers."""

from __future__ import annotations

import base64
import binascii
import html
import json
import quopri
import re
import urllib.parse
from collections.abc import Iterator

_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"), (b"", "utf-8-sig"), (b"", "utf-16-le"), (b"", "utf-16-be"),
)  # fmt: skip

_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f]")
_CONTROL_BYTES = re.compile(rb"[\0-\x08\x0e-\x1a\x1c-\x1f]")


def as_text(data: bytes) -> str | None:
    """Decode a file that is text; None for any other."""
    for mark, encoding in _MARKS:
        if data.startswith(mark) and (mark or encoding == "utf-8-sig" or b"\0" in data):
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            if encoding == "utf-8-sig":
                if "\0" not in text:
                    return text
            elif not _CONTROL.search(text):
                return text
    return None


def of_a_byte_each(data: bytes) -> str | None:
    """Decode a file that is text of an older program, its letters in Latin script at least."""
    return None if _CONTROL_BYTES.search(data) else data.decode("cp1252", "replace")


def readings(text: str) -> Iterator[tuple[str, str]]:
    """Yield where a text reads otherwise than it is written, and how."""
    if "\\u" in text or "\\x" in text or "\\/" in text:
        yield "escaped text", _unescaped(text).replace("\\/", "/")
    plain = html.unescape(html.unescape(text))
    if plain != text:
        yield "text of the page", plain
    if _TAG.search(plain):
        yield "text without tags", _TAG.sub("\n", _INLINE.sub("", _LOOKS.sub("", plain)))
    if "%" in text:
        quoted = urllib.parse.unquote(text)
        if quoted != text:
            yield "text of an address", quoted
    if "=" in text and "quoted-printable" in text.lower():
        yield "text of a letter", quopri.decodestring(text.encode()).decode("utf-8", "replace")
    if _UNSEEN.search(plain):
        yield "text without signs of no width", _UNSEEN.sub("", plain)


def embedded(text: str) -> Iterator[tuple[bytes | None, bool]]:
    """Yield the files that a text holds as base64, None for a damaged one; whether it says so."""
    for found in _BASE64.finditer(text):
        said = found["said"] is not None
        packed = re.sub(r"\\n|\s", "", found["packed"]).rstrip("=")
        try:
            yield base64.b64decode(packed + "=" * (-len(packed) % 4)), said
        except binascii.Error:
            yield None, said


_TAG = re.compile(r"<[A-Za-z/!?][^<>]*>")
_INLINE = re.compile(
    r"</?(?:\w+:)?(?:a|abbr|b|big|bookmarkEnd|bookmarkStart|em|font|i|mark|proofErr|r|s|small|span|"
    r"strong|sub|sup|t|tspan|u|wbr)(?:\s[^<>]*)?/?>"
)
"""Tags within words, of pages, drawings and documents."""

_LOOKS = re.compile(r"<((?:\w+:)?rPr)\b[^<>]*?(?:/>|>.*?</\1>)", re.DOTALL)

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")

_BASE64 = re.compile(
    r"(?P<said>data:[\w/+.;=-]*;base64,\s*)?"
    r"(?P<packed>[A-Za-z0-9+/]{24,}(?:(?:\\n|\s+)[A-Za-z0-9+/]+)*={0,2})"
)

_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2})+")


def _unescaped(text: str) -> str:
    def plain(found: re.Match[str]) -> str:
        written = re.sub(r"\\x", r"\\u00", found[0])
        try:
            return str(json.loads(f'"{written}"'))
        except ValueError:
            return found[0]

    return _ESCAPED.sub(plain, text).encode("utf-8", "replace").decode()
