"""Every file under some paths, and what is passed over."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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
