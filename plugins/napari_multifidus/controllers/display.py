"""What is seen: which slice, which image of it in which grey levels, which part of it.

The view moves while a tool is active: by Space and the left button, or by the middle button.
napari's own Space changes the layer's mode, which ends an unfinished outline. Here the tool stays
active and only looks away meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_multifidus.controllers.canvas_texts import write
from napari_multifidus.controllers.image_layers import add_image, exam_images
from napari_multifidus.controllers.structure_layer import LEFT_BUTTON
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.display_images import (
    DisplayImage,
    WindowPreset,
    display_images,
    limits,
)
from napari_multifidus.models.image_view import OWN, GreyLevels, Limits, checked
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
        self.is_smooth = False
        self._levels = GreyLevels()

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
        for image in self.choices:
            # A layer that is added is shown so already.
            if self._levels.preset_of(image) is not WindowPreset.AUTOMATIC:
                self._show_levels(image)
        self._show_pixels()
        self._see(self.choices[0].key)

    def forget(self) -> None:
        """Show no exam's images any more."""
        self._opened, self.choices = None, ()
        self._levels = self._levels.of_next_exam()
        write(self.viewer, "contrast", "", "bottom_right")

    @property
    def shown(self) -> DisplayImage | None:
        """What is seen now; None where a person has hidden it all."""
        layers = self._layers()
        shown = (c for c in self.choices if c.key in layers and layers[c.key].visible)
        return next(shown, None)

    @property
    def window(self) -> WindowPreset | None:
        """The grey levels that were chosen for what is shown; None where they are its own."""
        shown = self.shown
        return WindowPreset.AUTOMATIC if shown is None else self._levels.preset_of(shown)

    @property
    def limits(self) -> Limits | None:
        """The signals that are shown black and white; None where nothing is shown."""
        shown = self.shown
        if shown is None:
            return None
        low, high = self._layers()[shown.key].contrast_limits
        return float(low), float(high)

    @property
    def words(self) -> str:
        """Say what is seen, of how many, in which grey levels."""
        shown = self.shown
        if shown is None:
            return ""
        count = len(self.choices)
        place = f" ({self.choices.index(shown) + 1} of {count})" if count > 1 else ""
        chosen = self.window or OWN
        window = "" if chosen is WindowPreset.AUTOMATIC else f" · {chosen} window"
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
        """Show other grey levels of what is shown, and of its contrast from now on."""
        shown = self.shown
        if shown is not None:
            self._levels = self._levels.with_preset(shown, window)
            self._show_levels(shown)
            self._label()
        self.workspace.selection_changed.emit()

    def set_limits(self, low: float, high: float) -> None:
        """Show what is shown between these signals, black and white."""
        self.move_limits(low, high)
        self._label()
        self.workspace.selection_changed.emit()

    def move_limits(self, low: float, high: float) -> None:
        """Do the same while the mouse moves; nothing else is told."""
        shown = self.shown
        if shown is not None:
            self._levels = self._levels.with_own(shown, checked(low, high))
            self._show_levels(shown)

    def set_smooth(self, *, on: bool) -> None:
        """Show pixels smoothed into one another, or as the squares that they are."""
        self.is_smooth = on
        self._show_pixels()

    def _show_levels(self, image: DisplayImage) -> None:
        """Show an image in the grey levels that were chosen for it."""
        layer = self._layers()[image.key]
        window = self._levels.preset_of(image)
        if window is None:
            low, high = self._levels.own[image.key]
        else:
            low, high = limits(layer.data, window, is_percent=image.is_percent)
        bottom, top = layer.contrast_limits_range
        if low < bottom or high > top:
            layer.contrast_limits_range = (min(bottom, low), max(top, high))
        if tuple(layer.contrast_limits) != (low, high):
            layer.contrast_limits = (low, high)

    def _show_pixels(self) -> None:
        wanted = "linear" if self.is_smooth else "nearest"
        for layer in self._layers().values():
            if layer.interpolation2d != wanted:
                layer.interpolation2d = wanted

    def next_window(self) -> None:
        """Show the next grey levels: all, muscle's, fat's."""
        every = list(WindowPreset)
        place = every.index(self.window) + 1 if self.window is not None else 0
        self.set_window(every[place % len(every)])

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
            # What is made visible is sliced and drawn anew, though it was so before.
            if layer.visible != (own == key):
                layer.visible = own == key
        self._label()

    def _label(self) -> None:
        write(self.viewer, "contrast", self.words, "bottom_right")

    def _layers(self) -> dict[tuple[str, bool], Any]:
        """Find the layers of the exam by what they show."""
        found = {}
        for layer in exam_images(self.viewer):
            opened = layer.metadata[METADATA]
            if self._opened and opened.exam is self._opened.exam:
                found[opened.shown.key] = layer
        return found


class Hush:
    """Keeps a press of the mouse from the tool of a layer."""

    def __init__(self) -> None:
        self._hushed: tuple[Any, list[Any]] | None = None

    def keep_from(self, layer: Any) -> None:
        """Let a layer hear nothing of the press that is being handled."""
        self.end()
        if layer is not None:
            self._hushed = layer, list(layer.mouse_drag_callbacks)
            layer.mouse_drag_callbacks.clear()

    def end(self) -> None:
        """Let the layer hear again."""
        if self._hushed is not None:
            (layer, callbacks), self._hushed = self._hushed, None
            layer.mouse_drag_callbacks.extend(callbacks)


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
        self._hush = Hush()

    def start(self) -> None:
        """Listen to the mouse."""
        self._viewer.mouse_drag_callbacks.insert(0, self._drag)

    def stop(self) -> None:
        """Listen no more."""
        self._is_held = False
        self._hush.end()
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
        self._hush.keep_from(viewer.layers.selection.active)
        camera, shown = viewer.scene.camera, list(event.dims_displayed)
        # With the left button napari moves the view itself, where its layer lets it.
        is_ours = event.button == MIDDLE_BUTTON or not camera.mouse_pan
        start = np.array(event.position)[shown]
        yield
        # Only the press is kept from the tool: whatever is pressed meanwhile finds it as it was.
        self._hush.end()
        while event.type == "mouse_move":
            if is_ours:
                centre = np.array(camera.center, dtype=np.float64)
                centre[-len(shown) :] += start - np.array(event.position)[shown]
                camera.center = tuple(centre)
            yield
