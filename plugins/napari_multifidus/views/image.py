"""Which image of the slices is shown, and in which grey levels."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QWidget

from napari_multifidus._compat import Signal
from napari_multifidus.controllers.image_layers import ImageLayers
from napari_multifidus.models.display_images import WindowPreset
from napari_multifidus.views.widgets import choice, grid

_TIPS = {
    WindowPreset.AUTOMATIC: "all but the darkest and brightest pixels",
    WindowPreset.FULL: "from the lowest to the highest signal",
    WindowPreset.MUSCLE: "grey levels of muscle, fat white",
    WindowPreset.FAT: "grey levels of fat, muscle black",
}


class ImagePanel(QWidget):
    """Choose what is shown; nothing here changes a number.

    Attributes
    ----------
    contrast_wanted, window_wanted
        Emitted with what was chosen.
    """

    image_wanted = Signal(object)
    window_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        tips = "\n".join(f"{window.value}: {words}" for window, words in _TIPS.items())
        self.contrast = choice("Image of these slices that is shown ( Shift+O )")
        self.grey = choice(
            f"Grey levels ( Shift+G )\n{tips}", [(window.value, window.value) for window in _TIPS]
        )
        layout = grid(self, (self.contrast, 0, 0), (self.grey, 0, 1))
        layout.setColumnStretch(0, 2)
        layout.setColumnStretch(1, 1)
        self._images: ImageLayers | None = None
        self.contrast.activated.connect(self._choose)
        self.grey.activated.connect(
            lambda: self.window_wanted.emit(WindowPreset(self.grey.currentData()))
        )

    def show_images(self, images: ImageLayers) -> None:
        """Show what there is to see, and what is seen."""
        self._images = images
        blocked = QSignalBlocker(self.contrast)
        self.contrast.clear()
        for contrast in images.choices:
            self.contrast.addItem(contrast.words)
        shown = images.shown
        self.contrast.setCurrentIndex(images.choices.index(shown) if shown else -1)
        del blocked
        self.contrast.setEnabled(len(images.choices) > 1)
        self.grey.setEnabled(shown is not None)
        self.grey.setCurrentIndex(self.grey.findData(images.window.value))

    def _choose(self) -> None:
        if self._images is not None:
            self.image_wanted.emit(self._images.choices[self.contrast.currentIndex()])
