"""Typed levels in an order in which no spine has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.geometry import Orientation, Plane
from multifidus.data.image import Exam
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import LevelError

APART_MM = 5.0
"""Slices nearer than this in height may be of stacks that overlap, and are not put in order."""


@dataclass(frozen=True, slots=True, eq=False)
class _Typed:
    """A slice and the level that was typed for it; ``words`` are what people call the slice."""

    level: Level
    plane: Plane
    shape: tuple[int, int]
    words: str


def check_order(exam: Exam, rois: RoiSet) -> None:
    """Refuse levels typed for axial slices that do not run down the spine as the slices lie.

    Each reading is held by itself, with the levels typed for slices. Heights are where the slices
    cut one vertical line through the middle of their images.

    Raises
    ------
    LevelError
        Naming the first two slices in the wrong order, and their levels.
    """
    places = {
        item.uid: (f"slice {index}", item.plane, item.shape)
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
        _check(found)


def _words(exam: Exam, plane: Plane, shape: tuple[int, int]) -> str:
    """Call a slice whose UID the exam does not know by its place."""
    found = exam.find_slices(plane, shape)
    return f"slice {found[0][1]}" if found else "a slice of no series"


def _check(found: Mapping[str, _Typed]) -> None:
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
