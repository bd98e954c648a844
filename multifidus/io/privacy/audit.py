"""Every file of a folder searched for what identifies persons."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from multifidus.io.files import name_from
from multifidus.io.privacy.contents import Part, parts_of
from multifidus.io.privacy.search import Hit, Search
from multifidus.io.walk import walk

NAME_OF_FILE = "name of the file or its folders"
TARGET_OF_LINK = "what the link points to"

LARGEST_BYTES = 1 << 27
"""Larger files are not taken apart: their bytes are searched piece by piece."""

TOO_LARGE = f"larger than {LARGEST_BYTES >> 20} MiB: searched as bytes, what is packed is not"

CHUNK, OVERLAP = 1 << 24, 1 << 9


@dataclass(frozen=True, slots=True)
class Finding:
    """An identifier in a file.

    Attributes
    ----------
    file
        Relative to the folder that was searched.
    where
        Where in the file; empty for its text as it stands.
    what
        What kind of identifier.
    text
        The identifier itself. Not to be printed unasked.
    """

    file: str
    where: str
    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of one, that could not be looked into."""

    file: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found in a folder.

    Attributes
    ----------
    files
        How many were searched.
    findings, unread
        What was found, and what could not be looked into.
    """

    files: int
    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]


def audit_folder(
    folder: Path, search: Search, progress: Callable[[int, int], None] = lambda *_: None
) -> Audit:
    """Look into every file of a folder, whatever it is packed in, and at every name.

    Text within the pixels of images is not looked for.

    Parameters
    ----------
    folder
        A folder, or one file.
    search
        What to look for.
    progress
        Called with the number of files done, and of all.

    Raises
    ------
    ReadError
        If the folder does not exist.
    """
    found = walk([folder])
    root = folder if folder.is_dir() else folder.parent
    files = (*found.files, *_indices(folder)) if folder.is_dir() else (folder,)
    findings: dict[Finding, None] = {}
    unread: dict[Unread, None] = {}
    for done, path in enumerate(files, start=1):
        for item in _in_file(path, name_from(path, root), search):
            (findings if isinstance(item, Finding) else unread)[item] = None  # type: ignore[index]
        progress(done, len(files))
    for skipped in found.skipped if folder.is_dir() else ():
        name = name_from(skipped.path, root)
        unread[Unread(_shown(name), "", skipped.reason.rstrip("."))] = None
        findings |= dict.fromkeys(_in_names(skipped.path, name, search))
    for path in _empty_folders(folder):
        findings |= dict.fromkeys(_in_names(path, name_from(path, root), search))
    return Audit(len(files), tuple(findings), tuple(unread))


def _indices(folder: Path) -> list[Path]:
    """Return the indices of DICOM media, which hold no image, but the names of all patients."""
    return sorted(path for path in folder.rglob("*") if path.name.upper() == "DICOMDIR")


def _empty_folders(folder: Path) -> list[Path]:
    """Return the folders that hold nothing, whose names no file has."""
    return sorted(Path(base) for base, *inside in os.walk(folder) if not any(inside))


def _in_file(path: Path, name: str, search: Search) -> Iterator[Finding | Unread]:
    yield from _in_names(path, name, search)
    shown = _shown(name)
    try:
        if path.stat().st_size > LARGEST_BYTES:
            yield Unread(shown, "", TOO_LARGE)
            yield from _in_large(path, shown, search)
            return
        data = path.read_bytes()
    except OSError as error:
        yield Unread(shown, "", error.strerror or type(error).__name__)
        return
    for part in parts_of(data):
        if part.unread:
            yield Unread(shown, part.where, part.unread)
        for hit in _in_part(part, search):
            yield Finding(shown, part.where, hit.what, hit.text)


def _in_large(path: Path, shown: str, search: Search) -> Iterator[Finding]:
    """Search the bytes of a file that is too large to be taken apart, piece by piece."""
    with path.open("rb") as file:
        before = b""
        while piece := file.read(CHUNK):
            for hit in search.in_bytes(before + piece):
                yield Finding(shown, "", hit.what, hit.text)
            before = piece[-OVERLAP:]


def _in_names(path: Path, name: str, search: Search) -> Iterator[Finding]:
    """Search the name of a file or folder, and what it points to if it is a link."""
    yield from _in_name(name, NAME_OF_FILE, name, search)
    if path.is_symlink():
        yield from _in_name(name, TARGET_OF_LINK, str(path.readlink()), search)


def _in_name(name: str, where: str, text: str, search: Search) -> Iterator[Finding]:
    hits = dict.fromkeys(search.in_text(_shown(text)))
    if _shown(text) != text:  # a name that is no UTF-8
        hits |= dict.fromkeys(search.in_bytes(b"/" + os.fsencode(text) + b"/"))
    for hit in hits:
        yield Finding(_shown(name), where, hit.what, hit.text)


def _shown(name: str) -> str:
    """Return a name that can be printed, whatever bytes it is made of."""
    return name.encode("utf-8", "backslashreplace").decode()


def masked(found: Audit, search: Search) -> Audit:
    """Hide what names a person in the names of files, so that the list can be passed on.

    Parameters
    ----------
    found
        What was found.
    search
        What it was searched for.
    """
    hidden: dict[str, str] = {}

    def mask(text: str) -> str:
        parts = re.split(r"([/\\]|, )", text)
        for number, part in enumerate(parts):
            if part not in hidden and any(search.in_text(part)):
                hidden[part] = f"[hidden {len(hidden) + 1}]"
            parts[number] = hidden.get(part, part)
        whole = "".join(parts)
        return "[hidden]" if any(search.in_text(whole)) else whole

    shown = cache(mask)
    return Audit(
        found.files,
        tuple(replace(one, file=shown(one.file), where=shown(one.where)) for one in found.findings),
        tuple(replace(one, file=shown(one.file), where=shown(one.where)) for one in found.unread),
    )


def _in_part(part: Part, search: Search) -> Iterator[Hit]:
    if isinstance(part.data, str):
        yield from search.in_text(part.data)
    else:
        yield from search.in_bytes(part.data)
