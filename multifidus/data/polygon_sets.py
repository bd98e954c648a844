"""What closed paths enclose, as a set: union, difference, overlap, all exact for the polygons.

Paths are (n, 2) of (row, column), or of any other two coordinates of one plane, as in
:mod:`multifidus.data.polygon`. The sets are shapely's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon import oriented_loops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]


def region_of(paths: Paths) -> Any:
    """Return what paths enclose by the even-odd rule, as a shapely geometry."""
    import shapely

    region = shapely.Polygon()
    for loop in oriented_loops(paths):
        # buffer(0) drops edges that run to and fro.
        region = region.symmetric_difference(shapely.Polygon(loop).buffer(0))
    return region


def loops_of(region: Any) -> tuple[Array, ...]:
    """Return the borders of a shapely geometry as closed paths; its points and lines are none."""
    parts = [part for part in getattr(region, "geoms", [region]) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return tuple(np.array(ring.coords)[:-1] for ring in rings if not ring.is_empty)


def joined(paths: Paths, more: Paths) -> tuple[Array, ...]:
    """Return the borders of everything that lies in one or in the other."""
    return loops_of(region_of(paths).union(region_of(more)))


def cut(paths: Paths, away: Paths) -> tuple[Array, ...]:
    """Return the borders of what lies in the first and not in the second; empty if nothing."""
    return loops_of(region_of(paths).difference(region_of(away)))


def centroid(paths: Paths) -> Array:
    """Return the centroid of the enclosed area, shape (2,); NaN where nothing is enclosed.

    Examples
    --------
    >>> centroid([np.array([(0.0, 0.0), (0.0, 4.0), (2.0, 4.0), (2.0, 0.0)])]).tolist()
    [1.0, 2.0]
    """
    middle = region_of(paths).centroid
    if middle.is_empty:
        return np.full(2, np.nan)
    return np.array((middle.x, middle.y))
