"""The level and tilt of slices: typed by raters, or else derived from landmarks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.geometry import PATIENT_Z, Orientation, Plane, tilt_deg, unit
from multifidus.data.image import Exam, Series
from multifidus.data.protocol import MeasurementProtocol, TiltAxis
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_words
from multifidus.errors import LevelError
from multifidus.spine.curve import Spine
from multifidus.spine.levels import AMBIGUOUS_MM, LevelAssignment, assign_levels, axial_series

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_TOLERANCE_DEG = 1e-5

APART_MM = 5.0
"""Slices nearer than this in height may be of stacks that overlap, and are not put in order."""


@dataclass(frozen=True, slots=True)
class Tilt:
    """How a slice is tilted, and against what.

    Parameters
    ----------
    deg
        Signed, in the sagittal plane (:func:`multifidus.data.geometry.tilt_deg`).
    axis
        Against what.
    cosine
        Of the whole angle between the slice's normal and the axis, sideways lean included: the
        section of a prism along the axis is its slice's area times this.
    is_fallback
        Whether patient z stands in for a spine whose axis no landmarks give.
    """

    deg: float
    axis: TiltAxis
    cosine: float
    is_fallback: bool = False

    def flags(self, limit_deg: float) -> tuple[Flag, ...]:
        """Return the quality flags of areas as they are; leaning sideways counts."""
        over = math.degrees(math.acos(self.cosine)) > limit_deg + _TOLERANCE_DEG
        return (Flag.TILT_OVER_LIMIT, *self.unknown) if over else ()

    @property
    def unknown(self) -> tuple[Flag, ...]:
        """The quality flag of areas that it corrects."""
        return (Flag.TILT_UNKNOWN,) if self.is_fallback else ()


@dataclass(frozen=True, slots=True)
class ResolvedLevel:
    """The level of a slice, as it stands in the tables.

    Parameters
    ----------
    level, slice_position
        Typed by hand, else by landmarks, else None and unknown.
    offset_mm
        Signed distance of the slice plane from the landmark of that level, positive to cranial;
        NaN where none is known.
    tilt
        Of the slice.
    flags
        Quality flags of the level.
    """

    level: Level | None
    slice_position: SlicePosition
    offset_mm: float
    tilt: Tilt
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LevelResolver:
    """Levels by an exam's landmarks, to be combined with those typed for its slices.

    Parameters
    ----------
    protocol
        Names the axis of tilt.
    spine, assigned
        What the landmarks mark, and say of each slice by its series and place; None and empty
        where there are none.
    tilts
        Of the planes that were asked for: a slice has many outlines.
    """

    protocol: MeasurementProtocol
    spine: Spine | None = None
    assigned: dict[tuple[str, int], LevelAssignment] = field(default_factory=dict)
    tilts: dict[Plane, Tilt] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, exam: Exam, rois: RoiSet, protocol: MeasurementProtocol) -> LevelResolver:
        """Read the landmarks of a set of outlines, if it has any.

        Raises
        ------
        LevelError
            If the landmarks or the typed levels contradict each other or do not belong to the exam.
        """
        _check_typed(exam, rois)
        if not rois.landmarks:
            return cls(protocol)
        # Without axial slices there is a tilt and no level: oblique images are measured as well.
        found = assign_levels(exam, rois.landmarks) if axial_series(exam) else ()
        by_place = {(item.series, item.slice_index): item for item in found}
        return cls(protocol, Spine.marked_by(rois.landmarks), by_place)

    def resolve(
        self,
        series: Series,
        index: int,
        level: Level | None = None,
        slice_position: SlicePosition = SlicePosition.UNKNOWN,
    ) -> ResolvedLevel:
        """Return the level of a slice: what was typed, else what the landmarks give.

        Parameters
        ----------
        series, index
            The slice's series and its place there.
        level, slice_position
            What was typed; None and unknown where nothing was.
        """
        plane = series.slices[index].plane
        tilt = self.tilt(plane)
        found = self.assigned.get((series.uid, index))
        if found is None or self.spine is None:
            return ResolvedLevel(level, slice_position, math.nan, tilt)
        if level in {None, found.level}:
            typed = slice_position is not SlicePosition.UNKNOWN
            position = slice_position if typed else found.slice_position
            # What was typed is not in doubt.
            flags = tuple(f for f in found.flags if level is None or f != Flag.LEVEL_AMBIGUOUS)
            return ResolvedLevel(found.level, position, found.offset_mm, tilt, flags)
        offset, contradicts = _beside(self.spine, plane, level)
        conflict = (Flag.LEVEL_CONFLICT,) if contradicts else ()
        rest = tuple(flag for flag in found.flags if flag != Flag.LEVEL_AMBIGUOUS)
        return ResolvedLevel(level, slice_position, offset, tilt, (*conflict, *rest))

    def tilt(self, plane: Plane) -> Tilt:
        """Measure a slice's tilt against the axis that the protocol names."""
        if plane not in self.tilts:
            self.tilts[plane] = self._tilt(plane)
        return self.tilts[plane]

    def _tilt(self, plane: Plane) -> Tilt:
        name, fallback = self.protocol.tilt_axis, False
        if name is TiltAxis.SPINE and (self.spine is None or not self.spine.has_axis):
            name, fallback = TiltAxis.PATIENT_Z, True
        axis: Array = np.array(PATIENT_Z)
        if name is TiltAxis.VECTOR and self.protocol.tilt_vector is not None:
            axis = unit(self.protocol.tilt_vector)
        elif name is TiltAxis.SPINE and self.spine is not None:
            axis = self.spine.axis_at(plane)
        cosine = min(abs(float(plane.normal @ axis)), 1.0)
        return Tilt(tilt_deg(plane.normal, axis), name, cosine, fallback)


