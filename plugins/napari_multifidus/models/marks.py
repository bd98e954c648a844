"""What marks a slice shows beside outlines: places to mend, and outlines to be closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Series
from multifidus.editing.mend import crossings
from napari_multifidus.models.drawing import DrawingState
from napari_multifidus.models.shapes import colour_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RING_MM = 3.0
"""Radius of the ring around a crossing."""

RING_POINTS = 24
RING_COLOUR = "#ffb000"
"""Amber, as every warning."""


def crossing_rings(
    drawing: DrawingState, series: Series, index: int
) -> Iterator[tuple[Array, str]]:
    """Return a ring around every place of a slice where an outline crosses, and its colour."""
    angle = np.linspace(0, 2 * np.pi, RING_POINTS + 1)
    ring = RING_MM * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    ring /= series.slices[index].plane.pixel_spacing_mm
    for (_, drawn_on), draft in drawing.unfinished.items():
        if drawn_on == index:
            for place in crossings(draft.loops):
                yield place + ring, RING_COLOUR


def dashes(drawing: DrawingState, series: Series, index: int) -> Iterator[tuple[Array, str]]:
    """Return the dashes of every outline of a slice that is not closed, and their colour."""
    spacing = series.slices[index].plane.pixel_spacing_mm
    for (key, drawn_on), half in drawing.half_drawn.items():
        if drawn_on == index:
            for dash in half.dashes(spacing):
                yield dash, colour_of(key)
