"""The files that raters returned: in folders, in zip archives, and in archives in folders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from multifidus.errors import CohortError, ReadError
from multifidus.io.scan import ZIP_IN_ZIP
from multifidus.io.walk import is_zip, unpack

_SYSTEM_FOLDER = "__MACOSX"
_SYSTEM_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
_SYSTEM_PREFIX = "._"
"""What macOS and Windows add to folders that are mailed or copied: never anybody's work."""


@dataclass(frozen=True, slots=True)
class ReturnedFile:
    """A file that came back.

    Parameters
    ----------
    path
        Where it can be read.
    shown
        Where it came from, for messages: of a file in an archive, the archive and its name in it.
    problem
        Why it cannot be taken apart; empty if it is no archive, or could be.
    """

    path: Path
    shown: Path
    problem: str = ""


def returned_files(sources: Sequence[Path]) -> tuple[ReturnedFile, ...]:
    """List every file in folders and zip archives, without what systems add.

    Archives are unpacked with the limits of :func:`multifidus.io.walk.unpack`. One that lies in a
    folder and is damaged or dangerous is listed with its problem; one that is named is refused.

    Raises
    ------
    CohortError
        If nothing is named.
    ReadError
        If a source is neither a folder nor a zip archive, or an archive is damaged or dangerous.
    """
    if not sources:
        msg = "Nothing is named that could be merged."
        raise CohortError(msg, remedy="Name the folders or zip archives that raters returned.")
    return tuple(
        file
        for source in {path.resolve(): path for path in sources}.values()
        for file in _of_source(source)
    )


def _of_source(source: Path) -> Iterator[ReturnedFile]:
    if _is_archive(source):
        yield from _unpacked(source)
        return
    if not source.is_dir():
        msg = f"{source} is no folder and no zip archive."
        raise ReadError(msg, remedy="Check the path.")
    for path in _files(source):
        if not _is_archive(path):
            yield ReturnedFile(path, path)
            continue
        try:
            yield from _unpacked(path)
        except ReadError as error:
            yield ReturnedFile(path, path, str(error))


def _is_archive(path: Path) -> bool:
    return path.is_file() and is_zip(path)


def _unpacked(archive: Path) -> Iterator[ReturnedFile]:
    folder = unpack(archive)
    for path in _files(folder):
        shown = archive / path.relative_to(folder)
        yield ReturnedFile(path, shown, ZIP_IN_ZIP if is_zip(path) else "")


def _files(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if not _is_of_system(path.relative_to(folder)))


def _is_of_system(path: Path) -> bool:
    return (
        _SYSTEM_FOLDER in path.parts
        or path.name in _SYSTEM_FILES
        or path.name.startswith(_SYSTEM_PREFIX)
    )
