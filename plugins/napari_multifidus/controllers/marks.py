"""Marks on the image at what is no outline: where one crosses itself, and what is not closed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.controllers.structure_layer import add_shapes
from napari_multifidus.models.marks import crossing_marks, dashes
from napari_multifidus.models.shapes import vertices_of

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

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

    def show(self, index: int) -> None:
        """Show the marks of a slice."""
        drawing, series = self._session.drawing, self._session.series
        found = [*crossing_marks(drawing, series, index), *dashes(drawing, series, index)]
        if not found and (self._layer is None or not self._layer.nshapes):
            return
        if self._layer is None or self._layer not in self._viewer.layers:
            self._layer = self._new_layer()
        layer, kinds = self._layer, ["path"] * len(found)
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
