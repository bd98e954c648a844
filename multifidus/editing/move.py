"""Outlines moved, scaled and grown: paths (row, column) in pixels, distances in millimetres."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.polygon_sets import centroid, loops_of, region_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

QUADRANT_POINTS = 16
"""Edges of a quarter circle; its area is 0.2 % less than the circle's."""

UNMOVED_MM = 1e-6
"""Less is not moved: GEOS returns nothing for a distance of next to nothing."""


def shifted(paths: Paths, by: ArrayLike) -> tuple[Array, ...]:
    """Move paths by (rows, columns)."""
    return tuple(path + np.asarray(by, dtype=np.float64) for path in paths)


def scaled(paths: Paths, factor: float) -> tuple[Array, ...]:
    """Scale paths about the centroid of what they enclose; the area grows by the factor squared."""
    middle = centroid(paths)
    return tuple(middle + (path - middle) * factor for path in paths)


def grown(paths: Paths, by_mm: float, spacing_mm: ArrayLike) -> tuple[Array, ...]:
    """Move the border outwards by millimetres, or inwards where negative; corners become round.

    Parameters
    ----------
    paths
        Each (n, 2): row, column.
    by_mm
        How far.
    spacing_mm
        Between rows and between columns.

    Returns
    -------
    tuple of ndarray
        Empty where nothing is left.
    """
    if abs(by_mm) < UNMOVED_MM:
        return tuple(np.asarray(path, dtype=np.float64) for path in paths)
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    region = region_of([path * spacing for path in paths])
    wider = region.buffer(by_mm, quad_segs=QUADRANT_POINTS)
    return tuple(loop / spacing for loop in loops_of(wider))
