"""From outlines to pixels: exact coverage, the pixel-centre rule, and their way back.

A pixel (row, column) is the unit square around its centre. Its coverage is the fraction of that
square that lies inside the outline, computed exactly, so that coverage sums to the outline's
area. Pixel statistics weighted by coverage therefore agree with the area reported beside them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon import clip, oriented_loops, signed_area
from multifidus.data.roi import checked_paths

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from multifidus.data.geometry import Plane

    Array = NDArray[np.float64]

_ROUNDING = 1e-12
"""Coverage below this is what summing along a row leaves behind; it is set to exactly 0."""


_ON_EDGE = 1e-6
"""A centre nearer than this to an edge, in pixels, lies on it: the way from whole-numbered vertices
to millimetres and back leaves some 1e-12, and edges between such vertices that miss a centre miss
it by more than 1e-4."""


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Exact coverage of an outline, kept for the box of pixels around it only.

    Parameters
    ----------
    top, left
        Row and column of the box's first pixel in the image.
    weights
        Fraction of each pixel inside the outline, shape of the box, 0 to 1.
    """

    top: int
    left: int
    weights: Array

    def of(self, pixels: Array) -> Array:
        """Return the box's part of an image of the same grid."""
        rows, columns = self.weights.shape
        return pixels[self.top : self.top + rows, self.left : self.left + columns]

    @property
    def total(self) -> float:
        """Area, in pixels, added up pixel by pixel as weighted samples are."""
        return float(self.weights[self.weights > 0].sum())

    def pixels_at(self, places: NDArray[np.integer[Any]]) -> NDArray[np.intp]:
        """Return the image's (row, column) at ascending places in the box, row by row, (n, 2)."""
        rows, columns = self.weights.shape
        ends = places.searchsorted(np.arange(rows + 1) * columns)
        found = np.empty((len(places), 2), dtype=np.intp)
        found[:, 0] = np.arange(self.top, self.top + rows).repeat(ends[1:] - ends[:-1])
        found[:, 1] = places
        found[:, 1] -= (found[:, 0] - self.top) * columns - self.left
        return found

    def shared(self, other: Coverage) -> float:
        """Return the sum of products of two outlines' weights on one slice."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        parts = [each.weights[top - each.top :, left - each.left :] for each in (self, other)]
        rows, columns = (min(part.shape[axis] for part in parts) for axis in (0, 1))
        first, second = (part[:rows, :columns] for part in parts)
        return float((first * second).sum())

    def full(self, shape: tuple[int, int]) -> Array:
        """Return the weights of the whole image, zero outside the box."""
        image = np.zeros(shape)
        self.of(image)[:] = self.weights
        return image


def polygon_area_mm2(paths_mm: Sequence[ArrayLike] | Array, plane: Plane) -> float:
    """Measure the even-odd area inside paths, in the plane's own millimetres.

    Parameters
    ----------
    paths_mm
        Closed paths, each (n, 3), LPS millimetres, the first point not repeated; or one such path.
    plane
        The plane they lie in; its tilt does not matter.

    Returns
    -------
    float
        Area in mm2, exact for the polygon.

    Raises
    ------
    RoiError
        If a path has fewer than three points or one that is not finite, leaves the plane, or
        paths cross, as :class:`multifidus.Roi` has it.

    Examples
    --------
    >>> from multifidus.data.geometry import Plane
    >>> plane = Plane((0, 0, 0), row_step_mm=(0, 0.5, 0), column_step_mm=(0.5, 0, 0))
    >>> polygon_area_mm2([[(0, 0, 0), (10, 0, 0), (10, 20, 0)]], plane)
    100.0
    """
    paths = [plane.to_pixels(path) for path in checked_paths(paths_mm, plane)]
    return Region.of(paths).area * plane.pixel_area_mm2


def coverage(paths_mm: Sequence[ArrayLike] | Array, plane: Plane, shape: tuple[int, int]) -> Array:
    """Compute the exact fraction of every pixel that lies inside paths (even-odd).

    Parameters
    ----------
    paths_mm
        Closed paths, each (n, 3), LPS millimetres; or one such path.
    plane
        The image's pixel grid.
    shape
        (rows, columns) of the image.

    Returns
    -------
    ndarray
        (rows, columns) float64, 0 to 1; its sum times the pixel area is the area inside the image.

    Raises
    ------
    RoiError
        As of :func:`polygon_area_mm2`.
    """
    paths = [plane.to_pixels(path) for path in checked_paths(paths_mm, plane)]
    return coverage_box(paths, shape).full(shape)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What paths enclose in the pixel plane, by the even-odd rule.

    Attributes
    ----------
    loops
        Simple loops, each (n, 2) of (row, column), turned so that signed areas sum to the area.
    """

    loops: tuple[Array, ...]

    @classmethod
    def of(cls, paths: Sequence[Array]) -> Region:
        """Take paths of any direction and order."""
        return cls(tuple(oriented_loops(paths)))

    @property
    def area(self) -> float:
        """Exact area, in pixels."""
        return math.fsum(map(signed_area, self.loops))

    def coverage(self, shape: tuple[int, int]) -> Coverage:
        """Compute the exact coverage of an image of (rows, columns), for the box around it."""
        return coverages([self], shape)[0]

    def centres(self, shape: tuple[int, int]) -> int:
        """Count the pixels of an image whose centre is inside: ImageJ's convention.

        A centre exactly on an outline counts where the inside ends (bottom or right) and not where
        it begins (top or left), as ImageJ has it, so outlines that share an edge never share a
        pixel. Top and left are those of the stored rows and columns: a flipped copy of an image
        may count otherwise, where vertices are such that centres lie on edges.
        """
        return centre_counts([self], shape)[0]


