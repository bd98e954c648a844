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

DIAGONALS = np.pi * np.array((0.25, 0.75, 1.25, 1.75))
ARMS_MM = RING_MM, 7.0
"""Where the arms of a cross on the ring begin and end: the crossing itself stays in sight."""


def crossing_marks(
    drawing: DrawingState, series: Series, index: int
) -> Iterator[tuple[Array, str]]:
    """Return the lines that mark every place of a slice where an outline crosses, and their colour.

    A ring with the arms of a diagonal cross: no outline looks like it, whatever its colour.
    """
    angle = np.linspace(0, 2 * np.pi, RING_POINTS + 1)
    arms = (np.array(ARMS_MM)[:, None] * _towards(way) for way in DIAGONALS)
    lines = (RING_MM * _towards(angle), *arms)
    spacing = series.slices[index].plane.pixel_spacing_mm
    for (_, drawn_on), draft in drawing.unfinished.items():
        if drawn_on == index:
            for place in crossings(draft.loops):
                for line in lines:
                    yield place + line / spacing, RING_COLOUR


def _towards(angle: Array | float) -> Array:
    return np.stack((np.cos(angle), np.sin(angle)), axis=-1)


def dashes(drawing: DrawingState, series: Series, index: int) -> Iterator[tuple[Array, str]]:
    """Return the dashes of every outline of a slice that is not closed, and their colour."""
    spacing = series.slices[index].plane.pixel_spacing_mm
    for (key, drawn_on), half in drawing.half_drawn.items():
        if drawn_on == index:
            for dash in half.dashes(spacing):
                yield dash, colour_of(key)
