"""Every file under some paths, those in zip archives as well, and what is passed over."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from multifidus.errors import ReadError
from multifidus.io.files import reading
from multifidus.io.scan_result import Skipped

NOT_A_FILE = "Neither a file nor a folder."


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Files found under paths, and folders that could not be opened."""

    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def walk(paths: Iterable[Path]) -> FoundFiles:
    """Find every file under paths, sorted, without following links to folders.

    A DICOMDIR stands for the folder that it lies in. What is neither file nor folder, such as a
    pipe, which would be waited for without end, is passed over.

    Raises
    ------
    ReadError
        If a path does not exist.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []
    for path in paths:
        with reading(path, "a file or folder"):
            if not path.exists():
                msg = f"{path} does not exist."
                raise ReadError(msg, remedy="Check the path.")
            root = path.parent if _is_dicomdir(path) else path
            if root.is_dir():
                _walk(root, files, skipped)
            elif root.is_file():
                files.append(root)
            else:
                skipped.append(Skipped(root, NOT_A_FILE))
    return FoundFiles(tuple(files), tuple(skipped))


def _walk(root: Path, files: list[Path], skipped: list[Skipped]) -> None:
    """Add what lies under a folder: its own files, then those of each folder in it."""
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            skipped.append(Skipped(folder, f"Cannot be opened: {error.strerror}."))
            continue
        inside = []
        for entry in entries:
            path = Path(entry.path)
            # The system tells the kind with the name, so this opens and asks nothing more.
            if entry.is_dir(follow_symlinks=False):
                inside.append(path)
            elif reason := _not_a_file(entry):
                skipped.append(Skipped(path, reason))
            elif not _is_dicomdir(path):
                files.append(path)
        waiting.extend(reversed(inside))


def _not_a_file(entry: os.DirEntry[str]) -> str:
    """Say why an entry that is no folder is no file either; empty where it is one."""
    try:
        if entry.is_file():
            return ""
        if entry.is_dir():
            return "A link to a folder, which is not followed."
    except OSError as error:
        return f"Cannot be opened: {error.strerror}."
    return "A link to nothing." if not Path(entry.path).exists() else NOT_A_FILE


def _is_dicomdir(path: Path) -> bool:
    """Whether a file is the index of a DICOM medium, which itself holds no image."""
    return path.name.upper() == "DICOMDIR" and path.is_file()


GROWTH_AT_MOST = 200
"""Archives that would grow more than this are refused: scans shrink 2- to 20-fold."""

SMALL_BYTES = 1 << 30
"""What an archive may unpack to whatever its growth."""

_CHUNK = 1 << 20

_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    IndexError,  # a member without a name
)


def is_zip(path: Path) -> bool:
    """Whether a file is a zip archive by its name and its content."""
    # What is no file is not opened: a pipe would be waited for.
    return path.suffix.lower() == ".zip" and path.is_file() and zipfile.is_zipfile(path)


def unpack(path: Path, most: int | None = None) -> Path:
    """Unpack an archive and return the folder; it is removed when the program ends.

    Parameters
    ----------
    path
        The archive.
    most
        How many of its members to unpack, the first ones; all if None.

    Raises
    ------
    ReadError
        If the archive is damaged or locked, holds names that climb out of it, or would unpack to
        far more than its size.
    """
    with reading(path, "a zip archive"):
        try:
            with zipfile.ZipFile(path) as archive:
                members = [member for member in archive.infolist() if not member.is_dir()]
                _check(path, members)
                folder = Path(tempfile.mkdtemp(prefix="multifidus-"))
                atexit.register(shutil.rmtree, folder, ignore_errors=True)
                for member in members[:most]:
                    _copy(archive, member, folder)
        except _DAMAGE as error:
            msg = f"{path} is not a readable zip archive: {error}."
            raise ReadError(msg, remedy="Unpack it yourself, or export it again.") from error
    return folder


def _check(path: Path, members: list[zipfile.ZipInfo]) -> None:
    for member in members:
        name = PurePosixPath(member.filename.replace("\\", "/"))
        parts = name.parts or ("..",)
        if name.is_absolute() or ".." in parts or ":" in parts[0]:
            msg = f"{path} holds a name that climbs out of it: {member.filename!r}."
            raise ReadError(msg, remedy="Do not open archives of unknown origin.")
    total = sum(member.file_size for member in members)
    if total > max(SMALL_BYTES, GROWTH_AT_MOST * path.stat().st_size):
        msg = f"{path} would unpack to {total} bytes, over {GROWTH_AT_MOST} times its size."
        raise ReadError(msg, remedy="Unpack it yourself if you trust it.")


def _copy(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    """Write one member; never more bytes than its header promised, on which the check rests."""
    target = folder / PurePosixPath(member.filename.replace("\\", "/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as source, target.open("wb") as sink:
        while left and (chunk := source.read(min(left, _CHUNK))):
            sink.write(chunk)
            left -= len(chunk)