def coverage_box(paths: Sequence[Array], shape: tuple[int, int]) -> Coverage:
    """Compute exact coverage for the box of pixels around paths, (row, column) coordinates."""
    return Region.of(paths).coverage(shape)


def coverages(regions: Sequence[Region], shape: tuple[int, int]) -> list[Coverage]:
    """Compute the exact coverage of several outlines of one image, as of each by itself.

    All at once, since each is so small that most of the time is spent between computations.
    """
    boxes = [_Box.around(region.loops, shape) for region in regions]
    found = iter(_accumulate([box for box in boxes if box is not None]))
    rows, columns = shape
    return [
        Coverage(0, 0, np.zeros((0, 0)))
        if box is None
        else Coverage(box.top, box.left, next(found)[: rows - box.top, : columns - box.left])
        for box in boxes
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Box:
    """Loops clipped to an image, in the pixels of the box around them, which starts at 0."""

    loops: Sequence[Array]
    top: int
    left: int
    size: tuple[int, int]

    @classmethod
    def around(cls, oriented: Sequence[Array], shape: tuple[int, int]) -> _Box | None:
        """Return the box around what lies in an image; None where nothing does."""
        rows, columns = shape
        high = (rows - 0.5, columns - 0.5)
        loops = [clip(loop, (-0.5, -0.5), high) for loop in oriented]
        points = np.concatenate(loops) if loops else np.empty((0, 2))
        if not len(points):
            return None
        top, left = (int(edge) for edge in np.floor(points.min(axis=0) + 0.5))
        bottom, right = (int(edge) for edge in np.ceil(points.max(axis=0) + 0.5))
        corner = np.array((top - 0.5, left - 0.5))
        moved = [loop - corner for loop in loops if len(loop)]
        return cls(moved, top, left, (max(bottom - top, 1), max(right - left, 1)))


def _accumulate(boxes: Sequence[_Box]) -> list[Array]:
    """Sum the signed areas that edges cut off to their right, pixel by pixel, of each box.

    Every edge is split where it passes a pixel border; each piece covers part of its own pixel
    and everything right of it in its row, which one running sum along the rows adds up.
    """
    if not boxes:
        return []
    loops = [loop for box in boxes for loop in box.loops]
    start = np.concatenate(loops)
    end = np.concatenate([_following(loop) for loop in loops])
    edge, (row_from, row_to), (column_from, column_to) = _split_at_borders(start.T, end.T)
    rows, columns = np.array([box.size for box in boxes]).T
    # Column of the running sum beyond the box takes what lies right of the last pixel.
    sizes = rows * (columns + 1)
    ends = sizes.cumsum()
    counts = [sum(map(len, box.loops)) for box in boxes]
    box_of = np.arange(len(boxes)).repeat(counts).take(edge)
    middle = (column_from + column_to) / 2
    row = _nearest(np.floor((row_from + row_to) / 2), (rows - 1).take(box_of))
    column = _nearest(np.floor(middle), (columns - 1).take(box_of))
    height = row_to - row_from
    right = height * (middle - column)
    place = (ends - sizes).take(box_of) + row * (columns + 1).take(box_of) + column
    total = int(ends[-1])
    steps = np.asarray(np.bincount(place, height - right, total), np.float64)
    steps[1:] += np.bincount(place, right, total)[:-1]
    return [
        _summed(part.reshape(box.size[0], -1))
        for box, part in zip(boxes, np.split(steps, ends[:-1]), strict=True)
    ]


def _summed(steps: Array) -> Array:
    """Return weights from what each pixel adds to the one left of it, (rows, columns + 1)."""
    weights = steps[:, :-1].cumsum(axis=1)
    np.minimum(weights, 1.0, out=weights)
    np.putmask(weights, weights < _ROUNDING, 0.0)
    return weights


def _following(loop: Array) -> Array:
    """Return for each vertex the next one; the first follows the last."""
    return np.concatenate((loop[1:], loop[:1]))


def _nearest(value: Array, last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the whole numbers from 0 to ``last`` that are nearest to whole values."""
    return np.minimum(np.maximum(value, 0), last).astype(np.intp)


def _split_at_borders(start: Array, end: Array) -> tuple[Any, ...]:
    """Split edges wherever they pass a whole row or column.

    Takes both ends, (2, n) of rows and columns; returns of which edge each piece is, and the
    pieces' ends, rows and columns apart.
    """
    # Of rows and of columns alike: where edges start, end, and how far they go.
    axes = [
        tuple(map(np.ascontiguousarray, ends)) for ends in zip(start, end, end - start, strict=True)
    ]
    passages = [_border_passages(*axis) for axis in axes]
    n = start.shape[1]
    edge = np.concatenate([np.arange(n), *(edge for edge, _ in passages)])
    time = np.concatenate([np.zeros(n), *(time for _, time in passages)])
    order = np.lexsort((time, edge))
    edge, time = edge.take(order), time.take(order)
    last = np.flatnonzero(np.concatenate((edge[1:] != edge[:-1], [True])))
    pieces = []
    for first, final, step in axes:
        begin = first.take(edge) + time * step.take(edge)
        finish = _following(begin)
        finish[last] = final
        pieces.append((begin, finish))
    return edge, *pieces


def _border_passages(start: Array, end: Array, step: Array) -> tuple[NDArray[np.intp], Array]:
    """At which times (0 to 1) which edges pass whole numbers strictly between their ends."""
    first = np.floor(np.minimum(start, end)) + 1
    count = np.maximum(np.ceil(np.maximum(start, end)) - first, 0).astype(np.intp)
    edge, nth = _counted(count)
    border = first.take(edge) + nth
    return edge, (border - start.take(edge)) / step.take(edge)


def _counted(count: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the group of every member of groups of given sizes, and its place there."""
    group = np.arange(len(count)).repeat(count)
    return group, np.arange(len(group)) - (count.cumsum() - count).take(group)


def count_centres(paths: Sequence[Array], shape: tuple[int, int]) -> int:
    """Count pixels whose centre is inside paths given in (row, column): ImageJ's convention."""
    return Region.of(paths).centres(shape)


def _beyond(place: Array) -> Array:
    """Return the first whole row or column beyond each place, one that is itself whole excluded."""
    return np.asarray(np.floor(place + _ON_EDGE) + 1)


def centre_counts(regions: Sequence[Region], shape: tuple[int, int]) -> list[int]:
    """Count the pixel centres inside several outlines of one image, as of each by itself."""
    loops = [loop for region in regions for loop in region.loops]
    if not loops:
        return [0] * len(regions)
    rows, columns = shape
    start, end = np.concatenate(loops), np.concatenate([_following(loop) for loop in loops])
    falls = start[:, 0] > end[:, 0]
    # From the upper end down, whichever way the loop runs: an edge that two outlines share
    # passes each row at one column, to the bit.
    upper, lower = np.where(falls, end.T, start.T), np.where(falls, start.T, end.T)
    first = np.minimum(np.maximum(_beyond(upper[0]), 0), rows)
    stop = np.minimum(np.maximum(_beyond(lower[0]), 0), rows)
    edge, nth = _counted(np.maximum(stop - first, 0).astype(np.intp))
    height, width = (lower - upper).take(edge, axis=1)
    # A row that passes within _ON_EDGE of an end passes through the end.
    t = np.minimum(np.maximum((first.take(edge) + nth - upper[0].take(edge)) / height, 0.0), 1.0)
    passed = _beyond(upper[1].take(edge) + t * width)
    passed = np.minimum(np.maximum(passed, 0), columns)
    signed = np.where(falls.take(edge), 1.0, -1.0) * passed
    # Of a hole it is below 0.
    counts = [sum(map(len, region.loops)) for region in regions]
    region_of = np.arange(len(regions)).repeat(counts).take(edge)
    return list(map(int, np.bincount(region_of, signed, len(regions))))
