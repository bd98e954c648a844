"""Grey levels by the mouse, the look of outlines, and the bare image; no number changes by them.

napari's right button zooms where no tool is active, and draws where one is. Here it changes the
grey levels, with every tool; the wheel zooms.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_multifidus import _compat
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.canvas_texts import show_scale_bar, write
from napari_multifidus.controllers.display import Display, Hush
from napari_multifidus.controllers.image_layers import exam_images
from napari_multifidus.models.image_view import OutlineStyle, dragged

RIGHT_BUTTON = 2

STILL_PX = 3.0
"""A button that moved no further was clicked."""

BARE = "everything on the image is hidden: Shift+B shows it"


class ImageView(QObject):
    """How the image of an exam is looked at.

    Parameters
    ----------
    display
        What is seen of it.

    Attributes
    ----------
    changed
        Emitted when it is looked at otherwise.
    style
        How outlines are drawn.
    """

    changed = Signal()

    def __init__(self, display: Display) -> None:
        super().__init__()
        self._display, self._workspace = display, display.workspace
        self._viewer = display.viewer
        self._hush = Hush()
        self._hidden: list[Any] = []
        self.is_bare = False
        self.style = OutlineStyle()
        self._fitted: tuple[float, ...] = ()
        self._workspace.opened.connect(self._begin)
        # Panels that open beside the first exam take room from it.
        self._viewer.canvas.events.size.connect(self._keep_fitted)

    def _begin(self) -> None:
        """Listen to the mouse while an exam is open; it is opened with everything in sight."""
        self._show_all()
        self._hush.end()
        callbacks = self._viewer.mouse_drag_callbacks
        if self._drag in callbacks:
            callbacks.remove(self._drag)
        if self._workspace.is_open:
            callbacks.insert(0, self._drag)
            self._workspace.canvas.lines.wear(self.style)
            self._fit()
        self.changed.emit()

    # --- the view ------------------------------------------------------------------------------

    def _fit(self) -> None:
        self._viewer.reset_view()
        self._fitted = self._seen_part()

    def _keep_fitted(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Fit the image to a window of another size, unless a person has moved or enlarged it."""
        if self._workspace.is_open and self._seen_part() == self._fitted:
            self._fit()

    def _seen_part(self) -> tuple[float, ...]:
        camera = self._viewer.scene.camera
        return float(camera.zoom), *map(float, camera.center)

    # --- grey levels ---------------------------------------------------------------------------

    def _drag(self, viewer: Any, event: Any) -> Iterator[None]:
        before = self._display.limits
        if event.button != RIGHT_BUTTON or before is None:
            return
        self._hush.keep_from(viewer.layers.selection.active)
        # napari would zoom.
        event.handled = True
        start, has_moved = np.array(event.pos, dtype=np.float64), False
        yield
        self._hush.end()
        while event.type == "mouse_move":
            event.handled = True
            right, down = np.array(event.pos, dtype=np.float64) - start
            has_moved = has_moved or bool(np.hypot(right, down) > STILL_PX)
            if has_moved:
                self._display.move_limits(*dragged(before, float(right), float(down)))
            yield
        if has_moved and self._display.limits is not None:
            self._display.set_limits(*self._display.limits)

    # --- outlines ------------------------------------------------------------------------------

    def set_style(self, style: OutlineStyle) -> None:
        """Draw outlines otherwise, in this exam and the next ones."""
        self.style = style
        if self._workspace.is_open:
            self._workspace.canvas.lines.wear(style)
        self.changed.emit()

    def set_smooth(self, *, on: bool) -> None:
        """Smooth the image, or show its pixels."""
        self._display.set_smooth(on=on)
        self.changed.emit()

    # --- the bare image ------------------------------------------------------------------------

    def toggle_bare(self) -> None:
        """Hide everything that lies on the image; or show it again."""
        if self.is_bare:
            self._show_all()
        else:
            self._hide_all()
        self.changed.emit()

    def _hide_all(self) -> None:
        images = exam_images(self._viewer)
        self._hidden = [
            layer for layer in self._viewer.layers if layer.visible and layer not in images
        ]
        for layer in self._hidden:
            layer.visible = False
            # Whoever draws sees again what is drawn on.
            layer.events.visible.connect(self._seen)
        self.is_bare = True
        _compat.fade_texts(self._viewer, hidden=True)
        write(self._viewer, "bare", BARE, "bottom_center")

    def _show_all(self) -> None:
        hidden, self._hidden = self._hidden, []
        for layer in hidden:
            layer.events.visible.disconnect(self._seen)
            layer.visible = True
        if self.is_bare:
            self.is_bare = False
            _compat.fade_texts(self._viewer, hidden=False)
            show_scale_bar(self._viewer)
            write(self._viewer, "bare", "", "bottom_center")

    def _seen(self, event: Any) -> None:
        if event.source.visible and self.is_bare:
            self._show_all()
            self.changed.emit()