def _check_typed(exam: Exam, rois: RoiSet) -> None:
    """Refuse levels that were typed twice, are in no spine's order, or of which none is known."""
    levels: dict[str, Level] = {}
    for typed in rois.levels:
        first = levels.setdefault(typed.slice_uid, typed.level)
        if first is not typed.level:
            msg = f"Slice {typed.slice_uid} is typed as {first} and as {typed.level}."
            raise LevelError(msg, remedy="Delete one of them.")
    # Where UIDs were changed, slices are known by the outlines on them alone.
    known = {item.uid for series in exam.series for item in series.slices}
    known |= {roi.key.slice_uid for roi in rois}
    if levels and known.isdisjoint(levels):
        msg = (
            f"Levels are typed for slice {next(iter(levels))} and others; no slice of exam "
            f"{exam.subject} {exam.timepoint} and no outline on it is of that name."
        )
        raise LevelError(msg, remedy="They belong to another exam; type them for these slices.")
    _check_order(exam, rois)


def _beside(spine: Spine, plane: Plane, level: Level) -> tuple[float, bool]:
    """Return a typed level's own offset, and whether the landmarks contradict the level.

    They do where the typed level's landmark is clearly further than the nearest one, or, where it
    has none, where it does not lie between the landmarks on either side of the slice.
    """
    offsets = [
        (station.level, float(offset))
        for station, offset in zip(spine.stations, spine.offsets_mm(plane), strict=True)
    ]
    own = [offset for other, offset in offsets if other is level]
    if own:
        offset = min(own, key=abs)
        nearest = min(abs(offset) for _, offset in offsets)
        return offset, abs(offset) - nearest >= AMBIGUOUS_MM
    above = max((other.rank for other, offset in offsets if offset < 0), default=-1)
    below = min((other.rank for other, offset in offsets if offset > 0), default=len(Level))
    return math.nan, not above <= level.rank <= below


@dataclass(frozen=True, slots=True, eq=False)
class _Typed:
    """A slice and the level that was typed for it; ``words`` are what people call the slice."""

    level: Level
    plane: Plane
    shape: tuple[int, int]
    words: str


def _check_order(exam: Exam, rois: RoiSet) -> None:
    """Refuse levels typed for axial slices that do not run down the spine as the slices lie.

    Each reading is held by itself, with the levels typed for slices. Heights are where the slices
    cut one vertical line through the middle of their images.

    Raises
    ------
    LevelError
        Naming the first two slices in the wrong order, and their levels.
    """
    places = {
        item.uid: (slice_words(index), item.plane, item.shape)
        for series in exam.series
        for index, item in enumerate(series.slices)
    }
    shared = {
        item.slice_uid: _Typed(item.level, plane, shape, words)
        for item in rois.levels
        if item.slice_uid in places
        for words, plane, shape in (places[item.slice_uid],)
    }
    readings: dict[Reading, dict[str, _Typed]] = {rois.reading: dict(shared)}
    for roi in rois:
        uid, level = roi.key.slice_uid, rois.level_of(roi)[0]
        if level is not None and roi.key.structure.is_muscle:
            words = places[uid][0] if uid in places else _words(exam, roi.plane, roi.shape)
            own = readings.setdefault(roi.key.reading, dict(shared))
            own[uid or words] = _Typed(level, roi.plane, roi.shape, words)
    for found in readings.values():
        _check_down(found)


def _words(exam: Exam, plane: Plane, shape: tuple[int, int]) -> str:
    """Call a slice whose UID the exam does not know by its place."""
    found = exam.find_slices(plane, shape)
    return slice_words(found[0][1]) if found else "a slice of no series"


def _check_down(found: Mapping[str, _Typed]) -> None:
    typed = [item for item in found.values() if item.plane.orientation is Orientation.AXIAL]
    if len({item.level for item in typed}) < 2:  # noqa: PLR2004 - an order needs two
        return
    heights = _heights_mm(typed)
    down = sorted(zip(heights, typed, strict=True), key=lambda pair: -pair[0])
    for (high, upper), (low, lower) in combinations(down, 2):
        if high - low >= APART_MM and upper.level.rank > lower.level.rank:
            msg = (
                f"Levels are typed in an order that no spine has: {upper.words} as {upper.level}, "
                f"and {lower.words}, {high - low:.0f} mm below it, as {lower.level}."
            )
            remedy = "Correct the level of one; L1-L2 lies above L5-S1, whatever the slices' order."
            raise LevelError(msg, remedy=remedy)


def _heights_mm(typed: Sequence[_Typed]) -> list[float]:
    """Return where slices cut the vertical line through the mean of their images' middles."""
    centres = [
        item.plane.to_patient([((item.shape[0] - 1) / 2, (item.shape[1] - 1) / 2)])[0]
        for item in typed
    ]
    middle = np.mean(centres, axis=0)
    return [
        -float(item.plane.distance_mm(middle[None])[0]) / float(item.plane.normal[2])
        for item in typed
    ]
