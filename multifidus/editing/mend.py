"""Outlines that cross themselves: where, and the outline that was probably meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon import MINIMAL_POINTS, first_crossing
from multifidus.data.polygon_sets import loops_of
from multifidus.editing.strokes import closed
from multifidus.errors import RoiError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

HOLE_SHARE = 0.5
"""A path of which more than this share lies inside the others is a hole in them, not a piece."""

_GRID_PIXELS = 1e-6
"""Points that would cross by rounding alone are moved by less than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """What came of paths that crossed.

    Attributes
    ----------
    paths
        Paths that cross nothing, each (n, 2): row, column.
    lost
        Area that the crossing paths enclosed by the even-odd rule and these do not, in pixels.
    gained
        Area that these enclose and the crossing ones did not, in pixels.
    """

    paths: tuple[Array, ...]
    lost: float
    gained: float


def crossings(paths: Paths) -> Array:
    """Return every place where edges of paths cross each other, (n, 2): row, column.

    Examples
    --------
    >>> bow_tie = np.array([(0.0, 0.0), (2.0, 2.0), (2.0, 0.0), (0.0, 2.0)])
    >>> crossings([bow_tie]).tolist()
    [[1.0, 1.0]]
    """
    import shapely

    edges = [
        (path[i].tolist(), path[(i + 1) % len(path)].tolist())
        for path in map(closed, paths)
        if len(path) >= MINIMAL_POINTS
        for i in range(len(path))
    ]
    lines = shapely.linestrings(edges) if edges else np.empty(0, object)
    first, second = shapely.STRtree(lines).query(lines, predicate="intersects")
    # Neighbours meet at the vertex that they share; so does everything that only touches there.
    pairs = [(i, j) for i, j in zip(first, second, strict=True) if i < j]
    found: dict[tuple[float, float], None] = {}
    for i, j in pairs:
        ends = {tuple(edges[i][0]), tuple(edges[i][1])} & {tuple(edges[j][0]), tuple(edges[j][1])}
        met = shapely.intersection(lines[i], lines[j])
        for place in map(tuple, shapely.get_coordinates(met).tolist()):
            if place not in ends:
                found.setdefault(place)
    return np.array(list(found)).reshape(-1, 2)


def mended(paths: Paths) -> Mended:
    """Return the outline that paths which cross were probably meant to be.

    Each path becomes one loop, around the largest piece of what it goes around: smaller loops
    beyond a crossing are dropped, and pockets within are filled. Of several paths that cross each
    other, one that lies mostly inside the others is a hole in them, else it is joined to them.

    Raises
    ------
    RoiError
        If nothing would be left.
    """
    import shapely

    wholes = [whole for whole in map(_largest, paths) if not whole.is_empty]
    if not wholes:
        msg = "The outline encloses nothing that could be kept."
        raise RoiError(msg, remedy="Delete it, and draw it again.")
    wholes.sort(key=lambda whole: -float(whole.area))
    region = wholes[0]
    for whole in wholes[1:]:
        inside = region.intersection(whole).area > HOLE_SHARE * whole.area
        region = region.difference(whole) if inside else region.union(whole)
    kept = loops_of(region)
    if kept and first_crossing(kept) is not None:
        # Rounded to its digits, a crossing may lie beside both of its edges.
        kept = loops_of(shapely.set_precision(region, _GRID_PIXELS))
    if not kept or first_crossing(kept) is not None:
        msg = "The crossing cannot be mended."
        raise RoiError(msg, remedy="Move the points by hand, or draw the outline again.")
    drawn = shapely.Polygon()
    for path in paths:
        drawn = drawn.symmetric_difference(_faces(path, odd_only=True))
    now = shapely.Polygon()
    for loop in kept:
        now = now.symmetric_difference(shapely.Polygon(loop))
    return Mended(kept, float(drawn.difference(now).area), float(now.difference(drawn).area))


def _largest(path: Array) -> Any:
    """Return the largest piece of what a path goes around, without pockets."""
    import shapely

    parts = shapely.get_parts(_faces(path, odd_only=False))
    largest = max(parts, key=lambda part: float(part.area), default=shapely.Polygon())
    return shapely.Polygon(largest.exterior)


def _faces(path: Array, *, odd_only: bool) -> Any:
    """Join the faces that a path goes around: at all, or an odd number of times."""
    import shapely

    loop = closed(path)
    if len(loop) < MINIMAL_POINTS:
        return shapely.Polygon()
    ring = shapely.LineString([*loop.tolist(), loop[0].tolist()])
    faces = shapely.get_parts(shapely.polygonize([shapely.node(ring)]))
    turns = [_turns(loop, shapely.point_on_surface(face)) for face in faces]
    kept = [face for face, n in zip(faces, turns, strict=True) if (n % 2 if odd_only else n)]
    return shapely.union_all(kept) if kept else shapely.Polygon()


def _turns(loop: Array, point: Any) -> int:
    """Count how often a closed path goes around a point: its winding number."""
    row, column = loop.T - np.array([[point.x], [point.y]])
    angles = np.arctan2(column, row)
    steps = np.diff(np.append(angles, angles[0]))
    return round(float(((steps + np.pi) % (2 * np.pi) - np.pi).sum() / (2 * np.pi)))
