"""What is seen: which slice, which image of it in which grey levels, which part of it.

The view moves while a tool is active: by Space and the left button, or by the middle button.
napari's own Space changes the layer's mode, which ends an unfinished outline. Here the tool stays
active and only looks away meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_multifidus import _compat
from napari_multifidus.controllers.image_layers import add_image, exam_images
from napari_multifidus.controllers.mouse import LEFT_BUTTON
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.display_images import (
    DisplayImage,
    WindowPreset,
    display_images,
    limits,
)
from napari_multifidus.models.opening import METADATA, OpenedExam, layer_of

MIDDLE_BUTTON = 3


class Display:
    """What is seen of the exam that is open: its slices, and the images on the grid outlined.

    Attributes
    ----------
    choices
        The images that there are, of which one is seen at a time.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace, self.viewer = workspace, workspace.viewer
        self.hides_outlines = False
        self.choices: tuple[DisplayImage, ...] = ()
        self._opened: OpenedExam | None = None
        self._windows: dict[tuple[str, bool], WindowPreset] = {}

    def show(self, opened: OpenedExam) -> None:
        """Show a series, and have all others on its grid at hand; what lacks is added.

        Raises
        ------
        MultifidusError
            If pixels cannot be read, or the slices of the series differ in pixel spacing.
        """
        self._opened = opened
        self.choices = display_images(opened.exam, opened.series)
        there = self._layers()
        for contrast in self.choices:
            if contrast.key not in there:
                data, attributes, _ = layer_of(opened, contrast)
                add_image(self.viewer, data, attributes)
        self._see(self.choices[0].key)

    def forget(self) -> None:
        """Show no exam's images any more."""
        self._opened, self.choices = None, ()
        self._windows.clear()
        _compat.set_text(self.viewer, "contrast", "", "bottom_right")

    @property
    def shown(self) -> DisplayImage | None:
        """What is seen now; None where a person has hidden it all."""
        layers = self._layers()
        shown = (c for c in self.choices if c.key in layers and layers[c.key].visible)
        return next(shown, None)

    @property
    def window(self) -> WindowPreset:
        """The grey levels that were chosen for what is shown."""
        shown = self.shown
        chosen = None if shown is None else self._windows.get(shown.key)
        return chosen or WindowPreset.AUTOMATIC

    @property
    def words(self) -> str:
        """Say what is seen, of how many, in which grey levels."""
        shown = self.shown
        if shown is None:
            return ""
        count = len(self.choices)
        place = f" ({self.choices.index(shown) + 1} of {count})" if count > 1 else ""
        window = "" if self.window is WindowPreset.AUTOMATIC else f" · {self.window} window"
        return f"{shown.words}{place}{window}"

    def show_image(self, image: DisplayImage) -> None:
        """See another image of the same slices."""
        self._see(image.key)
        self.workspace.selection_changed.emit()

    def next_image(self) -> None:
        """See the next image of the same slices: T1, water, fat, fat fraction."""
        if self.choices:
            shown = self.shown
            place = self.choices.index(shown) + 1 if shown is not None else 0
            self._see(self.choices[place % len(self.choices)].key)
        self.workspace.selection_changed.emit()

    def set_window(self, window: WindowPreset) -> None:
        """Show other grey levels of what is shown."""
        shown = self.shown
        if shown is not None:
            layer = self._layers()[shown.key]
            low, high = limits(layer.data, window, is_percent=shown.is_percent)
            bottom, top = layer.contrast_limits_range
            layer.contrast_limits_range = (min(bottom, low), max(top, high))
            layer.contrast_limits = (low, high)
            self._windows[shown.key] = window
            self._label()
        self.workspace.selection_changed.emit()

    def next_window(self) -> None:
        """Show the next grey levels: all, muscle's, fat's."""
        every = list(WindowPreset)
        self.set_window(every[(every.index(self.window) + 1) % len(every)])

    def step(self, count: int) -> None:
        """Go on by so many slices."""
        canvas = self.workspace.canvas
        canvas.go_to(canvas.index + count)

    def toggle_outlines(self) -> None:
        """Hide all outlines, to see the image; or show them again."""
        self.hides_outlines = not self.hides_outlines
        for layer in self.workspace.canvas.layers.values():
            layer.visible = not self.hides_outlines

    def _see(self, key: tuple[str, bool]) -> None:
        for own, layer in self._layers().items():
            layer.visible = own == key
        self._label()

    def _label(self) -> None:
        _compat.set_text(self.viewer, "contrast", self.words, "bottom_right", font_size=11)

    def _layers(self) -> dict[tuple[str, bool], Any]:
        """Find the layers of the exam by what they show."""
        found = {}
        for layer in exam_images(self.viewer):
            opened = layer.metadata[METADATA]
            if self._opened and opened.exam is self._opened.exam:
                found[opened.shown.key] = layer
        return found


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
