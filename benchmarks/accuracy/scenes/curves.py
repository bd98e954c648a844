"""Curves, smooth random fields, and what of a fine grid a set of closed paths covers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Image = NDArray[np.float32]
Mask = NDArray[np.bool_]

FINE = 4
"""Points of the fine grid along each side of a pixel."""

FIELD_MM = 150.0
"""Smooth fields reach this far from the origin, so that they do not depend on the matrix."""

_FIELD_SD = 0.479
"""Standard deviation of a cubic B-spline whose coefficients are independent, with SD 1."""


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels of a slice and the fine grid below them, in its plane.

    Places are (left, posterior) in millimetres, left and posterior of the patient.

    Parameters
    ----------
    corner_mm
        Left and posterior of the centre of pixel (0, 0).
    shape
        Rows and columns of pixels.
    """

    corner_mm: tuple[float, float]
    spacing_mm: float
    shape: tuple[int, int]

    def to_pixels(self, places: Array) -> Array:
        """Return rows and columns of places, (n, 2)."""
        return np.asarray(((places - np.array(self.corner_mm)) / self.spacing_mm)[:, ::-1])

    def to_fine(self, places: Array) -> Array:
        """Return rows and columns on the fine grid, (n, 2)."""
        return (self.to_pixels(places) + 0.5) * FINE - 0.5

    @property
    def fine_shape(self) -> tuple[int, int]:
        """Rows and columns of the fine grid."""
        return self.shape[0] * FINE, self.shape[1] * FINE

    @property
    def axes_mm(self) -> tuple[Array, Array]:
        """Posterior of each fine row, left of each fine column."""
        posterior, left = (
            start + ((np.arange(n) + 0.5) / FINE - 0.5) * self.spacing_mm
            for start, n in zip(self.corner_mm[::-1], self.fine_shape, strict=True)
        )
        return posterior, left


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the fine grid: a box, and which of its points belong to it."""

    box: tuple[slice, slice]
    mask: Mask

    def on(self, grid: Grid) -> Mask:
        """Return the part as a mask of the whole fine grid."""
        whole = np.zeros(grid.fine_shape, dtype=bool)
        whole[self.box] = self.mask
        return whole


@lru_cache(maxsize=512)
def closed_curve(points: tuple[tuple[float, float], ...], n: int) -> Array:
    """Join points by a smooth closed curve and return n places on it, evenly apart, (n, 2)."""
    from scipy.interpolate import CubicSpline

    path = np.asarray(points, dtype=float)
    looped = np.vstack((path, path[:1]))
    # Centripetal knots: no loops where points lie unevenly.
    steps = np.sqrt(np.linalg.norm(np.diff(looped, axis=0), axis=1))
    knots = np.concatenate(([0.0], np.cumsum(steps)))
    dense = CubicSpline(knots, looped, bc_type="periodic")(np.linspace(0, knots[-1], 16 * n))
    along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))))
    wanted = np.arange(n) * along[-1] / n
    curve = np.column_stack([np.interp(wanted, along, axis) for axis in dense.T])
    curve.flags.writeable = False
    return curve


def enclosed_mm2(path: Array) -> float:
    """Area by the shoelace formula; positive for paths that turn from left to posterior."""
    after = np.roll(path, -1, axis=0)
    return float((path[:, 0] * after[:, 1] - after[:, 0] * path[:, 1]).sum() / 2)


def cover(grid: Grid, path: Array) -> Region:
    """Return the fine points inside one closed path of places."""
    return cover_all(grid, path[None])


def cover_all(grid: Grid, paths: Array) -> Region:
    """Return the fine points inside at least one of some closed paths of places, (n, points, 2).

    A point lies inside where the paths left of it wind about it: paths may overlap if they all run
    the same way round.
    """
    begin = grid.to_fine(paths.reshape(-1, 2))
    end = np.roll(begin.reshape(paths.shape), -1, axis=1).reshape(-1, 2)
    shape = np.array(grid.fine_shape)
    low = np.clip(np.floor(begin.min(axis=0)).astype(int), 0, shape)
    high = np.clip(np.ceil(begin.max(axis=0)).astype(int) + 1, low, shape)
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    rows, columns = high - low
    begin, end = begin - low, end - low
    first = np.clip(np.ceil(np.minimum(begin[:, 0], end[:, 0])).astype(int), 0, rows)
    count = np.clip(np.ceil(np.maximum(begin[:, 0], end[:, 0])).astype(int), 0, rows) - first
    edge = np.repeat(np.arange(len(begin)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    (r0, c0), (r1, c1) = begin[edge].T, end[edge].T
    column = np.ceil(c0 + (row - r0) * (c1 - c0) / (r1 - r0)).astype(int)
    at = row * (columns + 1) + np.clip(column, 0, columns)
    turns = np.zeros(rows * (columns + 1), dtype=np.int8)
    np.add.at(turns, at, np.where(r1 > r0, np.int8(1), np.int8(-1)))
    winding = np.cumsum(turns.reshape(rows, columns + 1), axis=1, dtype=np.int8)
    return Region(box, winding[:, :columns] != 0)


def _spline_rows(at_mm: Array, scale_mm: float) -> Any:
    """Return the matrix from coefficients of a uniform cubic B-spline to its values."""
    from scipy.sparse import csr_array

    place = (at_mm + FIELD_MM) / scale_mm + 1
    knot = np.floor(place).astype(int)
    t = place - knot
    weights = np.stack((
        (1 - t) ** 3 / 6, (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6, t**3 / 6,
    ), axis=1)  # fmt: skip
    columns = knot[:, None] + np.arange(-1, 3)
    starts = np.arange(len(at_mm) + 1) * 4
    size = (len(at_mm), field_size(scale_mm))
    return csr_array((weights.ravel().astype(np.float32), columns.ravel(), starts), shape=size)


def field_size(scale_mm: float) -> int:
    """Return the number of coefficients along each axis of a smooth field."""
    return int(2 * FIELD_MM / scale_mm) + 5


def spread_out(axes_mm: tuple[Array, Array], coefficients: Array, scale_mm: float) -> Image:
    """Return the values of a smooth field, of posterior by left, from its coefficients."""
    posterior, left = (_spline_rows(axis, scale_mm) for axis in axes_mm)
    half = np.ascontiguousarray((left @ coefficients.T.astype(np.float32)).T)
    return np.asarray(posterior @ half, dtype=np.float32)


def smooth_noise(axes_mm: tuple[Array, Array], rng: np.random.Generator, scale_mm: float) -> Image:
    """Return a smooth random field with mean 0 and SD 1 that varies over some millimetres."""
    size = field_size(scale_mm)
    return spread_out(axes_mm, rng.standard_normal((size, size)) / _FIELD_SD, scale_mm)
