"""Another exam of the same subject beside the one that is outlined: the same level, the same place.

Knows neither napari nor Qt. Nothing here changes a reading.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.cohort import Case
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet, merge
from multifidus.data.slice_number import slice_words
from multifidus.errors import MultifidusError
from multifidus.io.outlines import read_rois
from multifidus.io.outlines_json import SUFFIX, file_name
from multifidus.io.read import read_exam
from multifidus.io.same_person import KnownExam, known_exams, refuse_other_person
from multifidus.reading.worklist import Worklist, WorklistItem
from multifidus.spine.matched import (
    AnchoredPlane,
    LevelMatch,
    matched_slice,
    same_place,
    shared_stations,
)
from napari_multifidus.models.display_images import WindowPreset, limits
from napari_multifidus.models.grid import (
    axial_series,
    pixel_stack,
    series_of,
    weighting_words,
)
from napari_multifidus.models.label_maps import without_label_maps
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import colour_of
from napari_multifidus.models.slice_projection import SliceProjection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FARTHEST_MM = 5.0
"""A point further than this from a slice is not on it, where frames are the same."""


@dataclass(frozen=True, slots=True, eq=False)
class OtherExam:
    """An exam of the same subject that can be shown.

    Attributes
    ----------
    name
        What it is called in the list.
    exam
        Its images, under the names that its outlines have.
    outlines
        Files of its outlines, landmarks and levels.
    shared
        Files of landmarks and levels that all its raters share.
    days
        Days from the exam that is open to it; None where a date is not known.
    """

    name: str
    exam: Exam
    outlines: tuple[Path, ...] = ()
    shared: tuple[Path, ...] = ()
    days: int | None = None

    @property
    def words(self) -> str:
        """Name it, and when it was."""
        if self.days is None:
            return f"{self.name} · date not known"
        when = "before" if self.days < 0 else "after"
        return f"{self.name} · {abs(self.days)} days {when}"

    def session(self, beside: Series, protocol: MeasurementProtocol) -> Session:
        """Read it with what is known of its levels, on the series most like another one.

        Raises
        ------
        MultifidusError
            If it has no axial series, or a file does not fit it.
        """
        rois = [read_rois(path, self.exam) for path in self.outlines]
        shared = merge([read_rois(path, self.exam) for path in self.shared])
        held = rois[0] if rois else RoiSet(reading=Reading(self.exam.subject, self.exam.timepoint))
        drawn_on = series_of(held, self.exam)
        found = sorted(
            axial_series(self.exam),
            key=lambda series: (series.weighting is not beside.weighting, series is not drawn_on),
        )
        return Session(self.exam, found[0], held, protocol, shared=shared if self.shared else None)


def previous_first(found: Iterable[OtherExam]) -> tuple[OtherExam, ...]:
    """Put exams in order: the last one before the exam that is open, then the others.

    Where dates are not known they stay as they were given.
    """

    def rank(other: OtherExam) -> tuple[int, int]:
        if other.days is None:
            return 1, 0
        return (0, -other.days) if other.days < 0 else (2, other.days)

    return tuple(sorted(found, key=rank))


def exams_in(folder: Path, opened: KnownExam, rater: str) -> tuple[OtherExam, ...]:
    """Find the other exams of the same subject under a folder or file.

    Raises
    ------
    MultifidusError
        If there is none; the reason is that of the first exam there.
    """
    refused: list[MultifidusError] = []
    found, there = [], known_exams(folder)
    for known in there:
        try:
            refuse_other_person(opened, known)
        except MultifidusError as error:
            refused.append(error)
            continue
        images = without_label_maps(known.exam)[0]
        found.append(
            OtherExam(
                images.timepoint,
                images,
                _outlines_beside(known, images, rater, _own_folders(known, there, folder)),
                days=_days(opened.exam, images),
            )
        )
    if not found:
        raise refused[0]
    return previous_first(found)


def _own_folders(known: KnownExam, there: Iterable[KnownExam], top: Path) -> set[Path]:
    """Return the folders that hold files of this exam and of no other."""
    others = {
        folder for other in there if other is not known for path in other.paths
        for folder in path.parents
    }  # fmt: skip
    above = {folder for path in known.paths for folder in path.parents} - others
    beside = {path.with_name(f"{path.name.split('.')[0]}_outlines") for path in known.paths}
    return {folder for folder in above if folder.is_relative_to(top)} | beside


def _outlines_beside(
    known: KnownExam, exam: Exam, rater: str, folders: Iterable[Path]
) -> tuple[Path, ...]:
    """Find outlines of an exam beside its images: this rater's, else the only ones that fit."""
    fitting = {}
    for path in sorted(found for folder in folders for found in folder.glob(f"*{SUFFIX}")):
        try:
            rois = read_rois(path, exam)
        except MultifidusError:
            continue
        # Another exam's slices may lie in the same place: a slice is known by its name here.
        if {roi.key.slice_uid for roi in rois} <= known.slice_uids:
            fitting[path] = rois.rois[0].key.reading.rater if rois.rois else rois.reading.rater
    own = [path for path, whose in fitting.items() if whose == rater]
    return tuple(own[-1:]) if own else tuple(fitting) if len(fitting) == 1 else ()


