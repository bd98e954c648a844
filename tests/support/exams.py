"""Small exams and outlines with known numbers, shared by the tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.roi import Reading, Roi, RoiKey

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

READER = Reading("S01", "pre", "AB", 1)
SPACING_MM = 0.5


def axial_plane(
    z: float = 0.0, tilt: float = 0.0, spacing: tuple[float, float] = (SPACING_MM, SPACING_MM)
) -> Plane:
    """Return an axial plane; a positive tilt (degrees) lowers its anterior edge."""
    angle = np.radians(tilt)
    row_mm, column_mm = spacing
    row_step = np.array((0.0, np.cos(angle), np.sin(angle))) * row_mm
    return Plane((-20.0, -30.0, z), row_step, (column_mm, 0.0, 0.0))


def image_slice(pixels: ArrayLike, plane: Plane | None = None, uid: str = "1.2.3") -> Slice:
    return Slice.from_array(uid, plane or axial_plane(), pixels, thickness_mm=4.0)


def exam_of(*slices: Slice, weighting: Weighting = Weighting.T2) -> Exam:
    return Exam("S01", "pre", (Series("1.2", slices, weighting),))


def box(top: float, left: float, bottom: float, right: float) -> Array:
    """Return an upright box around whole pixels: rows top to bottom, columns left to right.

    Its edges run between pixels, so box(2, 3, 4, 5) holds 3 x 3 pixels.
    """
    low, high = (top - 0.5, left - 0.5), (bottom + 0.5, right + 0.5)
    return np.array([low, (low[0], high[1]), high, (high[0], low[1])])


def circle(row: float, column: float, radius: float, points: int = 48) -> Array:
    angles = np.arange(points) * 2 * np.pi / points
    return np.stack((row + radius * np.cos(angles), column + radius * np.sin(angles)), axis=1)


def outline(
    item: Slice,
    paths: Array | Sequence[Array],
    structure: Structure = Structure.MULTIFIDUS,
    side: Side = Side.NONE,
    **facts: object,
) -> Roi:
    """Return an outline of (row, column) paths on a slice; facts go to the key or the outline."""
    if isinstance(paths, np.ndarray):
        paths = [paths]
    key = RoiKey(
        facts.pop("reading", READER),
        facts.pop("slice_uid", item.uid),
        structure,
        side,
        facts.pop("name", ""),
    )
    mm = tuple(item.plane.to_patient(path) for path in paths)
    return Roi(key, mm, facts.pop("plane", item.plane), item.shape, **facts)
