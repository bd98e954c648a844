"""What a stroke of the hand draws: a path at full resolution, or what a round brush covers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon_sets import loops_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

QUADRANT_POINTS = 8
"""Edges of a quarter of the brush; its area is 0.6 % less than a circle's."""

TAIL_SHARE = 0.25
"""The first and the last quarter of a stroke may cross where the hand closes it."""


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


def closed(points: ArrayLike) -> Array:
    """Make a closed path of the points of a stroke, (n, 2): all of them, but for repeats.

    A point that stands exactly where the one before it stands is dropped, and so is a last one on
    the first. Nothing is thinned or smoothed.
    """
    path = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    keep = (path != np.roll(path, 1, axis=0)).any(axis=1)
    return path[keep] if keep.any() else path[:1]


def without_tails(points: ArrayLike) -> Array:
    """Close a stroke where its end crosses its beginning; what lies beyond is cut off.

    Hands draw a little further than where they started. Every point of the closed part is kept,
    and the crossing is added. A stroke whose end does not cross its beginning stays as it is.
    """
    path = closed(points)
    near = int(len(path) * TAIL_SHARE)
    head, tail = np.arange(near), np.arange(len(path) - 1 - near, len(path) - 1)
    if not near:
        return path
    (i, j), where = _crossings(path, head, tail)
    if not len(where):
        return path
    # The crossing with the shortest tails.
    best = int((j - i).argmax())
    return np.concatenate((where[best : best + 1], path[i[best] + 1 : j[best] + 1]))


def _crossings(path: Array, head: Any, tail: Any) -> tuple[Any, Array]:
    """Return which edges of the head cross which of the tail, and where, (n, 2)."""
    start, along = path[head][:, None], (path[head + 1] - path[head])[:, None]
    other, across = path[tail][None], (path[tail + 1] - path[tail])[None]
    apart = other - start
    turn = along[..., 0] * across[..., 1] - along[..., 1] * across[..., 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (apart[..., 0] * across[..., 1] - apart[..., 1] * across[..., 0]) / turn
        u = (apart[..., 0] * along[..., 1] - apart[..., 1] * along[..., 0]) / turn
    hits = (turn != 0) & (t >= 0) & (t <= 1) & (u >= 0) & (u <= 1)
    i, j = np.nonzero(hits)
    where = start[i, 0] + t[i, j][:, None] * along[i, 0]
    return (head[i], tail[j]), where
