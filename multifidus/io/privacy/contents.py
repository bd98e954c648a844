"""What files hold as text or bytes, whatever they are packed in."""

from __future__ import annotations

import contextlib
import io
import lzma
import re
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from multifidus.io.privacy.archives import (
    PACKED,
    is_dense,
    is_tar,
    is_zip_behind,
    tar_parts,
    zip_behind,
)
from multifidus.io.privacy.elements import element_texts
from multifidus.io.privacy.pdf import pdf_parts
from multifidus.io.privacy.pictures import gif_texts, jpeg_texts, png_texts, webp_texts
from multifidus.io.privacy.texts import as_text, embedded, of_a_byte_each, readings

DEEPEST = 8
"""Parts within parts that are looked into."""


PIECE, OVERLAP = 1 << 22, 1 << 12
"""Long texts are read in other ways piece by piece, so that not all of them are held at once."""


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
    opened = _opener(data)
    if opened is None:
        yield from _unpacked_parts(data, where, depth)
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


def _opener(data: bytes) -> Callable[[bytes], Iterator[Part]] | None:
    return next((open_ for begins, open_ in _KINDS if begins(data)), None)


def _unpacked_parts(data: bytes, where: str, depth: int) -> Iterator[Part]:
    """Yield text or bytes that are packed in no way that is known here."""
    text = as_text(data)
    if text is None or b"\0" in data:  # bytes may pass for text of two bytes a letter
        yield Part(where, data)
    if text is None:
        text = of_a_byte_each(data)
    if text is not None:
        yield from _text_parts(text, where, depth)
    elif is_dense(data):
        yield Part(where, unread="packed or locked in a way that is not known")
    for begins, why in _CLOSED:
        if data.startswith(begins):
            yield Part(where, unread=why)


_CLOSED = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
    (b"\x1f\x9d", "packed with compress"),
    (b"ARROW1", "columns of an Arrow file may be packed"),
    (b"\x89HDF", "data of an HDF5 file may be packed"),
    (b"MATLAB 5.0", "variables of a MATLAB file may be packed"),
    (b"$FL", "an SPSS file: numbers, dates and packed texts"),
    (b"\xd0\xcf\x11\xe0", "an Office file of before 2007: numbers, dates and split texts"),
    (b"\x80\x04", "a pickle: numbers and dates"),
    (b"\x80\x05", "a pickle: numbers and dates"),
    (b"{\\rtf", "an RTF document: texts with signs other than English letters"),
    (b"%!PS", "a PostScript file: texts that are drawn letter by letter"),
)  # fmt: skip
"""Kinds of files of which only what stands in clear text is seen."""


_DAMAGE = (
    OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError,
    NotImplementedError, struct.error, sqlite3.Error,
)  # fmt: skip


# --- text ----------------------------------------------------------------------------------------


def _text_parts(text: str, where: str, depth: int) -> Iterator[Part]:
    """Yield a text as it stands, as it reads otherwise, and the files that are embedded in it."""
    yield Part(where, text)
    for start in range(0, len(text), PIECE):
        for how, reading in readings(text[start : start + PIECE + OVERLAP]):
            yield Part(_within(where, how), reading)
    for number, (found, is_said) in enumerate(embedded(text), start=1):
        place = _within(where, f"embedded file {number}")
        if found is None:
            if is_said:
                yield Part(place, unread="damaged: base64")
        elif is_said or _opener(found) or as_text(found):
            yield from _parts(found, place, depth + 1)


def _within(where: str, what: str) -> str:
    return f"{where}, {what}" if where else what


# --- images --------------------------------------------------------------------------------------


def _dicom(data: bytes) -> Iterator[Part]:
    """Yield a DICOM file as bytes, and the texts of its elements in its own character set."""
    yield Part("", data)
    for where, found in element_texts(data):
        yield Part(where, found)


