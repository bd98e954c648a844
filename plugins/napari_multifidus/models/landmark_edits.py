"""Landmarks of the spine: which comes next, where it may be, and how they are renamed.

Pure functions: landmarks go in and other landmarks come out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.geometry import PATIENT_Z
from multifidus.data.image import Series
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError
from multifidus.spine.curve import CAGES_APART_MM, DISC_STEP_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_multifidus.models.slice_projection import SliceProjection

    Array = NDArray[np.float64]

L6_LEVELS = frozenset({Level.L5_L6, Level.L6, Level.L6_S1})
"""Levels of a spine with six lumbar vertebrae."""

_NOT_ASKED = frozenset({Level.T12, Level.T12_L1})
"""Levels that can be marked, and are not asked for."""


def levels_down(kind: LandmarkKind, *, has_l6: bool) -> tuple[Level, ...]:
    """List what a kind of landmark can mark, from cranial to caudal."""
    of_discs = kind in {LandmarkKind.DISC_CENTRE, LandmarkKind.CAGE}
    other = {Level.L5_S1} if has_l6 else L6_LEVELS
    return tuple(level for level in Level if level.is_disc == of_discs and level not in other)


def landmarks_at(
    landmarks: Iterable[Landmark], kind: LandmarkKind, level: Level | None
) -> tuple[Landmark, ...]:
    """Return the landmarks of one kind at one level."""
    return tuple(mark for mark in landmarks if mark.kind is kind and mark.level is level)


def next_level(
    landmarks: Iterable[Landmark], kind: LandmarkKind, levels: Sequence[Level], after: Level | None
) -> Level | None:
    """Return the next of some levels that is not marked yet; None if all are."""
    marked = {mark.level for mark in landmarks if mark.kind is kind}
    asked = [level for level in levels if level not in _NOT_ASKED]
    start = asked.index(after) + 1 if after in asked else 0
    order = (*asked[start:], *asked[:start])
    return next((level for level in order if level not in marked), None)


def likely_position(
    landmarks: Iterable[Landmark], kind: LandmarkKind, level: Level, *, has_l6: bool
) -> Array | None:
    """Guess where a landmark is or may be, shape (3,), from those there are; None without any."""
    landmarks = tuple(landmarks)
    own = landmarks_at(landmarks, kind, level)
    if own:
        return own[0].position_mm
    down = levels_down(LandmarkKind.DISC_CENTRE, has_l6=has_l6)
    discs = {
        down.index(mark.level): mark.position_mm
        for mark in landmarks
        if mark.kind is LandmarkKind.DISC_CENTRE and mark.level in down
    }
    beside = _disc_beside(kind, level, down)
    return _along(discs, down.index(beside)) if beside in down and discs else None


def _disc_beside(kind: LandmarkKind, level: Level, discs: Sequence[Level]) -> Level | None:
    """Return the disc that a level is, or that its endplate faces."""
    if level.is_disc:
        return level
    end = 1 if kind is LandmarkKind.SUPERIOR_ENDPLATE else 0
    return next((disc for disc in discs if disc.split("-")[end] == level), None)


def _along(discs: dict[int, Array], wanted: int) -> Array:
    """Go on, evenly, along the nearest marked discs; straight up or down from a single one."""
    near = sorted(discs, key=lambda count: abs(count - wanted))[:2]
    if len(near) == 1:
        return np.asarray(discs[near[0]] - (wanted - near[0]) * DISC_STEP_MM * np.array(PATIENT_Z))
    first, second = near
    step = (discs[second] - discs[first]) / (second - first)
    return np.asarray(discs[first] + (wanted - first) * step)


def placed(
    landmarks: Iterable[Landmark], new: Landmark, series: Series, seen: SliceProjection
) -> tuple[Landmark, ...]:
    """Add a landmark in the place of an older one of its kind and level.

    A disc may hold a cage on either side of the midline: one that lies off the sagittal slice that
    is shown, by more than half the distance of the slices of its series, is kept.
    """
    landmarks = tuple(landmarks)
    old = landmarks_at(landmarks, new.kind, new.level)
    if new.kind is LandmarkKind.CAGE and len(old) == 1:
        off_mm = abs(float(seen.item.plane.distance_mm(old[0].position_mm[None])[0]))
        old = () if off_mm > _half_gap_mm(series) else old
    replaced = min(old, key=lambda mark: _apart_mm(mark, new), default=None)
    return (*(mark for mark in landmarks if mark is not replaced), new)


def _half_gap_mm(series: Series) -> float:
    """Half the distance of the sagittal slices; the widest a cage can be where there is one."""
    gaps = [
        abs(float(b.plane.distance_mm([a.plane.origin_mm])[0])) for a, b in pairwise(series.slices)
    ]
    return min(gaps, default=CAGES_APART_MM) / 2


def _apart_mm(first: Landmark, second: Landmark) -> float:
    return float(np.linalg.norm(first.position_mm - second.position_mm))


def shifted(landmarks: Iterable[Landmark], down: int, *, has_l6: bool) -> tuple[Landmark, ...]:
    """Rename every landmark so many levels further down.

    Raises
    ------
    LevelError
        If a level would leave the lumbar spine.
    """
    return tuple(_shifted(mark, down, levels_down(mark.kind, has_l6=has_l6)) for mark in landmarks)


def _shifted(mark: Landmark, down: int, levels: Sequence[Level]) -> Landmark:
    number = levels.index(mark.level) + down
    if not 0 <= number < len(levels):
        where = "below" if down > 0 else "above"
        msg = f"{mark.level} is marked, and there is no level {where} it."
        raise LevelError(msg, remedy="Delete that landmark first.")
    return replace(mark, level=levels[number])


def renumbered(landmarks: Iterable[Landmark], *, to_l6: bool) -> tuple[Landmark, ...]:
    """Rename landmarks for six lumbar vertebrae instead of five, or back, from the sacrum up.

    Raises
    ------
    LevelError
        If there are more landmarks than levels.
    """
    return tuple(_renumbered(mark, to_l6=to_l6) for mark in landmarks)


def _renumbered(mark: Landmark, *, to_l6: bool) -> Landmark:
    before, after = (levels_down(mark.kind, has_l6=has_l6) for has_l6 in (not to_l6, to_l6))
    number = len(before) - before.index(mark.level)
    if number > len(after):
        msg = f"{mark.level} is marked, and with five lumbar vertebrae there is no place for it."
        raise LevelError(msg, remedy="Delete that landmark first.")
    return replace(mark, level=after[-number])
