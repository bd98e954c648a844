"""What was found under a path: exams, problems with their identity and order, skipped files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from multifidus.data.identity import Person
from multifidus.data.image import Exam, Series
from multifidus.errors import ReadError


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that was not read; why, and what to do."""

    path: Path
    reason: str


class ProblemKind(StrEnum):
    """What is uncertain: whose images they are, or when they were made."""

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
    LABELS_SHARED = "labels_shared"
    DATE_UNUSABLE = "date_unusable"


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

_REMARKS = (ProblemKind.LABELS_SHARED, ProblemKind.DATE_UNUSABLE)
"""Kinds about what the names and tables of a BIDS dataset say; ``inspect`` lists them apart."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something uncertain about exams, and what was done about it.

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
    def is_remark(self) -> bool:
        """Whether it is about what the names and tables of a BIDS dataset say."""
        return self.kind in _REMARKS

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
    archives
        Folders that archives were unpacked into, which go when the program ends, to the archives.
    problems
        What is doubtful about whose the exams are and when they were, and what was done about it.
    people
        What is known of each exam's person.
    in_order
        Subjects of formats without dates: of the order of their exams, their names are asked.
    """

    exams: tuple[Exam, ...]
    skipped: tuple[Skipped, ...]
    paths: Mapping[tuple[str, str, str], tuple[Path, ...]]
    roots: Mapping[Path, Path] = field(default_factory=dict)
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

    def or_refuse(self, where: str) -> Scan:
        """Return what was found, if that is an exam.

        Raises
        ------
        ReadError
            If it is none; names the place and why files were skipped.
        """
        if self.exams:
            return self
        reasons = "; ".join(f"{item.path.name}: {item.reason}" for item in self.skipped[:5])
        more = "" if len(self.skipped) <= 5 else f"; and {len(self.skipped) - 5} more"  # noqa: PLR2004
        why = f"{len(self.skipped)} files skipped ({reasons}{more})" if reasons else "it is empty"
        msg = f"No image to measure in {where}: {why}."
        raise ReadError(msg, remedy="Give a folder of DICOM, or a NIfTI, NRRD or MetaImage file.")