def exams_of_list(worklist: Worklist, item: WorklistItem) -> tuple[OtherExam, ...]:
    """Find the other exams of an entry's subject in its cohort.

    Raises
    ------
    MultifidusError
        If there is none, an exam cannot be read, or headers say that it is of another person.
    """
    if worklist.is_blinded:
        msg = "This reading is blinded: no other exam of the subject is shown."
        raise MultifidusError(msg)
    subject, timepoint = item.truth.subject, item.truth.timepoint
    cases = [case for (who, when), case in worklist.cases.items() if who == subject]
    others = [case for case in cases if case.timepoint != timepoint]
    if item.case is None or not others:
        msg = "The cohort lists no other exam of this subject."
        raise MultifidusError(msg)
    opened = known_case(item.case)
    found = []
    for case in others:
        known = known_case(case)
        refuse_other_person(opened, known, listed_as_one=True)
        found.append(
            OtherExam(
                case.timepoint,
                known.exam,
                _outlines_of(worklist, case, item.truth.rater),
                case.landmarks,
                _days(opened.exam, known.exam),
            )
        )
    # Those before it in the table come first where no dates are known, the nearest of them first.
    order = [case.timepoint for case in cases]
    here = order.index(timepoint)
    return previous_first(
        sorted(found, key=lambda other: (here - order.index(other.name)) % len(order))
    )


def known_case(case: Case) -> KnownExam:
    """Read the exam of a row of a cohort, and what its files say about whose it is.

    Raises
    ------
    MultifidusError
        If it cannot be read.
    """
    parts = known_exams(*case.images)
    exam = replace(read_exam(*case.images), subject=case.subject, timepoint=case.timepoint)
    people = tuple(person for part in parts for person in part.people)
    return KnownExam(exam, people, tuple(path for part in parts for path in part.paths))


def _outlines_of(worklist: Worklist, case: Case, rater: str) -> tuple[Path, ...]:
    own = worklist.folder / file_name(Reading(case.subject, case.timepoint, rater, 1))
    named = [path for path in case.outlines if path.name.endswith(SUFFIX)]
    return tuple([path for path in (own, *named) if path.exists()][:1])


def _days(opened: Exam, other: Exam) -> int | None:
    if opened.date is None or other.date is None:
        return None
    return (other.date - opened.date).days


