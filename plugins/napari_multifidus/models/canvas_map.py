"""Where the pixels of the slice shown lie on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

FAR = 1000.0
"""Points of the canvas this far apart say how pixels lie: rounding is small beside it."""

CORNERS = ((0.0, 0.0), (FAR, 0.0), (0.0, FAR))
"""Points of the canvas, (x, y), that a map is made of."""


@dataclass(frozen=True, slots=True, eq=False)
class CanvasMap:
    """Maps between points of the canvas, (x, y), and pixels of a slice, (row, column).

    Attributes
    ----------
    origin
        The pixel at the first point of the canvas, (2,).
    steps
        By how many rows and columns a step along x, and one along y, leads on: (2, 2).
    """

    origin: Array
    steps: Array

    @classmethod
    def of(cls, pixels: ArrayLike) -> CanvasMap:
        """Make the map of the pixels, (3, 2), at :data:`CORNERS`."""
        first, across, down = np.asarray(pixels, dtype=np.float64)
        return cls(first, np.array((across - first, down - first)) / FAR)

    def pixels(self, points: ArrayLike) -> Array:
        """Return the pixels at points of the canvas, (n, 2)."""
        return np.asarray(points, dtype=np.float64).reshape(-1, 2) @ self.steps + self.origin

    def points(self, pixels: Array) -> Array:
        """Return the points of the canvas at pixels, (n, 2)."""
        return np.asarray((pixels - self.origin) @ np.linalg.inv(self.steps))

    def is_same(self, other: CanvasMap | None) -> bool:
        """Whether another map shows every pixel at the same place."""
        return other is not None and bool(
            (self.origin == other.origin).all() and (self.steps == other.steps).all()
        )
