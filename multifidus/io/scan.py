"""What a reader found under a path: exams, and what it passed over with the reason."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
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


def walk(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield every file under paths, sorted, without following links to folders.

    Raises
    ------
    ReadError
        If a path does not exist.
    """
    for path in paths:
        if not path.exists():
            msg = f"{path} does not exist."
            raise ReadError(msg, remedy="Check the path.")
        if not path.is_dir():
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders.sort()
            for name in sorted(files):
                yield Path(folder) / name
