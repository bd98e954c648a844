"""Zip archives of scans: unpacked beside the system's temporary files until the program ends."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from multifidus.errors import ReadError
from multifidus.io.files import reading

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
    return path.suffix.lower() == ".zip" and zipfile.is_zipfile(path)


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
