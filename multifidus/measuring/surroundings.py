"""The image around outlines: what is kept of a slice for methods that look beyond an outline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.geometry import Plane
from multifidus.measuring.coverage import Coverage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

Box = tuple[slice, slice]
"""Rows and columns."""

AROUND_MM = 25.0
"""How far from the outlines of a slice fat is looked for."""

RIM_PIXELS = 5
"""Pixels around a single outline that say what lies beside it."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """A box of a slice's pixels around outlines.

    Parameters
    ----------
    top, left
        Row and column of the box's first pixel in the image.
    pixels
        Signal as it is in the image, (rows, columns), read-only.
    """

    top: int
    left: int
    pixels: Array

    @classmethod
    def of(cls, pixels: Array, outlines: Iterable[Coverage], margin: int) -> Surroundings:
        """Copy the pixels within ``margin`` of any of the outlines' boxes."""
        boxes = []
        for item in outlines:
            rows, columns = item.weights.shape
            boxes.append((item.top, item.left, item.top + rows, item.left + columns))
        top, left = (max(min(box[axis] for box in boxes) - margin, 0) for axis in (0, 1))
        bottom, right = (max(box[axis] for box in boxes) + margin for axis in (2, 3))
        kept = pixels[top:bottom, left:right].copy()
        kept.flags.writeable = False
        return cls(top, left, kept)

    def box_of(self, item: Coverage) -> Box:
        """Return where an outline's box lies in this one, which holds it whole."""
        top, left = item.top - self.top, item.left - self.left
        rows, columns = item.weights.shape
        return slice(top, top + rows), slice(left, left + columns)

    def places_mm(self, plane: Plane) -> tuple[Array, Array]:
        """Return LPS x and y of every pixel's centre, (rows, columns) each."""
        rows, columns = (np.arange(size, dtype=np.float64) for size in self.pixels.shape)
        along = (rows + self.top)[:, None] * plane.row_step_mm
        across = (columns + self.left)[:, None] * plane.column_step_mm
        x, y = (plane.origin_mm[k] + along[:, k, None] + across[:, k] for k in (0, 1))
        return x, y

    def near(self, item: Coverage, margin: int) -> Surroundings:
        """Return the part within ``margin`` pixels of an outline's box."""
        rows, columns = item.weights.shape
        top, left = max(item.top - margin, self.top), max(item.left - margin, self.left)
        bottom, right = (
            item.top + rows + margin - self.top,
            item.left + columns + margin - self.left,
        )
        return Surroundings(
            top, left, self.pixels[top - self.top : bottom, left - self.left : right]
        )
