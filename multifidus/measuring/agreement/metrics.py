"""How far two outlines agree: their overlap, and how far their borders lie apart.

All is exact for the polygons: no pixel is counted. Programs disagree on all three distances, so
what they are is said here. They are from points of one border to the nearest point of the other
border, straight, in both directions, and every millimetre of border counts alike, however many
vertices it has.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon_sets import loops_of, region_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

STEP_MM = 0.05
"""Borders are sampled at least so densely; a largest distance is exact to half of it."""

_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class Distances:
    """Distances of two borders, mm.

    Parameters
    ----------
    hausdorff_mm
        The largest: no point of either border is further from the other.
    hd95_mm
        The larger of both directions' distance within which 95 % of the border's length lies, as
        Huttenlocher et al. 1993 (doi:10.1109/34.232073) rank them. Programs that pool both
        directions first give less.
    mean_mm
        Mean over the length of both borders together (average symmetric surface distance).
    """

    hausdorff_mm: float
    hd95_mm: float
    mean_mm: float


def outline_distances(first: Paths, second: Paths) -> Distances:
    """Measure how far the borders of two outlines of one plane lie apart.

    Parameters
    ----------
    first, second
        Closed paths, each (n, 2), enclosing by the even-odd rule, in millimetres along two
        directions at right angles.

    Returns
    -------
    Distances
        NaN where one encloses nothing.

    Examples
    --------
    >>> square = np.array([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0)])
    >>> round(outline_distances([square], [square + (0, 1)]).hausdorff_mm, 6)
    1.0
    """
    one, other = region_of(first), region_of(second)
    if not one.area or not other.area:
        return Distances(math.nan, math.nan, math.nan)
    there, back = _directed(one, other), _directed(other, one)
    length = there.weights.sum() + back.weights.sum()
    return Distances(
        hausdorff_mm=max(there.largest, back.largest),
        hd95_mm=max(there.ranked(_SHARE), back.ranked(_SHARE)),
        mean_mm=float((there.total + back.total) / length),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Directed:
    """Distances from points of one border to another, and the length that each stands for."""

    distances: Array
    weights: Array
    at_vertices: Array

    @property
    def largest(self) -> float:
        return max(float(self.distances.max()), float(self.at_vertices.max()))

    @property
    def total(self) -> float:
        return float(self.distances @ self.weights)

    def ranked(self, share: float) -> float:
        order = np.argsort(self.distances)
        reached = np.cumsum(self.weights[order])
        return float(self.distances[order][np.searchsorted(reached, share * reached[-1])])


def _directed(one: Any, other: Any) -> _Directed:
    import shapely

    loops = loops_of(one)
    sampled = [_sampled(loop) for loop in loops]
    ends = np.concatenate(
        [np.stack([loop, np.roll(loop, -1, axis=0)], axis=1) for loop in loops_of(other)]
    )
    edges = shapely.STRtree(shapely.linestrings(ends))

    def to_border(points: Array) -> Array:
        _, found = edges.query_nearest(
            shapely.points(points), return_distance=True, all_matches=False
        )
        return np.asarray(found)

    return _Directed(
        to_border(np.concatenate([points for points, _ in sampled])),
        np.concatenate([weights for _, weights in sampled]),
        to_border(np.concatenate(loops)),
    )


def _sampled(loop: Array) -> tuple[Array, Array]:
    """Divide every edge into equal parts no longer than the step; their middles and lengths."""
    ways = np.roll(loop, -1, axis=0) - loop
    lengths = np.hypot(*ways.T)
    counts = np.maximum(np.ceil(lengths / STEP_MM).astype(int), 1)
    edge = np.repeat(np.arange(len(loop)), counts)
    place = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    middles = loop[edge] + ways[edge] * ((place + 0.5) / counts[edge])[:, None]
    return middles, (lengths / counts)[edge]


def dice(first: Paths, second: Paths) -> float:
    """Measure twice the common area over the sum of both areas (Dice 1945, doi:10.2307/1932409).

    Parameters
    ----------
    first, second
        Closed paths of two outlines of one plane, each (n, 2), enclosing by the even-odd rule.
        The unit does not matter.

    Returns
    -------
    float
        0 to 1; NaN where neither encloses anything.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0)])
    >>> dice([square], [square + (0, 1)])
    0.5
    """
    one, other = region_of(first), region_of(second)
    both = one.area + other.area
    return 2 * one.intersection(other).area / both if both else float("nan")
