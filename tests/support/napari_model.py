"""An annotator in a viewer without a window, with a hand on its mouse and its keys."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from napari.components import ViewerModel
from napari.utils.interactions import (
    mouse_double_click_callbacks,
    mouse_move_callbacks,
    mouse_press_callbacks,
    mouse_release_callbacks,
)
from napari.utils.key_bindings import KeymapHandler
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.opening import OpenedExam
from qtpy.QtWidgets import QApplication

from multifidus.data.image import Exam

if TYPE_CHECKING:
    from napari_multifidus.models.shapes import LayerKey

Point = tuple[float, float]


class ViewerWithoutWindow:
    """What tests do with a window, where what they claim is no matter of one.

    The mouse and the keys are handed to napari's layers as the window hands them over. Our own
    drawing tools, which listen to the canvas itself, need a window.

    Attributes
    ----------
    messages
        What the window would say.
    """

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.viewer = ViewerModel()
        self.annotator = Annotator(self.viewer, "R1")
        self.annotator.edit_tools.drawing = "add_polygon"
        self.annotator.edit_tools.advances = False
        self.annotator.workspace.message.connect(self.messages.append)
        self.annotator.workspace.warning.connect(self.messages.append)
        self._keys = KeymapHandler()

    def open(self, exam: Exam, folder: Path) -> None:
        """Open an exam, and keep its outlines in a folder."""
        self.annotator.opener.switch_to(OpenedExam(exam, exam.series[0], folder))

    def layer(self, key: LayerKey) -> Any:
        return self.annotator.workspace.canvas.layers[key]

    def attempt(self, act: Any, *args: Any) -> None:
        """Do what a button would: what goes wrong is said."""
        with reported(self.annotator.workspace.warning):
            act(*args)

    def press(self, keys: str) -> None:
        """Press a key on the canvas; it must be in use."""
        self._keys.keymap_providers = [self.viewer.layers.selection.active, self.viewer]
        assert self._keys.press_key(keys), keys
        QApplication.processEvents()

    def click(self, point: Point) -> None:
        """Click on a pixel of the image."""
        self._send(mouse_move_callbacks, "mouse_move", point)
        self._send(mouse_press_callbacks, "mouse_press", point)
        self._send(mouse_release_callbacks, "mouse_release", point)

    def draw(self, corners: list[Point]) -> None:
        """Draw a polygon by clicks, the last one double."""
        for corner in corners:
            self.click(corner)
        self._send(mouse_double_click_callbacks, "mouse_double_click", corners[-1])

    def _send(self, callbacks: Any, kind: str, point: Point) -> None:
        layer, dims = self.viewer.layers.selection.active, self.viewer.dims
        event = SimpleNamespace(
            type=kind,
            button=1,
            modifiers=(),
            # Without a window a pixel of the canvas is one of the image.
            pos=point,
            position=layer.data_to_world((dims.current_step[0], *point)),
            view_direction=None,
            up_direction=None,
            dims_displayed=list(dims.displayed),
            is_dragging=False,
            handled=False,
        )
        callbacks(layer, event)
        QApplication.processEvents()
