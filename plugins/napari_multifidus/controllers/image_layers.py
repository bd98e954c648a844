"""The image layers of an exam: one is seen at a time, and a corner of the canvas says which."""

from __future__ import annotations

from typing import Any

from napari_multifidus import _compat
from napari_multifidus.models.display_images import (
    DisplayImage,
    WindowPreset,
    display_images,
    limits,
)
from napari_multifidus.models.opening import METADATA, OpenedExam, layer_of


class ImageLayers:
    """The images of the exam that is open, on the grid that is outlined.

    Parameters
    ----------
    viewer
        The napari viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
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
                self.viewer.add_image(data, **attributes)
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
        return (
            self._windows.get(shown.key, WindowPreset.AUTOMATIC)
            if shown
            else WindowPreset.AUTOMATIC
        )

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

    def choose(self, contrast: DisplayImage) -> None:
        """See another image of the same slices."""
        self._see(contrast.key)

    def step(self, count: int = 1) -> None:
        """See the next image of the same slices, or the one before."""
        if self.choices:
            shown = self.shown
            place = self.choices.index(shown) + count if shown is not None else 0
            self._see(self.choices[place % len(self.choices)].key)

    def set_window(self, window: WindowPreset) -> None:
        """Show other grey levels of what is shown."""
        shown = self.shown
        if shown is None:
            return
        layer = self._layers()[shown.key]
        low, high = limits(layer.data, window, is_percent=shown.is_percent)
        bottom, top = layer.contrast_limits_range
        layer.contrast_limits_range = (min(bottom, low), max(top, high))
        layer.contrast_limits = (low, high)
        self._windows[shown.key] = window
        self._label()

    def step_window(self) -> None:
        """Show the next grey levels of what is shown."""
        every = list(WindowPreset)
        self.set_window(every[(every.index(self.window) + 1) % len(every)])

    def _see(self, key: tuple[str, bool]) -> None:
        for own, layer in self._layers().items():
            layer.visible = own == key
        self._label()

    def _label(self) -> None:
        _compat.set_text(self.viewer, "contrast", self.words, "bottom_right", font_size=11)

    def _layers(self) -> dict[tuple[str, bool], Any]:
        """Find the layers of the exam by what they show."""
        found = {}
        for layer in self.viewer.layers:
            opened = layer.metadata.get(METADATA)
            if opened is not None and self._opened and opened.exam is self._opened.exam:
                found[opened.shown.key] = layer
        return found
