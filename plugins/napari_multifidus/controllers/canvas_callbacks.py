"""What a canvas tells others, and asks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.redraw import DrawnOver, Redraw
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CanvasCallbacks:
    """What a canvas calls.

    Attributes
    ----------
    motion
        Called with a structure, a slice and its preview, while a vertex or a brush moves.
    commit
        Called when something drawn has changed.
    place
        Called when another slice is shown or another structure is active.
    corner
        Called when a corner is set of an outline that is not finished.
    problem
        Called with what a tool could not do.
    drawn_over
        Called with what is drawn over an outline; returns the paths that come of it.
    closed
        Called with structure and slice when an outline was drawn where none was.
    usual_redraw
        Returns what drawing over an outline means where nothing else is said.
    """

    motion: Callable[[LayerKey, int, OutlinePreview], None]
    commit: Callable[[], None]
    place: Callable[[], None]
    corner: Callable[[], None]
    problem: Callable[[str], None]
    drawn_over: Callable[[DrawnOver], tuple[Array, ...]]
    closed: Callable[[LayerKey, int], None]
    usual_redraw: Callable[[], Redraw]
