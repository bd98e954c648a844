"""The boundary band: pixels that a slightly different tracing would take in or leave out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Pixels = NDArray[np.intp]

RINGS = (-1.0, 0.0, 1.0)
"""Where pixels are looked at: inside, on and outside the outline, in standard deviations of a
tracing's displacement."""

POINTS = 64
"""Least number of places along a loop, evenly spaced; a power of two."""

WIDEST_MM = 4.0
"""Longer loops have more places, so that they are never farther apart than this."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryBand:
    """Loops of an outline with the pixels along them.

    Parameters
    ----------
    lengths_mm
        Length of each loop.
    counts
        Number of places along each loop.
    pixels
        (row, column) of the pixel at each place, ring after ring: (rings x places, 2).
    """

    lengths_mm: tuple[float, ...]
    counts: tuple[int, ...] = ()
    pixels: Pixels | None = None

    def of(self, image: Array) -> Array | None:
        """Return the band's pixels in an image of the same grid; None without pixels."""
        return None if self.pixels is None else image[self.pixels[:, 0], self.pixels[:, 1]]


def perimeters_mm(loops: Sequence[Array], spacing_mm: tuple[float, float]) -> tuple[float, ...]:
    """Length of each loop, (n, 2) of (row, column), in millimetres."""
    return tuple(float(_edges(loop, spacing_mm).sum()) for loop in loops)


def _edges(loop: Array, spacing_mm: tuple[float, float]) -> Array:
    down, across = (np.concatenate((loop[1:], loop[:1])) - loop).T
    return np.asarray(np.hypot(down * spacing_mm[0], across * spacing_mm[1]))


def boundary_band(
    loops: Sequence[Array], spacing_mm: tuple[float, float], shape: tuple[int, ...], sd_mm: float
) -> BoundaryBand:
    """Find the pixels along an outline.

    Parameters
    ----------
    loops
        Simple loops, (n, 2) of (row, column), turned so that their signed areas sum to the area.
    spacing_mm
        Distance between rows and between columns.
    shape
        Rows and columns of the slice; places beyond it take its nearest pixel.
    sd_mm
        Distance of the inner and the outer ring from the outline.
    """
    lengths, counts, places = [], [], []
    for loop in loops:
        edges = _edges(loop, spacing_mm)
        length = float(edges.sum())
        count = max(POINTS, 2 ** math.ceil(math.log2(max(length / WIDEST_MM, 1.0))))
        lengths.append(length)
        counts.append(count)
        places.append(_rings(loop, edges, spacing_mm, (count, sd_mm)))
    if not places:
        return BoundaryBand(())
    where = np.rint(np.concatenate(places, axis=1)).reshape(-1, 2)
    last = np.array(shape) - 1
    nearest = np.minimum(np.maximum(where, 0), last).astype(np.intp)
    return BoundaryBand(tuple(lengths), tuple(counts), nearest)


def _rings(
    loop: Array, edges: Array, spacing_mm: tuple[float, float], ring: tuple[int, float]
) -> Array:
    """Places on the rings of one loop, (rings, count, 2) in pixels."""
    count, sd_mm = ring
    ends = edges.cumsum()
    along = np.arange(count) * (ends[-1] / count)
    edge = np.minimum(ends.searchsorted(along, side="right"), len(loop) - 1)
    start = loop.take(edge, axis=0)
    step = loop.take(edge + 1, axis=0, mode="wrap") - start
    length = edges[edge]
    share = (along - (ends[edge] - length)) / length
    on = start + share[:, None] * step
    # The direction at right angles to the edge, away from what is inside, in pixels.
    out = np.empty_like(on)
    out[:, 0] = step[:, 1] * spacing_mm[1] / (length * spacing_mm[0])
    out[:, 1] = -step[:, 0] * spacing_mm[0] / (length * spacing_mm[1])
    return np.stack([on + (ring * sd_mm) * out for ring in RINGS])