def _picture(
    texts: Callable[[bytes], Iterator[tuple[str, bytes]]],
) -> Callable[[bytes], Iterator[Part]]:
    return lambda data: (Part(where, found) for where, found in texts(data))


def _parquet(data: bytes) -> Iterator[Part]:
    yield Part("", data)
    yield Part("", unread="columns of a Parquet file are packed")


def _nifti(data: bytes) -> Iterator[Part]:
    """Yield a NIfTI file as bytes, and each of its extensions, which may be a file by itself."""
    yield Part("", data)
    # In NIfTI-1 and -2: database, description, auxiliary file, name of the intent.
    fields = (
        ((14, 32), (148, 252), (328, 344)) if data[344:345] == b"n" else ((240, 344), (508, 524))
    )
    texts = b"\n".join(data[first:last] for first, last in fields)
    yield Part("NIfTI header", re.sub("[\0\ufffd]+", "\n", texts.decode("utf-8", "replace")))
    order = "<" if data[:2] in {b"\x5c\x01", b"\x1c\x02"} else ">"
    at = int.from_bytes(data[:4], "little" if order == "<" else "big")
    if not data[at : at + 1].strip(b"\0"):
        return
    at += 4
    while at + 8 <= len(data):
        size, _ = struct.unpack(f"{order}ii", data[at : at + 8])
        if size < 16 or size % 16 or at + size > len(data):  # noqa: PLR2004 - of the format
            return
        yield Part("NIfTI extension", data[at + 8 : at + size].rstrip(b"\0"))
        at += size


def _numpy(data: bytes) -> Iterator[Part]:
    """Yield texts and whole numbers of an array of numpy."""
    yield Part("", data)
    array = np.load(io.BytesIO(data), allow_pickle=False)
    if array.dtype.kind in "OV":
        yield Part("", unread="a numpy array of mixed kinds")
    elif array.dtype.kind in "USM" or (array.dtype.kind in "iu" and array.ndim <= 2):  # noqa: PLR2004
        yield Part("numpy array", "\n".join(map(str, np.unique(array).tolist())))


def _sqlite(data: bytes) -> Iterator[Part]:
    """Yield the bytes of a database, deleted rows among them, and its rows as text."""
    yield Part("", data)
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(data)
        base.text_factory = lambda found: found.decode("utf-8", "replace")
        tables = base.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in tables:
            quoted = name.replace('"', '""')
            rows = base.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 - a name cannot be bound
            yield Part(f"table {name}", "\n".join("\t".join(map(str, row)) for row in rows))


def _pdf(data: bytes) -> Iterator[Part]:
    yield Part("", data)
    for where, found, unread in pdf_parts(data):
        yield Part(where, found, unread)


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(marks)


def _packed(
    members: Callable[[bytes], Iterator[tuple[str, bytes | str, str]]],
) -> Callable[[bytes], Iterator[Part]]:
    return lambda data: (Part(*found) for found in members(data))


_KINDS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], Iterator[Part]]], ...] = (
    *((_begins(mark), _packed(members)) for mark, members in PACKED),
    (is_tar, _packed(tar_parts)),
    (lambda data: data[344:347] in {b"n+1", b"ni1"} or data[4:7] in {b"n+2", b"ni2"}, _nifti),
    (_begins(b"\x93NUMPY"), _numpy),
    (_begins(b"SQLite format 3\0"), _sqlite),
    (_begins(b"GIF8"), _picture(gif_texts)),
    (_begins(b"\x89PNG\r\n\x1a\n"), _picture(png_texts)),
    (_begins(b"\xff\xd8\xff"), _picture(jpeg_texts)),
    (lambda data: data.startswith(b"RIFF") and data[8:12] == b"WEBP", _picture(webp_texts)),
    (lambda data: b"%PDF-" in data[:1024], _pdf),
    (_begins(b"PAR1"), _parquet),
    (lambda data: data[128:132] == b"DICM", _dicom),
    (is_zip_behind, _packed(zip_behind)),
)
