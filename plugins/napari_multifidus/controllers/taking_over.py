"""Offers to take over a layer of the user's own that looks like an outline."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_multifidus import _compat
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.shapes import AXES, LayerKey, by_slice, read_shapes
from napari_multifidus.models.taking_over import key_like, take_over


class TakingOver(QObject):
    """Finds layers with outlines that the plugin does not know of.

    Attributes
    ----------
    changed
        Emitted when something else may be taken over.
    found
        The layers, each with the structure that its name says.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.found: tuple[tuple[Any, LayerKey], ...] = ()
        self._declined: list[Any] = []
        workspace.opened.connect(self.look)
        workspace.selection_changed.connect(self.look)

    def look(self) -> None:
        """Look for such layers."""
        before, self.found = self.found, ()
        if self._workspace.is_open and not self._workspace.is_locked:
            self.found = tuple(
                (layer, key)
                for layer in self._workspace.viewer.layers
                if _is_own(layer) and layer not in self._declined
                if (key := key_like(layer.name)) is not None
            )
        if self.found != before:
            self.changed.emit()

    @property
    def words(self) -> str:
        """Say what may be taken over; nothing where there is nothing."""
        if not self.found:
            return ""
        layer, key = self.found[0]
        return f"The layer “{layer.name}” is not measured or saved. Take it over as {key.words}?"

    def take(self) -> None:
        """Take over the first of the layers, and hide it.

        Raises
        ------
        RoiError
            If the reading is locked.
        """
        if not self.found:
            return
        layer, key = self.found[0]
        workspace = self._workspace
        workspace.canvas.leave()
        workspace.canvas.sync()
        own = workspace.canvas.layer(key)
        drawn = by_slice(
            read_shapes(
                [_on_grid(vertices, layer, own) for vertices in layer.data],
                layer.shape_type,
                len(workspace.session.series.slices),
            )
        )
        taken, there = take_over(workspace.session, key, drawn)
        if taken:
            workspace.canvas.push(key)
            workspace.committed()
        layer.visible = False
        kept = f"; {there} slices have an outline of it already" if there else ""
        workspace.message.emit(f"{key.words}: taken over on {taken} slices{kept}.")
        self.decline()

    def decline(self) -> None:
        """Leave the first of the layers alone, from now on."""
        if self.found:
            self._declined.append(self.found[0][0])
        self.look()


def _is_own(layer: Any) -> bool:
    """Whether a layer is the user's, and something is drawn in it on slices."""
    from napari.layers import Shapes

    return (
        isinstance(layer, Shapes)
        and _compat.PLUGIN not in layer.metadata
        and layer.ndim == len(AXES)
        and layer.editable
        and layer.nshapes > 0
    )


def _on_grid(vertices: Any, layer: Any, own: Any) -> Any:
    """Map vertices of one layer to pixels of another, through the place that they have in view."""
    return np.array([own.world_to_data(layer.data_to_world(vertex)) for vertex in vertices])
