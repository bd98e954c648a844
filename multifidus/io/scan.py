"""What a reader found under a path: exams, doubts about whose they are, and what it passed over."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from multifidus.data.identity import Person
from multifidus.data.image import Exam, Series
from multifidus.errors import ReadError
from multifidus.io.files import reading

NOT_A_FILE = "Neither a file nor a folder."


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read; why, and what to do."""

    path: Path
    reason: str


class ProblemKind(StrEnum):
    """What is doubtful about whose images are, or when they were made."""

    PATIENT_ID_SHARED = "patient_id_shared"
    PERSON_UNCLEAR = "person_unclear"
    PERSON_UNKNOWN = "person_unknown"
    IDENTITY_UNKNOWN = "identity_unknown"
    STUDY_UID_SHARED = "study_uid_shared"
    SERIES_UID_SHARED = "series_uid_shared"
    IMAGES_SHARED = "images_shared"
    DATE_TAKEN_ELSEWHERE = "date_taken_elsewhere"
    UNDATED = "undated"
    SAME_DAY = "same_day"


ExamKey = tuple[str, str]
"""Subject and timepoint of an exam, which no other exam of its scan has."""

MOST_NAMED = 10
"""Exams that a message names before it only counts the rest."""

_ABOUT_PEOPLE = (
    ProblemKind.PATIENT_ID_SHARED,
    ProblemKind.PERSON_UNCLEAR,
    ProblemKind.PERSON_UNKNOWN,
)
"""Kinds that name subjects, not exams."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A doubt about exams, and what was done about it.

    Parameters
    ----------
    kind
        In a word.
    text
        The message, with ``{who}`` and ``{count}`` in place of whom it is about.
    exams
        Which, by the names that they have in the scan.
    facts
        What differs between them, in the words of DICOM where it has them.
    """

    kind: ProblemKind
    text: str
    exams: tuple[ExamKey, ...]
    facts: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        """Whose exams these are, each once."""
        return tuple(dict.fromkeys(subject for subject, _ in self.exams))

    @property
    def is_about_people(self) -> bool:
        """Whether it asks who is one."""
        return self.kind in _ABOUT_PEOPLE

    @property
    def message(self) -> str:
        """Say it to people, in names that identify nobody."""
        names = self.subjects if self.is_about_people else tuple(map(" ".join, self.exams))
        return self.text.format(who=in_words(names), count=len(names))


def in_words(names: Iterable[str]) -> str:
    """Join names in words, many of them shortened.

    >>> in_words(["a", "b", "c"])
    'a, b and c'
    """
    found = list(names)
    if len(found) > MOST_NAMED:
        found = [*found[: MOST_NAMED - 1], f"{len(found) - MOST_NAMED + 1} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """Exams found, files skipped, and from which files each series came.

    Parameters
    ----------
    exams, skipped
        What was found, and what was passed over.
    paths
        The files that each series was read from, by the subject and timepoint of its exam and its
        UID: what is called a UID may be that of several people's series.
    roots
        Folders that were looked into to what the user calls them: a folder by its own name, an
        unpacked archive by the archive's.
    remarks
        What was decided on the way; sentences.
    archives
        Folders that archives were unpacked into, which go when the program ends, to the archives.
    problems
        What is doubtful about whose the exams are.
    people
        What is known of each exam's person.
    in_order
        Subjects of formats without dates: of the order of their exams, their names are asked.
    """

    exams: tuple[Exam, ...]
    skipped: tuple[Skipped, ...]
    paths: Mapping[tuple[str, str, str], tuple[Path, ...]]
    roots: Mapping[Path, Path] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    archives: Mapping[Path, Path] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    people: Mapping[ExamKey, Person] = field(default_factory=dict, repr=False)
    in_order: frozenset[str] = frozenset()

    def paths_of(self, exam: Exam, *series: Series) -> tuple[Path, ...]:
        """Return the files of an exam, or of some of its series, sorted."""
        found = (
            path
            for item in series or exam.series
            for path in self.paths[exam.subject, exam.timepoint, item.uid]
        )
        return tuple(sorted(set(found)))

    def archive_of(self, path: Path) -> Path | None:
        """Return the archive that a file lies in; None where it lies in none."""
        return next((self.archives[f] for f in path.parents if f in self.archives), None)

    def known_as(self, path: Path) -> Path:
        """Return the part of a file's path that lies in what the user gave, its name included."""
        for folder in path.parents:
            if folder in self.roots:
                return self.roots[folder] / path.relative_to(folder)
        return Path(path.name)

    def shortened(self, text: str) -> str:
        """Return a text with files named from what the user gave, not from where that lies."""
        for folder in sorted(self.roots, key=lambda root: -len(str(root))):
            if folder != Path():
                text = text.replace(f"{folder}{os.sep}", f"{self.roots[folder]}{os.sep}")
        return text


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
