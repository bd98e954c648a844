"""What a reading list hides and what it does not allow.

An entry is opened under its code, with nothing left that tells whose exam it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from multifidus.data.clinical import UNKNOWN
from multifidus.data.image import Series
from multifidus.data.roi import Reading
from multifidus.data.roi_set import merge
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.outlines import read_rois
from multifidus.io.outlines_json import SUFFIX, read_outlines
from multifidus.io.read import read_exam
from multifidus.reading.worklist import WorklistItem
from napari_multifidus.models.grid import axial_series
from napari_multifidus.models.opening import OpenedExam

SHORTEST = 2
"""Shorter names are not looked for in messages: they stand in any word by chance."""

HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Access:
    """The limits that a reading list sets.

    Attributes
    ----------
    fixed
        Why rater, reading and folder cannot be changed; empty where they can.
    blinded
        Whether subject, timepoint and the outlines of others are hidden.
    redact
        Takes out of a message what is hidden.
    """

    fixed: str = ""
    blinded: bool = False
    redact: Callable[[str], str] = str

    @property
    def in_list(self) -> bool:
        """Whether the reading belongs to a reading list."""
        return self.blinded or bool(self.fixed)

    def refuse_if_fixed(self) -> None:
        """Refuse to change whose reading it is, or where it is kept, where that is settled.

        Raises
        ------
        MultifidusError
            If the reading belongs to a reading list.
        """
        if self.fixed:
            raise MultifidusError(self.fixed)

    def refuse_if_blinded(self, words: str) -> None:
        """Refuse what would show what is hidden, in words that say what is not allowed.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if self.blinded:
            msg = f"This reading is blinded: {words}"
            raise MultifidusError(msg)

    def refuse_other_reading(self, path: Path, by: Reading) -> None:
        """Refuse to show what the rater drew in another reading of the same exam.

        Raises
        ------
        MultifidusError
            If the reading belongs to a reading list, and the file holds such outlines.
        """
        if not self.fixed or not path.name.endswith(SUFFIX):
            return
        rois = read_outlines(path)
        whose = rois.rois[0].key.reading if rois.rois else rois.reading
        if whose != by and replace(whose, reading=by.reading) == by:
            msg = f"{path.name} is your reading {whose.reading} of this exam."
            raise MultifidusError(msg, remedy="Read the exam again without it.")

    def refuse_other_exams_if_blinded(self) -> None:
        """Refuse to open exams by their files, whose names tell what blinding hides."""
        self.refuse_if_blinded("exams are opened from the reading list alone.")


def open_item(item: WorklistItem, *, blinded: bool) -> OpenedExam:
    """Read the exam of a worklist's entry under the name that the entry has.

    Where it is blinded, what the cohort and the headers say about the person, the dates and the
    surgery is dropped, and so is where the files are.

    Raises
    ------
    MultifidusError
        If the exam cannot be read; where it is blinded, in words that do not tell whose it is.
    """
    if item.case is None:
        msg = f"The cohort no longer lists the exam of {item.by.subject}."
        raise CohortError(msg, remedy="Tell the study coordinator.")
    case = item.case
    try:
        exam = read_exam(*case.images)
        named = replace(exam, subject=item.by.subject, timepoint=item.by.timepoint)
        if not blinded:
            named = replace(named, clinical=case.clinical)
            path = case.images[0] if len(case.images) == 1 else None
            return OpenedExam(named, axial_series(named)[0], path, shared=case.landmarks)
        series = tuple(map(_without_paths, named.series))
        named = replace(named, series=series, date=None, identity="", clinical=UNKNOWN)
        shared = [read_rois(path, exam).read_by(Reading()) for path in case.landmarks]
        return OpenedExam(named, axial_series(named)[0], shared=merge(shared) if shared else ())
    except MultifidusError as error:
        if not blinded:
            raise
        hide = redactor(item)
        # Without its cause, whose message names files.
        raise type(error)(hide(error.message), remedy=hide(error.remedy)) from None


def _without_paths(series: Series) -> Series:
    """Return a series whose marks tell as much of what belongs together, and nothing else.

    Formats without identifiers mark a series by its file, whose name may be a person's.
    """
    run = replace(series.run, marks=tuple(map(_sealed, series.run.marks)))
    return replace(series, signal_group=_sealed(series.signal_group), run=run)


def _sealed(mark: str) -> str:
    """Return what is the same for the same mark; marks are compared, never read."""
    return hashlib.sha256(mark.encode()).hexdigest() if mark else ""


def redactor(item: WorklistItem) -> Callable[[str], str]:
    """Return what takes the names of an exam, and paths to it, out of a message."""
    names = [re.escape(path) + r"[^\s'\",;:]*" for path in _longest_first(_paths(item))]
    words = {item.truth.subject, item.truth.timepoint, *_parts(item)}
    long_enough = (word for word in words if len(word) >= SHORTEST)
    names += [rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" for word in _longest_first(long_enough)]
    pattern = re.compile("|".join(names), re.IGNORECASE)
    return lambda message: pattern.sub(HIDDEN, message)


def _longest_first(words: Iterable[str]) -> list[str]:
    return sorted(set(words), key=lambda word: (-len(word), word))


def _files(item: WorklistItem) -> tuple[Path, ...]:
    case = item.case
    return (*case.images, *case.landmarks, *case.outlines) if case is not None else ()


def _paths(item: WorklistItem) -> Iterator[str]:
    for path in _files(item):
        yield str(path)
        yield str(path.resolve())


def _parts(item: WorklistItem) -> Iterator[str]:
    """Names of the files themselves, and of the folders that hold them."""
    for path in _files(item):
        yield path.name
        yield path.name.split(".")[0]
