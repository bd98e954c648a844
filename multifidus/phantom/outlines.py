"""The outlines that a perfect rater would draw on a phantom exam."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Roi, RoiKey
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.phantom.boundary import boundary_mm, point_on_slice
from multifidus.phantom.identity import RATER, SUBJECT, timepoint
from multifidus.phantom.prescription import POSITION_DECIMALS
from multifidus.phantom.spine import DISCS, disc_s_mm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from multifidus.data.image import Series
    from multifidus.phantom.prescription import SliceGrid
    from multifidus.phantom.spec import PhantomSpec
    from multifidus.phantom.subject import Subject

    Array = NDArray[np.float64]

OUTLINE_POINTS = 360
"""Vertices of a muscle's outline; its polygon is less than 0.03 % smaller than the muscle."""

LEAN_RADIUS_MM, FAT_RADIUS_MM = 5.0, 4.0
"""Radius of the round reference samples."""

_REFERENCE_POINTS = 48
_COARSE_POINTS = 128


def true_outlines(
    subject: Subject, spec: PhantomSpec, series: Series, grids: dict[str, SliceGrid]
) -> RoiSet:
    """Outline everything on the axial series, with levels typed and discs marked.

    Vertices lie on the true boundary, rounded to 1e-6 mm.
    """
    reading = Reading(SUBJECT, timepoint(spec.variant), RATER, 1)
    rois, levels = [], []
    for item in series.slices:
        grid = grids[item.uid]
        if grid.level is None:
            continue
        levels.append(SliceLevel(item.uid, grid.level, grid.slice_position))
        for structure, side, points in _slice_outlines(subject, grid, grid.level):
            rois.append(
                Roi(
                    RoiKey(reading, item.uid, structure, side),
                    (np.round(points, POSITION_DECIMALS),),
                    item.plane,
                    item.shape,
                    grid.level,
                    grid.slice_position,
                    RoiRule.FASCIAL if structure.is_muscle else RoiRule.UNKNOWN,
                )
            )
    return RoiSet(tuple(rois), disc_landmarks(subject), tuple(levels), reading=reading)


def disc_landmarks(subject: Subject) -> tuple[Landmark, ...]:
    """Mark the true centres of the discs."""
    places = np.array([(0.0, 0.0, disc_s_mm(disc)) for disc in DISCS])
    points = np.round(subject.to_patient(places), POSITION_DECIMALS)
    return tuple(
        Landmark(LandmarkKind.DISC_CENTRE, disc, point)
        for disc, point in zip(DISCS, points, strict=True)
    )


def _slice_outlines(
    subject: Subject, grid: SliceGrid, level: Level
) -> Iterator[tuple[Structure, Side, Array]]:
    for pattern in subject.patterns_at(level):
        structure, side = pattern.muscle.structure, pattern.muscle.side
        yield structure, side, boundary_mm(subject, pattern.muscle.solid, grid, OUTLINE_POINTS)
        if structure is Structure.ERECTOR_SPINAE:
            centre = point_on_slice(subject, grid, pattern.lean_core)
            yield Structure.LEAN_REFERENCE, side, _circle(grid, centre, LEAN_RADIUS_MM)
    for side, pocket in zip((Side.LEFT, Side.RIGHT), subject.trunk.pockets, strict=True):
        centre = point_on_slice(subject, grid, pocket.centre_mm)
        yield Structure.FAT_REFERENCE, side, _circle(grid, centre, FAT_RADIUS_MM)
    if grid.slice_position is SlicePosition.MID_DISC:
        column = subject.skeleton.column
        yield Structure.DISC, Side.NONE, boundary_mm(subject, column, grid, _COARSE_POINTS)
    yield Structure.CSF, Side.NONE, boundary_mm(subject, subject.skeleton.sac, grid, _COARSE_POINTS)
    if subject.implants is not None and level is Level.L4_L5:
        for side, rod in subject.implants.rods.items():
            yield Structure.ARTEFACT, side, boundary_mm(subject, rod, grid, _COARSE_POINTS)


def _circle(grid: SliceGrid, centre_mm: Array, radius_mm: float) -> Array:
    angle = np.linspace(0, 2 * np.pi, _REFERENCE_POINTS, endpoint=False)[:, None]
    around = np.cos(angle) * grid.column_direction + np.sin(angle) * grid.row_direction
    return np.asarray(centre_mm + radius_mm * around)
