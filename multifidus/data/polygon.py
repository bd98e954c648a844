"""Closed paths in a plane: area, orientation, crossings and clipping, exact to rounding.

Paths are (n, 2) arrays of (row, column), closed without repeating the first point. A set of
paths encloses what the even-odd rule says: a path inside another is a hole, a path inside that an
island. Nothing here depends on how densely a path is sampled or which way round it runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

MINIMAL_POINTS = 3
"""Fewer points than this enclose nothing."""

_MANY_POINTS = 200
"""Outlines drawn by hand have more; almost all of them neither cross nor touch themselves."""

_STRAIGHT = 1e-9
"""Edges that turn by less about a point, over the square of the path's size, run towards it."""

_CROSSING_BLOCK = 512
"""Edges compared with all vertices at once; bounds the memory of the crossing search."""


def signed_area(path: Array) -> float:
    """Area by the shoelace formula; positive if rows turn towards columns.

    Examples
    --------
    >>> signed_area(np.array([(0.0, 0.0), (2.0, 0.0), (2.0, 3.0), (0.0, 3.0)]))
    6.0
    """
    # Moving the first point to the origin keeps digits for paths far from it.
    row, column = (path - path[0]).T
    twice = row[:-1] @ column[1:] - row[1:] @ column[:-1]
    return float(twice) / 2


def area(paths: Paths) -> float:
    """Even-odd area of a set of paths that do not cross.

    Examples
    --------
    >>> outer = np.array([(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0)])
    >>> area([outer, outer / 4 + 1])
    15.0
    """
    return math.fsum(signed_area(loop) for loop in oriented_loops(paths))


def oriented_loops(paths: Paths) -> list[Array]:
    """Split paths into simple loops and turn them so that their signed areas sum to the area.

    Outer loops and islands become positive, holes negative. A path that meets itself at a vertex
    (two lobes of a figure of eight, the corners of touching pixels) is parted there.
    """
    loops = [loop for path in paths for loop in _simple_loops(path)]
    areas = [signed_area(loop) for loop in loops]
    if len(loops) == 1:
        return [loops[0] if areas[0] >= 0 else loops[0][::-1]]
    turned = []
    for i, loop in enumerate(loops):
        inside = _interior_point(loop)
        size = (abs(areas[i]), -i)
        depth = sum(
            (abs(areas[j]), -j) > size and _contains(other, inside)
            for j, other in enumerate(loops)
            if j != i
        )
        wanted = -1 if depth % 2 else 1
        turned.append(loop if areas[i] * wanted >= 0 else loop[::-1])
    return turned


def _simple_loops(path: Array) -> list[Array]:
    """Part a path at every vertex it visits twice; loops that enclose nothing are dropped."""
    # As complex numbers a whole path is searched for repeats by one sort.
    flat = np.sort(path[:, 0] + 1j * path[:, 1])
    if not (flat[1:] == flat[:-1]).any():
        return [path]
    loops: list[Array] = []
    trail: list[tuple[float, float]] = []
    place: dict[tuple[float, float], int] = {}
    for row, column in path.tolist():
        vertex = (row, column)
        if vertex in place:
            start = place[vertex]
            loops.append(np.array(trail[start:]))
            for passed in trail[start + 1 :]:
                del place[passed]
            del trail[start + 1 :]
        else:
            place[vertex] = len(trail)
            trail.append(vertex)
    loops.append(np.array(trail))
    return [loop for loop in loops if len(loop) >= MINIMAL_POINTS]


def _interior_point(loop: Array) -> tuple[float, float]:
    """Return a point inside a simple loop, well away from its vertices' rows."""
    rows = np.unique(loop[:, 0])
    if len(rows) == 1:
        return float(rows[0]), float(loop[0, 1])
    widest = int(np.argmax(np.diff(rows)))
    row = (rows[widest] + rows[widest + 1]) / 2
    columns = np.sort(_columns_at(loop, row))
    inside = int(np.argmax(columns[1::2] - columns[::2]))
    return float(row), float(columns[2 * inside : 2 * inside + 2].mean())


def _contains(loop: Array, point: tuple[float, float]) -> bool:
    row, column = point
    return bool((_columns_at(loop, row) <= column).sum() % 2)


def _columns_at(loop: Array, row: float) -> Array:
    """Columns at which the edges of a loop pass a row (half-open, so vertices count once)."""
    start, end = loop, np.roll(loop, -1, axis=0)
    passes = (start[:, 0] <= row) != (end[:, 0] <= row)
    (row0, column0), (row1, column1) = start[passes].T, end[passes].T
    return np.asarray(column0 + (row - row0) / (row1 - row0) * (column1 - column0))


def first_crossing(paths: Paths) -> tuple[float, float] | None:
    """Find a place where edges cross, or where a vertex lies on another edge; None if nowhere.

    Loops may touch at a vertex that both have; where one passes through the other there, they
    cross.
    """
    if len(paths) == 1 and _is_star(paths[0]):
        return None
    start = np.concatenate(list(paths))
    if len(start) > _MANY_POINTS and _is_simple(paths):
        return None
    lengths = [len(path) for path in paths]
    following = np.concatenate(
        [np.roll(np.arange(n), -1) + sum(lengths[:i]) for i, n in enumerate(lengths)]
    )
    hits = _crossing_pairs(start, following)
    if hits.any():
        i, j = np.argwhere(hits)[0]
        return _meeting_point(start[i], start[following[i]], start[j], start[following[j]])
    return _crossing_vertex(paths)


