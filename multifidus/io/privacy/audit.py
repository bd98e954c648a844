"""Every file of a folder searched for what identifies persons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.io.files import name_from
from multifidus.io.privacy.contents import Part, parts_of
from multifidus.io.privacy.search import Hit, Search
from multifidus.io.walk import walk

NAME_OF_FILE = "name of the file or its folders"


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
    findings: dict[Finding, None] = {}
    unread: dict[Unread, None] = {}
    for done, path in enumerate(found.files, start=1):
        for item in _in_file(path, name_from(path, root), search):
            (findings if isinstance(item, Finding) else unread)[item] = None  # type: ignore[index]
        progress(done, len(found.files))
    for skipped in found.skipped:
        name = name_from(skipped.path, root)
        unread[Unread(name, "", skipped.reason.rstrip("."))] = None
        findings |= dict.fromkeys(_in_name(name, search))
    return Audit(len(found.files), tuple(findings), tuple(unread))


def _in_file(path: Path, name: str, search: Search) -> Iterator[Finding | Unread]:
    yield from _in_name(name, search)
    try:
        data = path.read_bytes()
    except OSError as error:
        yield Unread(name, "", error.strerror or type(error).__name__)
        return
    for part in parts_of(data):
        if part.unread:
            yield Unread(name, part.where, part.unread)
        for hit in _in_part(part, search):
            yield Finding(name, part.where, hit.what, hit.text)


def _in_name(name: str, search: Search) -> Iterator[Finding]:
    for hit in search.in_text(name):
        yield Finding(name, NAME_OF_FILE, hit.what, hit.text)


def _in_part(part: Part, search: Search) -> Iterator[Hit]:
    if isinstance(part.data, str):
        yield from search.in_text(part.data)
    else:
        yield from search.in_bytes(part.data)