class SideBySide:
    """Two sessions, of which the other one is only looked at.

    Parameters
    ----------
    session, other
        The reading, and the other exam.

    Attributes
    ----------
    index
        The slice of the other exam that is shown.
    match
        What is known of the slice that fits the one that is open.
    """

    def __init__(self, session: Session, other: Session) -> None:
        self.session, self.other = session, other
        self.index = len(other.series.slices) // 2
        self.match = LevelMatch(None)
        self._at = -1
        # By the rule of the image beside it, or one of the two would look fattier.
        self._greys = limits(pixel_stack(other.series), WindowPreset.AUTOMATIC)

    def follow(self, index: int) -> None:
        """Go to the slice at the level of a slice of the exam that is open, if it is known.

        Whoever paged by hand stays there as long as neither slice nor level is another.
        """
        before = self._at, self.match.index
        self._at = index
        ours = self.session.analysis.slice_levels[index].settled
        theirs = [info.settled for info in self.other.analysis.slice_levels]
        self.match = matched_slice(ours, theirs)
        if self.match.index is not None and (index, self.match.index) != before:
            self.index = self.match.index

    def page(self, count: int) -> None:
        """Go on by hand."""
        last = len(self.other.series.slices) - 1
        self.index = min(max(self.index + count, 0), last)

    @property
    def is_matched(self) -> bool:
        """Whether the slice shown is the one at the level of the exam that is open."""
        return self.index == self.match.index

    @property
    def projection(self) -> SliceProjection:
        """How the slice of the other exam is shown."""
        return SliceProjection.axial(self.other.series.slices[self.index], self._greys)

    def paths(self) -> tuple[tuple[Array, str], ...]:
        """Return the outlines on the slice shown, as places, each with its colour."""
        drawing, plane = self.other.drawing, self.projection.item.plane
        return tuple(
            (self.projection.to_view(plane.to_patient(loop)), colour_of(key))
            for (key, index) in drawing.outlines
            if index == self.index
            for loop in drawing.loops(key, index)
        )

    @property
    def has_outlines(self) -> bool:
        """Whether there are outlines of the other exam, on any slice of the series shown."""
        return bool(self.other.drawing.outlines)

    @property
    def place_words(self) -> str:
        """Name the slice shown, and its level."""
        level = self.other.analysis.slice_levels[self.index].settled.level
        count = len(self.other.series.slices)
        named = "level not known" if level is None else level.value
        image = weighting_words(self.other.series)
        return f"{image} · {slice_words(self.index)} of {count} · {named}"

    @property
    def match_words(self) -> str:
        """Say whether it is at the level of the exam that is open, and why not."""
        if self.match.index is None:
            return f"Not matched: {self.match.words}. The wheel pages by hand."
        if not self.is_matched:
            return f"Paged by hand; the same level is on {slice_words(self.match.index)}."
        level = self.other.analysis.slice_levels[self.index].settled.level
        doubt = f": {self.match.words}" if self.match.words else ""
        return f"Matched by level, {level}{doubt}."

    # --- the cursor ----------------------------------------------------------------------------

    def link(self) -> tuple[AnchoredPlane, AnchoredPlane] | str | None:
        """Return what links the cursor: planes with a landmark, nothing but one frame, or why not.

        None stands for one frame of reference, in which coordinates are the same.
        """
        if self.is_matched:
            wanted = self.session.analysis.slice_levels[self._at].settled
            spines = [
                found.analysis.level_finder.resolver.spine for found in (self.session, self.other)
            ]
            stations = shared_stations(spines[0], spines[1], wanted)
            if stations is not None:
                ours, theirs = stations
                return (
                    AnchoredPlane(self._plane, ours.position_mm),
                    AnchoredPlane(self.projection.item.plane, theirs.position_mm),
                )
        frames = {found.series.frame_of_reference_uid for found in (self.session, self.other)}
        if len(frames) == 1 and "" not in frames:
            return None
        if not self.is_matched:
            return "this slice is not the one of the same level"
        return "the landmark of this level is not marked in both exams"

    @property
    def _plane(self) -> Plane:
        return self.session.series.slices[self._at].plane

    @property
    def cursor_words(self) -> str:
        """Say by what the cursor is linked, or why it is not."""
        link = self.link()
        if isinstance(link, str):
            return f"Cursor not linked: {link}."
        by = "the frame of reference" if link is None else "the landmark"
        return f"Cursor linked by {by}."

    def cursor(self, row: float, column: float) -> tuple[float, float] | None:
        """Return where a pixel of the slice that is open lies on the picture of the other exam."""
        link = self.link()
        if isinstance(link, str):
            return None
        point = self.session.series.slices[self._at].plane.to_patient([(row, column)])[0]
        projection = self.projection
        if link is not None:
            point = same_place(point, *link)
        elif abs(float(projection.item.plane.distance_mm(point[None])[0])) > FARTHEST_MM:
            return None
        right, down = projection.to_view(np.asarray(point)[None])[0]
        width, height = projection.size_mm
        return (float(right), float(down)) if 0 <= right <= width and 0 <= down <= height else None
