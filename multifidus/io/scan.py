"""What a reader found under a path: exams, and what it passed over with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from multifidus.errors import ReadError
from multifidus.image import Exam


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read, and why."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Scan:
    """Exams found, files skipped, and from which files each series came.

    Parameters
    ----------
    exams, skipped
        What was found, and what was passed over.
    paths
        Series UID to the files it was read from.
    """

    exams: tuple[Exam, ...]
    skipped: tuple[Skipped, ...]
    paths: dict[str, tuple[Path, ...]]

    @property
    def files(self) -> dict[str, int]:
        """Series UID to the number of files it was read from."""
        return {uid: len(paths) for uid, paths in self.paths.items()}


@dataclass(frozen=True, slots=True)
class Walked:
    """Files found under paths, and folders that could not be opened."""

    files: tuple[Path, ...]
    skipped: tuple[Skipped, ...]


def walk(paths: Iterable[Path]) -> Walked:
    """Find every file under paths, sorted, without following links to folders.

    A DICOMDIR stands for the folder that it lies in.

    Raises
    ------
    ReadError
        If a path does not exist.
    """
    files: list[Path] = []
    skipped: list[Skipped] = []

    def refused(error: OSError) -> None:
        skipped.append(Skipped(Path(error.filename), f"Cannot be opened: {error.strerror}."))

    for path in paths:
        if not path.exists():
            msg = f"{path} does not exist."
            raise ReadError(msg, remedy="Check the path.")
        root = path.parent if _is_dicomdir(path) else path
        if not root.is_dir():
            files.append(root)
            continue
        for folder, folders, names in os.walk(root, onerror=refused):
            folders.sort()
            found = (Path(folder) / name for name in sorted(names))
            files.extend(file for file in found if not _is_dicomdir(file))
    return Walked(tuple(files), tuple(skipped))


def _is_dicomdir(path: Path) -> bool:
    """Whether a file is the index of a DICOM medium, which itself holds no image."""
    return path.name.upper() == "DICOMDIR" and path.is_file()
