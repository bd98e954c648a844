"""A round brush on an outline: exact polygons, no pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.polygon_sets import loops_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

QUADRANT_POINTS = 8
"""Edges of a quarter of the brush; its area is 0.6 % less than a circle's."""


def stroke(points: ArrayLike, radius_mm: float, spacing_mm: ArrayLike) -> tuple[Array, ...]:
    """Return the borders of what a round brush covers on its way.

    Use :func:`multifidus.data.polygon_sets.joined` to paint with it, and
    :func:`multifidus.data.polygon_sets.cut` to erase.

    Parameters
    ----------
    points
        Where its centre went, (n, 2): row, column; one point is a dab.
    radius_mm
        Half its width in the plane of the slice: round in millimetres, not in pixels.
    spacing_mm
        Between rows and between columns.
    """
    import shapely

    spacing = np.asarray(spacing_mm, dtype=np.float64)
    way = np.asarray(points, dtype=np.float64).reshape(-1, 2) * spacing
    line: Sequence[Sequence[float]] = way.tolist()
    track = shapely.LineString(line) if len(line) > 1 else shapely.Point(line[0])
    covered = track.buffer(radius_mm, quad_segs=QUADRANT_POINTS)
    return tuple(loop / spacing for loop in loops_of(covered))
