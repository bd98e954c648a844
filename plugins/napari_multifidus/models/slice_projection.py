"""How a slice is shown beside the image: turned as it is looked at, in millimetres of the screen.

Knows neither napari nor Qt. Places are millimetres on the slice as it is shown: to the right and
down, from its upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Slice
from napari_multifidus.models.grid import view_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Place = tuple[float, float]

_PERCENTILES = (1.0, 99.5)
"""Signals shown black and white."""


@dataclass(frozen=True, slots=True, eq=False)
class SliceProjection:
    """How one slice is shown.

    Parameters
    ----------
    item
        The slice.
    transposed
        Whether rows run from left to right.
    flipped
        Whether pixels are counted from below, and from the right.
    greys
        Signals shown black and white; None for all but the slice's darkest and brightest.
    """

    item: Slice
    transposed: bool
    flipped: tuple[bool, bool]
    greys: tuple[float, float] | None = None

    @classmethod
    def axial(cls, item: Slice, greys: tuple[float, float] | None = None) -> SliceProjection:
        """Find how an axial slice has to be turned: the right side on the left, anterior up."""
        view = view_of(item.plane)
        return cls(item, view.transposed, (not view.down, not view.right), greys)

    @classmethod
    def sagittal(cls, item: Slice) -> SliceProjection:
        """Find how a sagittal slice has to be turned: anterior on the left, head up."""
        row, column = item.plane.row_step_mm, item.plane.column_step_mm
        transposed = bool(abs(column[2]) > abs(row[2]))
        down, right = (column, row) if transposed else (row, column)
        return cls(item, transposed, (bool(down[2] > 0), bool(right[1] < 0)))

    @classmethod
    def coronal(cls, item: Slice) -> SliceProjection:
        """Find how a coronal slice has to be turned: the right side on the left, head up."""
        row, column = item.plane.row_step_mm, item.plane.column_step_mm
        transposed = bool(abs(column[2]) > abs(row[2]))
        down, right = (column, row) if transposed else (row, column)
        return cls(item, transposed, (bool(down[2] > 0), bool(right[0] < 0)))

    @property
    def size_mm(self) -> tuple[float, float]:
        """Width and height."""
        height, width = (
            count * mm
            for count, mm in zip(self.item.shape, self.item.plane.pixel_spacing_mm, strict=True)
        )
        return (height, width) if self.transposed else (width, height)

    def to_view(self, points_mm: Array) -> Array:
        """Map patient points, shape (n, 3), to places (right, down), shape (n, 2)."""
        spacing = self.item.plane.pixel_spacing_mm
        down, right = ((self.item.plane.to_pixels(points_mm) + 0.5) * spacing).T
        if self.transposed:
            down, right = right, down
        width, height = self.size_mm
        from_below, from_right = self.flipped
        return np.stack(
            (width - right if from_right else right, height - down if from_below else down), axis=1
        )

    def to_patient(self, place: Place) -> Array:
        """Map a place (right, down) to the patient, shape (3,)."""
        width, height = self.size_mm
        from_below, from_right = self.flipped
        right = width - place[0] if from_right else place[0]
        down = height - place[1] if from_below else place[1]
        row, column = (right, down) if self.transposed else (down, right)
        row_mm, column_mm = self.item.plane.pixel_spacing_mm
        found = self.item.plane.to_patient([(row / row_mm - 0.5, column / column_mm - 0.5)])
        return np.asarray(found[0])

    def turned(self, pixels: Array) -> Array:
        """Turn pixels as they are shown, first row on top."""
        seen = pixels.T if self.transposed else pixels
        seen = seen[::-1] if self.flipped[0] else seen
        return seen[:, ::-1] if self.flipped[1] else seen

    def grey_image(self) -> NDArray[np.uint8]:
        """Return the slice as it is shown, shape (height, width), in greys."""
        pixels = self.item.pixels
        low, high = self.greys or np.percentile(pixels, _PERCENTILES)
        scaled = (pixels - low) / max(float(high - low), 1e-9)
        grey = np.clip(self.turned(scaled) * 255, 0, 255)
        return np.ascontiguousarray(grey.astype(np.uint8))
