"""Marks on the image at what is no outline: where one crosses itself, and what is not closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_multifidus import _compat
from napari_multifidus.controllers.structure_layer import add_shapes
from napari_multifidus.models.marks import crossing_marks, dashes
from napari_multifidus.models.shapes import vertices_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]
    Shown = tuple[int, list[tuple[Array, str]]]

MARKS = "to be finished or mended"
EDGE_WIDTH = 0.8


class Marks:
    """A layer of marks at crossings, and of dashed outlines that wait to be closed.

    Parameters
    ----------
    viewer, session
        Where, and what is drawn.
    """

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer, self._session = viewer, session
        self._layer: Any = None
        self._shown: Shown = (0, [])

    def show(self, index: int) -> None:
        """Show the marks of a slice."""
        drawing, series = self._session.drawing, self._session.series
        found = [*crossing_marks(drawing, series, index), *dashes(drawing, series, index)]
        if not found and (self._layer is None or not self._layer.nshapes):
            return
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._new_layer()
        elif _is_same((index, found), self._shown):
            return
        self._shown = (index, found)
        layer, kinds = self._layer, ["path"] * len(found)
        with _compat.refreshed_once(layer):
            if layer.nshapes:
                layer.data = []
            if found:
                paths = [vertices_of(path, index) for path, _ in found]
                colours = [colour for _, colour in found]
                layer.add(paths, shape_type=kinds, edge_color=colours, edge_width=EDGE_WIDTH)
            layer.selected_data = set()

    def close(self) -> None:
        """Take the layer away."""
        if self._layer is not None and self._layer in self._viewer.layers:
            self._viewer.layers.remove(self._layer)
        self._layer = None

    def _new_layer(self) -> Any:
        active = self._viewer.layers.selection.active
        layer = add_shapes(
            self._viewer,
            self._session.series,
            name=MARKS,
            face_color="transparent",
            metadata={_compat.PLUGIN: MARKS},
        )
        layer.editable = False
        self._viewer.layers.selection.active = active
        return layer


def _is_same(one: Shown, other: Shown) -> bool:
    """Whether marks are the same, on the same slice: to draw a dashed outline anew takes long."""
    (index, found), (before, shown) = one, other
    return (
        index == before
        and [colour for _, colour in found] == [colour for _, colour in shown]
        and all(np.array_equal(a, b) for (a, _), (b, _) in zip(found, shown, strict=True))
    )
