"""Moving the view while a tool is active: Space and the left button, or the middle button.

napari's own Space changes the layer's mode, which ends an unfinished outline. Here the tool
stays active and only looks away while the view moves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

LEFT_BUTTON, MIDDLE_BUTTON = 1, 3


class Panning:
    """Moves the view of a viewer.

    Parameters
    ----------
    viewer
        The napari viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        self._is_held = False
        self._hushed: tuple[Any, list[Any]] | None = None

    def start(self) -> None:
        """Listen to the mouse."""
        self._viewer.mouse_drag_callbacks.insert(0, self._drag)

    def stop(self) -> None:
        """Listen no more."""
        self._is_held = False
        self._wake()
        if self._drag in self._viewer.mouse_drag_callbacks:
            self._viewer.mouse_drag_callbacks.remove(self._drag)

    def hold(self) -> Iterator[None]:
        """Let the left button move the view for as long as a key is held."""
        self._is_held = True
        yield
        self._is_held = False

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        moves = event.button == MIDDLE_BUTTON or (self._is_held and event.button == LEFT_BUTTON)
        if not moves:
            return
        self._hush(viewer.layers.selection.active)
        camera, shown = viewer.scene.camera, list(event.dims_displayed)
        # With the left button napari moves the view itself, where its layer lets it.
        is_ours = event.button == MIDDLE_BUTTON or not camera.mouse_pan
        start = np.array(event.position)[shown]
        yield
        # Only the press is kept from the tool: whatever is pressed meanwhile finds it as it was.
        self._wake()
        while event.type == "mouse_move":
            if is_ours:
                centre = np.array(camera.center, dtype=np.float64)
                centre[-len(shown) :] += start - np.array(event.position)[shown]
                camera.center = tuple(centre)
            yield

    def _hush(self, layer: Any) -> None:
        """Keep a press from the active tool."""
        self._wake()
        if layer is not None:
            self._hushed = layer, list(layer.mouse_drag_callbacks)
            layer.mouse_drag_callbacks.clear()

    def _wake(self) -> None:
        if self._hushed is not None:
            (layer, callbacks), self._hushed = self._hushed, None
            layer.mouse_drag_callbacks.extend(callbacks)
