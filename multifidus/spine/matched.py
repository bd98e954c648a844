"""The same place on the spine in two exams of one person: which slice, and where on it.

Two exams lie in two frames of reference. What is the same in both is the level and its landmark;
coordinates are the same only where the scanner says that the frame is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import SlicePosition
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane, unit
from multifidus.spine.curve import Spine, Station
from multifidus.spine.resolve import ResolvedLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DOUBTFUL = frozenset({Flag.LEVEL_AMBIGUOUS, Flag.LEVEL_CONFLICT})
"""Flags of a level by which no slice is matched without a word."""


@dataclass(frozen=True, slots=True)
class LevelMatch:
    """The slice of another exam that shows the same level.

    Attributes
    ----------
    index
        Its place in the series; None where none is known to.
    words
        Why none is, or what is doubtful about the one that is; empty where nothing is.
    """

    index: int | None
    words: str = ""


def matched_slice(wanted: ResolvedLevel, others: Sequence[ResolvedLevel]) -> LevelMatch:
    """Find the slice of another exam at the level of one of this exam.

    Of several slices of the level, the one whose distance from its landmark is the most similar is
    taken; where distances are not known, the middle one.

    Parameters
    ----------
    wanted
        Level of the slice of this exam.
    others
        Levels of the other exam's slices, in the order of their series.
    """
    if wanted.level is None:
        return LevelMatch(None, "the level of this slice is not known")
    if all(other.level is None for other in others):
        return LevelMatch(None, "no level of the other exam is known")
    there = [index for index, other in enumerate(others) if other.level is wanted.level]
    if not there:
        return LevelMatch(None, f"no slice of the other exam is known to show {wanted.level}")
    place = wanted.slice_position
    alike = [index for index in there if others[index].slice_position is place]
    known = [
        index
        for index in (alike or there)
        if not math.isnan(others[index].offset_mm - wanted.offset_mm)
    ]
    words = []
    if known:
        found = min(known, key=lambda n: abs(others[n].offset_mm - wanted.offset_mm))
    else:
        candidates = alike or there
        found = candidates[len(candidates) // 2]
        if len(candidates) > 1:
            words.append(f"the middle one of {len(candidates)} slices of {wanted.level}")
    if place is not SlicePosition.UNKNOWN and not alike:
        words.append("at another place within the level")
    if not DOUBTFUL.isdisjoint((*wanted.flags, *others[found].flags)):
        words.append("its level is in doubt")
    return LevelMatch(found, "; ".join(words))


def shared_stations(
    one: Spine | None, other: Spine | None, wanted: ResolvedLevel
) -> tuple[Station, Station] | None:
    """Return the landmark of a level in two exams; None where it is not marked in both alike."""
    if one is None or other is None or wanted.level is None:
        return None
    ours, theirs = (
        {item.slice_position: item for item in spine.stations if item.level is wanted.level}
        for spine in (one, other)
    )
    shared = [place for place in ours if place in theirs]
    # The place of the slice itself, else the middle of the disc or vertebra.
    middles = (SlicePosition.MID_DISC, SlicePosition.MID_BODY)
    order = [place for place in (wanted.slice_position, *middles) if place in shared]
    place = next(iter((*order, *shared)), None)
    return None if place is None else (ours[place], theirs[place])


@dataclass(frozen=True, slots=True, eq=False)
class AnchoredPlane:
    """A slice and the point of it that a landmark stands at.

    Parameters
    ----------
    plane
        Of the slice.
    landmark_mm
        LPS, shape (3,); it need not lie in the plane.
    """

    plane: Plane
    landmark_mm: Array

    @property
    def _axes(self) -> Array:
        """Directions to the patient's left and to posterior within the plane, shape (2, 3)."""
        normal = self.plane.normal
        left = unit(np.array((1.0, 0.0, 0.0)) - normal[0] * normal)
        back = np.cross(normal, left)
        return np.stack((left, back if back[1] >= 0 else -back))

    @property
    def _anchor(self) -> Array:
        away = float(self.plane.distance_mm(self.landmark_mm[None])[0])
        return np.asarray(self.landmark_mm - away * self.plane.normal)

    def from_landmark(self, point_mm: Array) -> Array:
        """Return how far a point of the plane lies to the left of the landmark and behind it."""
        return np.asarray(self._axes @ (point_mm - self._anchor))

    def at(self, left_mm: float, back_mm: float) -> Array:
        """Return the point of the plane so far to the left of the landmark and behind it, LPS."""
        return np.asarray(self._anchor + np.array((left_mm, back_mm)) @ self._axes)


def same_place(point_mm: Array, one: AnchoredPlane, other: AnchoredPlane) -> Array:
    """Return where a point of a slice lies on the matched slice of another exam, LPS.

    It lies as far to the left of the landmark of the level, and as far behind it, in the plane of
    either slice.

    Parameters
    ----------
    point_mm
        On the slice of this exam, LPS, shape (3,).
    one, other
        The two slices, with the landmark of their level in each exam.
    """
    left, back = one.from_landmark(point_mm)
    return other.at(float(left), float(back))
