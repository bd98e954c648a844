"""The exam that was read last, for the next reading of it: raters of one exam follow each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from multifidus.data.image import Exam
from multifidus.io.read import read_exam
from multifidus.io.walk import is_zip
from multifidus.study.run.content import UNREADABLE, ContentHashes

Key = tuple[tuple[Path, str], ...]
"""Files and folders by their paths, each with the hash of what is in it."""


@dataclass(slots=True)
class LastExam:
    """Reads exams, and returns the last one again where it is asked for once more.

    Parameters
    ----------
    hashes
        Of files; where one has changed, the exam is read anew.
    """

    hashes: ContentHashes = field(default_factory=ContentHashes)
    _held: tuple[Key, Exam] | None = None

    def read(self, images: Sequence[Path], contrasts: Path | None) -> Exam:
        """Return the exam that some files are of, with pixels that were decoded for it before.

        Raises
        ------
        ReadError
            If it cannot be read.
        """
        key = self._key((*images, *((contrasts,) if contrasts else ())))
        if self._held is not None and self._held[0] == key:
            return self._held[1]
        self._held = None  # two exams at a time would take twice the memory
        exam = read_exam(*images, contrasts=contrasts)
        # What an archive holds is gone with its case.
        if not any(map(is_zip, images)) and all(hashed != UNREADABLE for _, hashed in key):
            self._held = key, exam
        return exam

    def _key(self, paths: Sequence[Path]) -> Key:
        return tuple((path, self.hashes.of(path)) for path in paths)
