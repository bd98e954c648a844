"""Spines of known shape with slices through them, for tests of levels and tilt."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.landmark import Landmark, LandmarkKind

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

DISCS = (Level.L1_L2, Level.L2_L3, Level.L3_L4, Level.L4_L5, Level.L5_S1)

STEP_MM = 35.0
SHAPE = (48, 40)
PIXEL_MM = (4.0, 5.0)


def tilted_normal(tilt_deg: float) -> Array:
    """Return the normal of a slice whose anterior edge is lowered by a tilt."""
    angle = np.radians(tilt_deg)
    return np.array((0.0, -np.sin(angle), np.cos(angle)))


def slice_through(
    point: ArrayLike, tilt_deg: float = 0.0, offset_mm: float = 0.0, *, flip: bool = False
) -> Plane:
    """Return a tilted plane at a distance above a point, that point far behind its corner."""
    normal = tilted_normal(tilt_deg)
    row = np.cross(normal, (1.0, 0.0, 0.0)) * PIXEL_MM[0]
    column = np.array((1.0, 0.0, 0.0)) * PIXEL_MM[1]
    centre = np.asarray(point, dtype=np.float64) + offset_mm * normal
    origin = centre - (SHAPE[0] / 3) * row - (SHAPE[1] / 2) * column
    if flip:
        return Plane(origin + (SHAPE[0] - 1) * row, -row, column)
    return Plane(origin, row, column)


def exam_through(planes: Iterable[Plane], shape: tuple[int, int] = SHAPE) -> Exam:
    """Return an exam of one axial series, its slices in the order given and named by it."""
    slices = [Slice.from_array(f"1.2.{n}", p, np.zeros(shape)) for n, p in enumerate(planes)]
    return Exam("S01", "pre", (Series("1.2", tuple(slices), Weighting.T2),))


def disc_centres(points: Iterable[ArrayLike], levels: Iterable[Level] = DISCS) -> list[Landmark]:
    """Mark discs."""
    pairs = zip(levels, points, strict=False)
    return [Landmark(LandmarkKind.DISC_CENTRE, level, point) for level, point in pairs]


def straight(lean_deg: float = 0.0) -> list[Array]:
    """Return five disc centres on a line that leans as slices are tilted, L1-L2 first."""
    return [tilted_normal(lean_deg) * STEP_MM * (2 - n) for n in range(5)]


def arc(radius_mm: float = 200.0, bottom_deg: float = 25.0) -> tuple[list[Array], list[float]]:
    """Return five disc centres on a lordotic circle and the tilt of the spine at each."""
    turn = np.degrees(STEP_MM / radius_mm)
    tilts = [bottom_deg - turn * (4 - n) for n in range(5)]
    angles = np.radians(tilts)
    return [radius_mm * np.array((0.0, 1 - np.cos(a), -np.sin(a))) for a in angles], tilts
