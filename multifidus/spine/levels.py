"""Which level of the spine every axial slice shows, by landmarks.

A slice is named after the landmark whose distance to the slice's *plane*, along the slice's
normal, is least. The corner of a slice (its position in DICOM) lies far in front of the spine: on
a slice at an angle its height says nothing about the spine, and rules that use it name slices
after their neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.geometry import PATIENT_Z, Orientation, tilt_deg
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.landmark import Landmark
from multifidus.data.protocol import TiltAxis
from multifidus.errors import LevelError
from multifidus.spine.curve import Spine, Station

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AMBIGUOUS_MM = 4.0
"""Margins below this are flagged: two landmarks set 2 mm off would name the slice otherwise."""

SHORT_STACK = 0.8
"""A stack that reaches over less than this share of the distance of discs, one of several, was
angled to one disc and shows that one alone."""

OFF_CENTRE_MM = 8.0
"""A short stack whose middle is further than this from its disc is not centred on it. Where most
are not, the landmarks may be of another exam."""

LEAST_CENTRED = 3
"""Fewer slices than this may be such as somebody chose, beside a disc as well as on it."""

NAMED_POSITION_MM = 5.0
"""A slice further than this from a landmark has no slice position; half the height of a disc."""

OUTSIDE_MM = 30.0
"""Landmarks further than this outside all images were marked on others."""

BEYOND_MM = 250.0
"""The length of a lumbar spine, T12 to S1."""


@dataclass(frozen=True, slots=True)
class LevelAssignment:
    """Which level a slice shows, how surely, and how the slice is tilted there.

    Parameters
    ----------
    slice_uid, series, slice_index
        The slice, its series' UID and its 0-based place there.
    level
        Of the nearest landmark that reaches so far; None for a slice beyond all of them.
    slice_position
        ``mid_disc`` or another for the slice of its series that is nearest to such a landmark, if
        it is within ``NAMED_POSITION_MM``; else unknown.
    offset_mm
        Signed distance of the slice plane from that landmark along the slice's normal, positive
        to cranial; NaN without a level.
    margin_mm
        How much further the nearest landmark of another level is; infinite where there is none,
        NaN without a level.
    tilt_deg, tilt_axis
        Signed tilt (:func:`multifidus.data.geometry.tilt_deg`), against the spine's axis there, or
        against patient z where the landmarks give no axis.
    flags
        Doubts: ``level_ambiguous`` for a margin below ``AMBIGUOUS_MM``, for a slice far beyond the
        outermost landmark, where the next may have been forgotten
        (:meth:`multifidus.spine.curve.Spine.is_beyond`), for one whose stack is centred on another
        disc, and for all of short stacks most of which are centred on no disc; and frames of
        reference that differ.
    """

    slice_uid: str
    series: str
    slice_index: int
    level: Level | None
    slice_position: SlicePosition
    offset_mm: float
    margin_mm: float
    tilt_deg: float
    tilt_axis: TiltAxis
    flags: tuple[Flag, ...] = ()


def assign_levels(exam: Exam, landmarks: Iterable[Landmark]) -> tuple[LevelAssignment, ...]:
    """Say for every slice of every axial series which level it shows.

    Parameters
    ----------
    exam
        Pixels are not read.
    landmarks
        Of this exam, usually marked on its sagittal series. Discs alone make every slice between
        them one of the nearest disc; marked endplates make slices of the vertebra as well.

    Returns
    -------
    tuple of LevelAssignment
        In the order of series and slices.

    Raises
    ------
    LevelError
        If landmarks contradict each other (see :meth:`multifidus.spine.curve.Spine.marked_by`), lie
        outside the images, or the exam has no axial series.
    """
    marks = tuple(landmarks)
    spine = Spine.marked_by(marks)
    axial = axial_series(exam)
    if not axial:
        msg = f"Exam {exam.subject} {exam.timepoint} has no axial series."
        raise LevelError(msg, remedy="Load the axial images as well.")
    check_frame(exam, marks)
    found = [(series, tuple(_assign(series, spine, exam))) for series in axial]
    if sum(len(series.stacks) for series in axial) == 1:
        return found[0][1]
    return tuple(_beside_stacks(found, spine))


def axial_series(exam: Exam) -> tuple[Series, ...]:
    """Return the series whose slices have a level."""
    return tuple(
        series
        for series in exam.series
        if series.orientation is Orientation.AXIAL and series.weighting is not Weighting.LOCALIZER
    )


def check_frame(exam: Exam, landmarks: Sequence[Landmark]) -> None:
    """Refuse landmarks that were marked in another frame of reference or on another exam.

    Raises
    ------
    LevelError
        Naming the first that lies more than ``OUTSIDE_MM`` outside the box around all images. An
        exam of axial images alone may show a part of the spine: there, landmarks may lie above
        and below the images by ``BEYOND_MM``, but not all of them.
    """
    corners = np.concatenate(
        [item.plane.corners_mm(item.shape) for series in exam.series for item in series.slices]
    )
    low, high = corners.min(axis=0) - OUTSIDE_MM, corners.max(axis=0) + OUTSIDE_MM
    if all(series.orientation is Orientation.AXIAL for series in exam.series):
        heights = [float(mark.position_mm[2]) for mark in landmarks]
        if any(low[2] <= height <= high[2] for height in heights):
            low[2], high[2] = low[2] - BEYOND_MM, high[2] + BEYOND_MM
    for mark in landmarks:
        if (mark.position_mm < low).any() or (mark.position_mm > high).any():
            place, start, end = (
                "(" + ", ".join(f"{part:.0f}" for part in point) + ")"
                for point in (mark.position_mm, low, high)
            )
            msg = (
                f"The landmark {mark.kind} of {mark.level} lies at LPS {place} mm, outside the "
                f"images of exam {exam.subject} {exam.timepoint} and their surroundings, {start} "
                f"to {end} mm."
            )
            remedy = "It belongs to another exam or frame of reference; mark it on these images."
            raise LevelError(msg, remedy=remedy)


def _assign(series: Series, spine: Spine, exam: Exam) -> Iterator[LevelAssignment]:
    offsets = np.array([spine.offsets_mm(item.plane) for item in series.slices])
    nearest = np.abs(offsets).argmin(axis=0)
    doubts = (Flag.FRAME_OF_REFERENCE_DIFFERS,) if _is_elsewhere(series, exam) else ()
    for index, item in enumerate(series.slices):
        found = _choose(spine.stations, offsets[index])
        position, level, offset, margin = SlicePosition.UNKNOWN, None, math.nan, math.nan
        flags: tuple[Flag, ...] = doubts
        if found is not None:
            station, margin = found
            chosen = spine.stations[station]
            level, offset = chosen.level, float(offsets[index, station])
            if nearest[station] == index and abs(offset) <= NAMED_POSITION_MM:
                position = chosen.slice_position
            if margin < AMBIGUOUS_MM or spine.is_beyond(station, offset):
                flags = (Flag.LEVEL_AMBIGUOUS, *doubts)
        axis = spine.axis_at(item.plane) if spine.has_axis else PATIENT_Z
        yield LevelAssignment(
            slice_uid=item.uid,
            series=series.uid,
            slice_index=index,
            level=level,
            slice_position=position,
            offset_mm=offset,
            margin_mm=margin,
            tilt_deg=tilt_deg(item.plane.normal, axis),
            tilt_axis=TiltAxis.SPINE if spine.has_axis else TiltAxis.PATIENT_Z,
            flags=flags,
        )


@dataclass(frozen=True, slots=True)
class _ShortStack:
    """What the slices of one stack say together, where it was angled to one disc.

    ``middles`` are the levels of its middle slice, or slices; ``off_mm`` is how far its middle
    lies from the disc that they are named after: infinite where they are named after two, NaN
    where one is named after none, or the slices are too few to be centred on anything.
    """

    middles: frozenset[Level | None]
    off_mm: float


def _beside_stacks(
    found: Sequence[tuple[Series, Sequence[LevelAssignment]]], spine: Spine
) -> Iterator[LevelAssignment]:
    """Flag discs that are not the one on which a slice's own short stack is centred.

    Where most short stacks are centred on no disc, the landmarks fit none of them.
    """
    stacks = [item for series, own in found for item in _stacks(series, own, spine)]
    off = [short.off_mm for _, short in stacks if short and not math.isnan(short.off_mm)]
    are_strange = len(off) > 1 and 2 * sum(mm > OFF_CENTRE_MM for mm in off) > len(off)
    for members, short in stacks:
        for item in members:
            is_other = item.level and item.level.is_disc and short and short.middles != {item.level}
            if is_other or (are_strange and short and item.level):
                flags = dict.fromkeys((Flag.LEVEL_AMBIGUOUS, *item.flags))
                yield replace(item, flags=tuple(flags))
            else:
                yield item


def _stacks(
    series: Series, found: Sequence[LevelAssignment], spine: Spine
) -> Iterator[tuple[Sequence[LevelAssignment], _ShortStack | None]]:
    """Part the slices of a series into stacks; a stack that shows no one disc gets None."""
    end = 0
    for stack in series.stacks:
        start, end = end, end + len(stack.slices)
        members = found[start:end]
        reach = (len(members) - 1) * (stack.slice_step_mm or 0.0)
        middle = [members[(len(members) - n) // 2] for n in (0, 1)]
        levels = frozenset(item.level for item in middle)
        shows_vertebra = any(level and not level.is_disc for level in levels)
        is_short = reach < SHORT_STACK * min(spine.steps_mm) and not shows_vertebra
        off = abs(sum(item.offset_mm for item in middle) / 2)
        if len(members) < LEAST_CENTRED:
            off = math.nan
        elif len(levels - {None}) > 1:
            off = math.inf
        yield members, _ShortStack(levels, off) if is_short else None


def _choose(stations: tuple[Station, ...], offsets: Array) -> tuple[int, float] | None:
    """Return the nearest station that reaches the slice, and how much further the next level is."""
    near = [i for i, station in enumerate(stations) if station.reaches(float(offsets[i]))]
    if not near:
        return None
    chosen = min(near, key=lambda i: abs(float(offsets[i])))
    others = [
        abs(float(offset))
        for station, offset in zip(stations, offsets, strict=True)
        if station.level is not stations[chosen].level
    ]
    return chosen, min(others, default=math.inf) - abs(float(offsets[chosen]))


def _is_elsewhere(series: Series, exam: Exam) -> bool:
    """Whether no sagittal series is known to share the frame of an axial one, and one is not."""
    frames = {
        other.frame_of_reference_uid
        for other in exam.series
        if other.orientation is Orientation.SAGITTAL and other.frame_of_reference_uid
    }
    frame = series.frame_of_reference_uid
    return bool(frame and frames and frame not in frames)