def _is_star(path: Array) -> bool:
    """Whether a path runs around the mean of its vertices, once and always the same way round.

    It then neither crosses nor touches itself. Most outlines of muscles do.
    """
    row, column = (path - path.mean(axis=0)).T
    next_row, next_column = np.roll(row, -1), np.roll(column, -1)
    turn = row * next_column - column * next_row
    least = _STRAIGHT * float((row * row + column * column).max())
    turns_alike = float((turn if turn[0] > 0 else -turn).min()) > least
    return turns_alike and np.count_nonzero((column < 0) & (next_column >= 0)) == 1


def _is_simple(paths: Paths) -> bool:
    """Whether paths neither cross nor touch anywhere, found without comparing all edges."""
    import shapely

    rings = [np.concatenate((path, path[:1])) for path in paths]
    return bool(shapely.is_simple(shapely.MultiLineString(rings)))


def _crossing_vertex(paths: Paths) -> tuple[float, float] | None:
    """Find a vertex at which one loop passes from one side of another to the other side."""
    corners = np.concatenate([path[:, 0] + 1j * path[:, 1] for path in paths])
    _, counts = np.unique(corners, return_counts=True)
    if (counts == 1).all():
        return None
    ways: dict[complex, list[tuple[complex, complex]]] = {}
    for loop in (loop for path in paths for loop in _simple_loops(path)):
        corner = loop[:, 0] + 1j * loop[:, 1]
        to_last, to_next = np.roll(corner, 1) - corner, np.roll(corner, -1) - corner
        for vertex, way in zip(corner.tolist(), zip(to_last, to_next, strict=True), strict=True):
            if any(_passes_through(way, other) for other in ways.setdefault(vertex, [])):
                return vertex.real, vertex.imag
            ways[vertex].append(way)
    return None


def _passes_through(way: tuple[complex, complex], other: tuple[complex, complex]) -> bool:
    """Whether a way in and out of a vertex has exactly one end of another between its own.

    Ways that share a direction run along each other and do not count as crossing.
    """
    a, b, c, d = (float(angle) for angle in np.angle([*way, *other]))
    low, high = min(a, b), max(a, b)
    if {a, b} & {c, d}:
        return False
    return (low < c < high) != (low < d < high)


def _crossing_pairs(vertices: Array, following: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which edges cross which, shape (n, n); an edge runs from a vertex to the one following it."""
    sides = _sides(vertices, following)
    # Negative where an edge's line parts the two ends of another, 0 where one end lies on it.
    parted = sides * sides[:, following]
    return ((parted < 0) & (parted.T <= 0)) | ((parted <= 0) & (parted.T < 0))


def _sides(vertices: Array, following: NDArray[np.intp]) -> NDArray[np.int8]:
    """On which side of each edge's line each vertex lies: -1, 0 or 1, shape (n, n)."""
    sides = np.empty((len(vertices), len(vertices)), dtype=np.int8)
    row, column = vertices.T
    for first in range(0, len(vertices), _CROSSING_BLOCK):
        block = slice(first, first + _CROSSING_BLOCK)
        down, across = (vertices[following[block]] - vertices[block]).T[:, :, None]
        turn = down * (column - column[block, None]) - across * (row - row[block, None])
        sides[block] = (turn > 0).view(np.int8) - (turn < 0).view(np.int8)
    return sides


def _meeting_point(p: Array, q: Array, r: Array, s: Array) -> tuple[float, float]:
    along, other = q - p, s - r
    across = along[0] * other[1] - along[1] * other[0]
    t = ((r - p)[0] * other[1] - (r - p)[1] * other[0]) / across if across else 0.5
    row, column = p + t * along
    return float(row), float(column)


def clip(path: Array, low: tuple[float, float], high: tuple[float, float]) -> Array:
    """Clip a path to an upright box (Sutherland and Hodgman 1974, doi:10.1145/360767.360802).

    Parts cut off may leave edges that run to and fro along the box; they enclose nothing, so
    signed areas stay exact.
    """
    for axis in (0, 1):
        path = _clip_half_plane(path, axis, low[axis], 1.0)
        path = _clip_half_plane(path, axis, high[axis], -1.0)
    return path


def _clip_half_plane(path: Array, axis: int, bound: float, sign: float) -> Array:
    """Keep the part of a path where ``sign * (coordinate - bound) >= 0``."""
    depth = sign * (path[:, axis] - bound)
    if (depth >= 0).all():
        return path
    points, passes = _cut(path, depth)
    points[passes, axis] = bound
    return points


def clip_beyond(path: Array, along: Array, bound: float) -> Array:
    """Keep the part of a path, (n, 2), where ``point @ along >= bound``; see :func:`clip`."""
    depth = path @ along - bound
    return path if (depth >= 0).all() else _cut(path, depth)[0]


def _cut(path: Array, depth: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Keep the part of a path at depths of at least 0; returns it, and which points are new."""
    following = np.roll(path, -1, axis=0)
    next_depth = np.roll(depth, -1)
    leaves = (depth < 0) != (next_depth < 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = depth / (depth - next_depth)
        passing = path + t[:, None] * (following - path)
    # Interleave: each kept vertex, then the point where the edge after it passes.
    both = np.stack((path, passing), axis=1).reshape(-1, 2)
    keep = np.stack((depth >= 0, leaves), axis=1).ravel()
    passes = np.stack((np.zeros_like(leaves), leaves), axis=1).ravel()
    return both[keep], passes[keep]
