"""Which pixels of the muscle count as fat, shown on the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.figures.overlay import FAT_COLOUR as _FAT
from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.shapes import AXES, UNITS, LayerKey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

FAT_COLOUR = tuple(int(part) for part in _FAT)
"""The colour of fat, as on the pictures of the results."""

LEAN_COLOUR = (0, 158, 115)
FAT_OPACITY, LEAN_OPACITY = 150, 60
"""Of 255."""

NAME = "fat in the muscle"

MARGIN = 24
"""Pixels around outlines by which they may grow before the layer is laid out anew."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of pixels of one slice."""

    top: int
    left: int
    rows: int
    columns: int

    @classmethod
    def around(cls, previews: Iterable[OutlinePreview], shape: tuple[int, int]) -> Box | None:
        """Lay a box around previews, with a margin; None around nothing."""
        found = [preview.pixels for preview in previews if len(preview.pixels)]
        if not found:
            return None
        points = np.concatenate(found)
        low = np.maximum(points.min(axis=0) - MARGIN, 0)
        high = np.minimum(points.max(axis=0) + 1 + MARGIN, shape)
        (top, left), (rows, columns) = low.tolist(), (high - low).tolist()
        return cls(top, left, rows, columns)

    def holds(self, previews: Iterable[OutlinePreview]) -> bool:
        """Whether all previewed pixels lie inside."""
        corner, size = (self.top, self.left), (self.rows, self.columns)
        return all(
            bool(((preview.pixels >= corner) & (preview.pixels < np.add(corner, size))).all())
            for preview in previews
        )


def paint(picture: Pixels, box: Box, previews: Iterable[OutlinePreview]) -> None:
    """Paint fat and lean pixels into a picture of a box, (rows, columns, red green blue opacity).

    What has no threshold stays as it is on the image.
    """
    picture[:] = 0
    for preview in previews:
        if np.isnan(preview.numbers.threshold):
            continue
        row, column = (preview.pixels - (box.top, box.left)).T
        fat = preview.is_fat
        picture[row[fat], column[fat]] = (*FAT_COLOUR, FAT_OPACITY)
        picture[row[~fat], column[~fat]] = (*LEAN_COLOUR, LEAN_OPACITY)


class FatOverlay:
    """A layer on top of the image that shows fat and lean pixels of the active outlines.

    It covers the box around them and nothing else, and is painted in place while they move.

    Parameters
    ----------
    viewer
        The napari viewer.
    spacing_mm
        Of the images: distance between rows, and between columns.
    """

    def __init__(self, viewer: Any, spacing_mm: tuple[float, float]) -> None:
        self.viewer = viewer
        self._scale = (1.0, *spacing_mm)
        self._layer: Any = None
        self._place: tuple[int, Box] | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is a layer."""
        return self._layer is not None and self._layer in self.viewer.layers

    def show(
        self, index: int, previews: Mapping[LayerKey, OutlinePreview], shape: tuple[int, int]
    ) -> None:
        """Show what is fat of outlines on a slice of a shape."""
        found = list(previews.values())
        kept = self.is_shown and self._place is not None and self._place[0] == index
        if kept and self._place is not None and self._place[1].holds(found):
            paint(self._layer.data[0], self._place[1], found)
            self._layer.refresh(extent=False, thumbnail=False, highlight=False)
            return
        box = Box.around(found, shape)
        if box is None:
            self.clear()
            return
        picture = np.zeros((1, box.rows, box.columns, 4), np.uint8)
        paint(picture[0], box, found)
        self._lay_out(picture, index, box)

    def _lay_out(self, picture: Pixels, index: int, box: Box) -> None:
        _, down, across = self._scale
        translate = (float(index), box.top * down, box.left * across)
        self._place = (index, box)
        if self.is_shown:
            self._layer.data = picture
            self._layer.translate = translate
            return
        from napari.layers import Image

        layer = Image(
            picture,
            rgb=True,
            name=NAME,
            scale=self._scale,
            translate=translate,
            units=UNITS,
            axis_labels=AXES,
            interpolation2d="nearest",
            metadata={},
        )
        active = self.viewer.layers.selection.active
        images = [n for n, other in enumerate(self.viewer.layers) if isinstance(other, Image)]
        self.viewer.layers.insert(images[-1] + 1 if images else 0, layer)
        self._layer = layer
        # A layer that is added becomes the active one.
        self.viewer.layers.selection.active = active

    def clear(self) -> None:
        """Show nothing."""
        if self.is_shown:
            self.viewer.layers.remove(self._layer)
        self._layer = self._place = None
