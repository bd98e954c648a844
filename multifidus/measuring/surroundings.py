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

    def weights_of(self, item: Coverage) -> Array:
        """Return the weights of an outline of the same slice on the box, 0 where it is not."""
        found = np.zeros(self.pixels.shape)
        rows, columns = item.weights.shape
        own_rows, own_columns = self.pixels.shape
        here_rows, there_rows = _common((item.top, rows), (self.top, own_rows))
        here_columns, there_columns = _common((item.left, columns), (self.left, own_columns))
        found[here_rows, here_columns] = item.weights[there_rows, there_columns]
        return found

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


def _common(other: tuple[int, int], own: tuple[int, int]) -> tuple[slice, slice]:
    """Return what two ranges of (begin, length) share, counted in the own one and in the other."""
    begin = max(other[0], own[0])
    end = max(min(other[0] + other[1], own[0] + own[1]), begin)
    return slice(begin - own[0], end - own[0]), slice(begin - other[0], end - other[0])
