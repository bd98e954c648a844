"""The image layers of an exam: one is seen at a time, and a corner of the canvas says which."""

from __future__ import annotations

from typing import Any

from napari_multifidus import _compat
from napari_multifidus.models.contrasts import Contrast, Window, contrasts, limits
from napari_multifidus.models.opening import METADATA, Opened, layer_of


class Images:
    """The images of the exam that is open, on the grid that is outlined.

    Parameters
    ----------
    viewer
        The napari viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.contrasts: tuple[Contrast, ...] = ()
        self._opened: Opened | None = None
        self._windows: dict[tuple[str, bool], Window] = {}

    def show(self, opened: Opened) -> None:
        """Show a series, and have all others on its grid at hand; what lacks is added.

        Raises
        ------
        MultifidusError
            If pixels cannot be read, or the slices of the series differ in pixel spacing.
        """
        self._opened = opened
        self.contrasts = contrasts(opened.exam, opened.series)
        there = self._layers()
        for contrast in self.contrasts:
            if contrast.key not in there:
                data, attributes, _ = layer_of(opened, contrast)
                self.viewer.add_image(data, **attributes)
        self._see(self.contrasts[0].key)

    def forget(self) -> None:
        """Show no exam's images any more."""
        self._opened, self.contrasts = None, ()
        self._windows.clear()
        _compat.set_text(self.viewer, "contrast", "", "bottom_right")

    @property
    def seen(self) -> Contrast | None:
        """What is seen now; None where a person has hidden it all."""
        layers = self._layers()
        shown = (c for c in self.contrasts if c.key in layers and layers[c.key].visible)
        return next(shown, None)

    @property
    def window(self) -> Window:
        """The grey levels that were chosen for what is seen."""
        seen = self.seen
        return self._windows.get(seen.key, Window.AUTOMATIC) if seen else Window.AUTOMATIC

    @property
    def words(self) -> str:
        """Say what is seen, of how many, in which grey levels."""
        seen = self.seen
        if seen is None:
            return ""
        count = len(self.contrasts)
        place = f" ({self.contrasts.index(seen) + 1} of {count})" if count > 1 else ""
        window = "" if self.window is Window.AUTOMATIC else f" · {self.window} window"
        return f"{seen.words}{place}{window}"

    def choose(self, contrast: Contrast) -> None:
        """See another image of the same slices."""
        self._see(contrast.key)

    def step(self, count: int = 1) -> None:
        """See the next image of the same slices, or the one before."""
        if self.contrasts:
            seen = self.seen
            place = self.contrasts.index(seen) + count if seen is not None else 0
            self._see(self.contrasts[place % len(self.contrasts)].key)

    def set_window(self, window: Window) -> None:
        """Show other grey levels of what is seen."""
        seen = self.seen
        if seen is None:
            return
        layer = self._layers()[seen.key]
        low, high = limits(layer.data, window, is_percent=seen.is_percent)
        bottom, top = layer.contrast_limits_range
        layer.contrast_limits_range = (min(bottom, low), max(top, high))
        layer.contrast_limits = (low, high)
        self._windows[seen.key] = window
        self._label()

    def step_window(self) -> None:
        """Show the next grey levels of what is seen."""
        every = list(Window)
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
