"""Paths that snap to edges: the cheapest way along strong gradients.

After the live-wire of Barrett and Mortensen (1997, doi:10.1016/S1361-8415(97)85005-0): the way
between two points is the one of least cost, and to follow an edge costs little. The way of whole
pixels is then moved onto the crest of the gradient, between the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

EDGE_SD_PIXELS = 1.0
"""Gradients are those of the image blurred by a Gaussian of this width."""

REACH_PIXELS = 64
"""How far from its start a way is looked for, along rows and columns."""

SNAP_PIXELS = 2
"""The ends of a way are moved to the strongest edge this near."""

STRONG_PERCENTILE = 99.0
"""Gradients of this percentile and above are full edges: to follow them costs least."""

LEAST_COST = 0.02
"""Cost of a millimetre along a full edge, where one without any edge costs 1 more."""

_CREST_PIXELS = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The edges of an image.

    Attributes
    ----------
    strength
        Gradient magnitude per millimetre, (rows, columns).
    across
        Unit vector across the edge, in pixels, (2, rows, columns).
    spacing_mm
        Between rows and between columns.
    """

    strength: Array
    across: Array
    spacing_mm: tuple[float, float]

    @classmethod
    def of(cls, pixels: ArrayLike, spacing_mm: tuple[float, float]) -> Edges:
        """Find the edges of an image (rows, columns)."""
        from scipy.ndimage import gaussian_filter

        image = np.asarray(pixels, dtype=np.float64)
        slopes = [
            gaussian_filter(image, EDGE_SD_PIXELS, order=order) / mm
            for order, mm in zip(((1, 0), (0, 1)), spacing_mm, strict=True)
        ]
        strength = np.hypot(*slopes)
        # The direction across the edge in millimetres, then in steps of pixels.
        steps = np.array([slope / mm for slope, mm in zip(slopes, spacing_mm, strict=True)])
        length = np.hypot(*steps)
        across = steps / np.where(length > 0, length, 1.0)
        return cls(strength, across, spacing_mm)

    def snapped(self, point: ArrayLike) -> tuple[int, int]:
        """Return the pixel of the strongest edge near a point (row, column)."""
        row, column = self._inside(point)
        top, left = max(row - SNAP_PIXELS, 0), max(column - SNAP_PIXELS, 0)
        near = self.strength[top : row + SNAP_PIXELS + 1, left : column + SNAP_PIXELS + 1]
        found = np.unravel_index(int(near.argmax()), near.shape)
        if near[found] == 0:
            return row, column
        return top + int(found[0]), left + int(found[1])

    def _inside(self, point: ArrayLike) -> tuple[int, int]:
        last = np.array(self.strength.shape) - 1
        row, column = np.clip(np.round(np.asarray(point, dtype=np.float64)), 0, last).astype(int)
        return int(row), int(column)

    def on_crest(self, way: Array) -> Array:
        """Move points, (n, 2), across the edge to where the gradient is strongest."""
        from scipy.ndimage import map_coordinates

        row, column = way.astype(int).T
        across = self.across[:, row, column].T
        before, here, after = (
            map_coordinates(self.strength, (way + step * across).T, order=1, mode="nearest")
            for step in (-_CREST_PIXELS, 0.0, _CREST_PIXELS)
        )
        bend = before - 2 * here + after
        crest = np.where(bend < 0, (before - after) / np.where(bend < 0, 2 * bend, 1.0), 0.0)
        # Beyond a pixel there is another crest, or none.
        moved = np.clip(crest, -_CREST_PIXELS, _CREST_PIXELS)[:, None] * across
        return np.asarray(way + moved)


class LiveWire:
    """Ways along edges from one anchor; the costs are worked out once for all of them.

    Parameters
    ----------
    edges
        Of the image.
    anchor
        Where the ways start (row, column); it snaps to the strongest edge near.
    """

    def __init__(self, edges: Edges, anchor: ArrayLike) -> None:
        from skimage.graph import MCP_Geometric

        self.anchor = edges.snapped(anchor)
        self._edges = edges
        corner = np.maximum(np.array(self.anchor) - REACH_PIXELS, 0)
        self._corner = corner
        rows, columns = np.array(self.anchor) + REACH_PIXELS + 1
        window = edges.strength[corner[0] : rows, corner[1] : columns]
        self._shape = window.shape
        full = float(np.percentile(window, STRONG_PERCENTILE))
        weak = 1 - np.minimum(window / full, 1.0) if full > 0 else np.ones_like(window)
        self._search: Any = MCP_Geometric(LEAST_COST + weak**2, sampling=edges.spacing_mm)
        self._search.find_costs([tuple(np.array(self.anchor) - corner)])

    def to(self, end: ArrayLike) -> Array:
        """Return the way to a point (row, column), (n, 2), on the crest of the edges.

        A point out of reach is reached by a straight line from the rim of the window.
        """
        wanted = np.array(self._edges.snapped(end))
        inside = np.clip(wanted - self._corner, 0, np.array(self._shape) - 1)
        way = np.array(self._search.traceback(tuple(inside)), dtype=np.float64) + self._corner
        path = self._edges.on_crest(way)
        if (inside + self._corner != wanted).any():
            path = np.concatenate((path, self._edges.on_crest(wanted[None].astype(np.float64))))
        return path
