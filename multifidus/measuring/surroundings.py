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
    stored
        Signal as it is in the image, (rows, columns), read-only; as 16 bits where that is exact:
        those of an exam are all kept until it is measured.
    """

    top: int
    left: int
    stored: Array | NDArray[np.uint16]

    @property
    def pixels(self) -> Array:
        """Signal as it is in the image, (rows, columns)."""
        return np.asarray(self.stored, dtype=np.float64)

    @classmethod
    def of(
        cls, pixels: Array, outlines: Iterable[Coverage], margins: tuple[int, int]
    ) -> Surroundings:
        """Copy the pixels within so many rows and columns of any of the outlines' boxes."""
        boxes = []
        for item in outlines:
            rows, columns = item.weights.shape
            boxes.append((item.top, item.left, item.top + rows, item.left + columns))
        top, left = (max(min(box[k] for box in boxes) - margins[k], 0) for k in (0, 1))
        bottom, right = (max(box[k + 2] for box in boxes) + margins[k] for k in (0, 1))
        kept = _stored(pixels[top:bottom, left:right])
        kept.flags.writeable = False
        return cls(top, left, kept)

    def box_of(self, item: Coverage) -> Box:
        """Return where an outline's box lies in this one, which holds it whole."""
        top, left = item.top - self.top, item.left - self.left
        rows, columns = item.weights.shape
        return slice(top, top + rows), slice(left, left + columns)

    def axes_mm(self, plane: Plane) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
        """Return LPS x and y of pixels' centres: of each what rows and what columns add to it.

        The sum of both, (rows, 1) and (columns,), is that of every pixel.
        """
        rows, columns = (np.arange(size, dtype=np.float64) for size in self.stored.shape)
        along = plane.origin_mm + (rows + self.top)[:, None] * plane.row_step_mm
        across = (columns + self.left)[:, None] * plane.column_step_mm
        x, y = ((along[:, k, None], across[:, k]) for k in (0, 1))
        return x, y

    def part(self, rows: slice, columns: slice) -> Surroundings:
        """Return the part in some of the box's rows and columns."""
        return Surroundings(
            self.top + rows.start, self.left + columns.start, self.stored[rows, columns]
        )

    def hull(self, outlines: Iterable[Coverage]) -> Box:
        """Return the least box in this one that holds outlines of the same slice."""
        boxes = [self.box_of(item) for item in outlines]
        rows, columns = (
            slice(min(box[axis].start for box in boxes), max(box[axis].stop for box in boxes))
            for axis in (0, 1)
        )
        return rows, columns

    def near(self, item: Coverage, margin: int) -> Surroundings:
        """Return the part within ``margin`` pixels of an outline's box."""
        rows, columns = item.weights.shape
        top, left = max(item.top - margin, self.top), max(item.left - margin, self.left)
        bottom, right = (
            item.top + rows + margin - self.top,
            item.left + columns + margin - self.left,
        )
        return Surroundings(
            top, left, self.stored[top - self.top : bottom, left - self.left : right]
        )


def _stored(pixels: Array) -> Array | NDArray[np.uint16]:
    """Copy pixels; as 16 bits where all are whole numbers of that size, as scanners store them."""
    # What is no such number is another one afterwards.
    with np.errstate(invalid="ignore"):
        small = pixels.astype(np.uint16)
    return small if (small == pixels).all() else pixels.copy()
