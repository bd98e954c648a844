"""Reading and writing files safely, whatever their format."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from multifidus.errors import ReadError, WriteError

_CHUNK = 1 << 20


def is_file(path: Path) -> bool:
    """Whether there is such a file; a text that is too long to be a name is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def named_path(text: str, folder: Path) -> Path:
    """Return the path that a table or a header in a folder names, whatever system wrote it.

    A backslash parts folders, as it does where the table was written on Windows, unless a file of
    that very name is there.
    """
    literal = folder / text
    # Where a text is too long to be a name, pathlib raises an error.
    if "\\" not in text or os.path.exists(literal):  # noqa: PTH110
        return literal
    return folder / text.replace("\\", "/")


def name_from(path: Path, folder: Path) -> str:
    """Name a path relative to a folder, with ``/``, as tables do on every system."""
    try:
        return PurePath(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive
        return path.as_posix()


@contextlib.contextmanager
def reading(path: Path, what: str) -> Iterator[None]:
    """Turn what the system or a wrong encoding raises while reading into :class:`ReadError`."""
    try:
        yield
    except ReadError:
        raise
    except OSError as error:
        if error.errno == errno.ENOMEM:  # nothing is wrong with the file
            raise MemoryError(str(error)) from error
        reason = error.strerror or str(error) or type(error).__name__
        msg = f"Cannot read {path} as {what}: {reason}."
        raise ReadError(msg, remedy="Check the path and its permissions.") from error
    except UnicodeDecodeError as error:
        msg = f"Cannot read {path} as {what}: it is not UTF-8 text."
        raise ReadError(msg, remedy="Save it again with the encoding UTF-8.") from error


def refuse_pipe(path: Path) -> None:
    """Refuse what is neither a file nor a folder: a pipe would be waited for without end.

    Raises
    ------
    ReadError
        If it is there and is such.
    """
    with reading(path, "a file"):
        if path.exists() and not path.is_file() and not path.is_dir():
            msg = f"{path} is neither a file nor a folder."
            raise ReadError(msg, remedy="Check the path.")


def refuse_file_as_folder(folder: Path) -> None:
    """Refuse to write to a folder that is a file, or that would lie below one.

    Raises
    ------
    WriteError
        If it does.
    """
    nearest = next((one for one in (folder, *folder.parents) if one.exists()), folder)
    if nearest.exists() and not nearest.is_dir():
        msg = f"{nearest} is a file, not a folder to write to."
        raise WriteError(msg, remedy="Choose another name.")


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, where they are not there yet.

    Raises
    ------
    WriteError
        If a file has the name of one of them.
    """
    refuse_file_as_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Refuse to replace a file unasked, or to write below a file.

    Raises
    ------
    WriteError
        If the file exists and overwriting was not asked for, or its folder is a file.
    """
    refuse_file_as_folder(path.parent)
    if path.exists() and not overwrite:
        msg = f"{path} already exists."
        raise WriteError(msg, remedy="Choose another name, or ask for it to be overwritten.")


def write_atomically(
    path: Path, write: Callable[[Path], None], *, overwrite: bool, mode: int = 0o666
) -> None:
    """Write a file beside its place and move it there when it is whole.

    A reader sees the old file or the new one, never half of either.

    Parameters
    ----------
    path
        Where it goes; its folder is made if need be.
    write
        Writes the file that it is given.
    overwrite
        Whether an existing file may be replaced.
    mode
        Who may do what with it, before the user's own permission mask.

    Raises
    ------
    WriteError
        If the file exists and overwriting was not asked for, or its folder is a file.
    """
    refuse_existing(path, overwrite=overwrite)
    make_folder(path.parent)
    # Opened by hand so that the user's own permission mask applies, as tempfile's would not.
    waiting = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    os.close(os.open(waiting, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        write(waiting)
        with waiting.open("rb+") as file:
            os.fsync(file.fileno())
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)


def write_text(path: Path, text: str, *, overwrite: bool) -> None:
    """Write UTF-8 text atomically, with newlines as they are."""
    write_atomically(path, lambda part: _put(part, text.encode()), overwrite=overwrite)


def content_sha256(*paths: Path) -> str:
    """Hash the bytes of a file, or of several one after another."""
    digest = hashlib.sha256()
    for path in paths:
        with reading(path, "a file"), path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def _put(path: Path, data: bytes) -> None:
    path.write_bytes(data)
