"""The slice shown: its level, the way to others, and which image of it in which grey levels."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QWidget

from multifidus.data.anatomy import Level, SlicePosition
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.display import Display
from napari_multifidus.models.display_images import DisplayImage, WindowPreset
from napari_multifidus.models.image_view import OWN
from napari_multifidus.views.widgets import QUIET_COLOUR, button, choice, grid, label, named

NOT_SET = "not set"

SHORTEST, ARROW_WIDTH = 8, 34

_GREY_LEVELS = {
    WindowPreset.AUTOMATIC: "all but the darkest and brightest pixels",
    WindowPreset.FULL: "from the lowest to the highest signal",
    WindowPreset.MUSCLE: "grey levels of muscle, fat white",
    WindowPreset.FAT: "grey levels of fat, muscle black",
}


class SliceLevelPanel(QWidget):
    """The slice shown and the level assigned to it."""

    stepped = Signal(int)
    level_said = Signal(object, object)
    marking_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = label("No exam is open", px=13, wrap=False)
        self.level = choice(
            "Disc or vertebral body that this slice shows",
            [(NOT_SET, ""), *named(Level)],
            shortest=SHORTEST,
        )
        self.position = choice(
            "Position of the slice within its level", named(SlicePosition), shortest=SHORTEST
        )
        self.note = label(colour=QUIET_COLOUR)
        self.note.hide()
        before = button("◀", "Previous slice ( , )", width=ARROW_WIDTH)
        following = button("▶", "Next slice ( . )", width=ARROW_WIDTH)
        self.mark = button("Level…", "Mark levels on the sagittal image ( M )")
        layout = grid(
            self,
            (before, 0, 0),
            (self.words, 0, 1, 1, 2),
            (following, 0, 3),
            (self.mark, 1, 0),
            (self.level, 1, 1),
            (self.position, 1, 2, 1, 2),
            (self.note, 2, 0, 1, 4),
        )
        layout.setColumnStretch(1, 1)
        layout.setColumnStretch(2, 1)
        before.clicked.connect(lambda: self.stepped.emit(-1))
        following.clicked.connect(lambda: self.stepped.emit(1))
        self.mark.clicked.connect(self.marking_wanted.emit)
        self.level.activated.connect(self._say)
        self.position.activated.connect(self._say)

    def _say(self) -> None:
        level = self.level.currentData()
        position = SlicePosition(self.position.currentData())
        self.level_said.emit(Level(level) if level else None, position)

    def show_note(self, words: str) -> None:
        """Say what is to be known about the levels of this exam; nothing hides the line."""
        self.note.setText(words)
        self.note.setVisible(bool(words))

    def show_place(self, words: str, level: Level | None, position: SlicePosition) -> None:
        """Show a slice and its level."""
        self.words.setText(words)
        self.level.setCurrentIndex(self.level.findData(level.value if level else ""))
        self.position.setCurrentIndex(self.position.findData(position.value))
        self.position.setEnabled(level is not None)


class ImagePanel(QWidget):
    """Choose what is shown; nothing here changes a number.

    Attributes
    ----------
    image_wanted, window_wanted
        Emitted with what was chosen.
    """

    image_wanted = Signal(object)
    window_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        tips = "\n".join(f"{window.value}: {words}" for window, words in _GREY_LEVELS.items())
        self.contrast = choice("Image of these slices that is shown ( Shift+O )")
        self.grey = choice(
            f"Grey levels ( Shift+G )\n{tips}",
            [*((window.value, window.value) for window in _GREY_LEVELS), (OWN, OWN)],
        )
        layout = grid(self, (self.contrast, 0, 0), (self.grey, 0, 1))
        layout.setColumnStretch(0, 2)
        layout.setColumnStretch(1, 1)
        self._images: Display | None = None
        self._choices: tuple[DisplayImage, ...] | None = None
        self.contrast.activated.connect(self._choose)
        self.grey.activated.connect(self._choose_window)

    def show_images(self, images: Display) -> None:
        """Show what there is to see, and what is seen."""
        self._images = images
        blocked = QSignalBlocker(self.contrast)
        if self._choices is not images.choices:
            self._choices = images.choices
            self.contrast.clear()
            self.contrast.addItems([contrast.words for contrast in images.choices])
        shown = images.shown
        self.contrast.setCurrentIndex(images.choices.index(shown) if shown else -1)
        del blocked
        self.contrast.setEnabled(len(images.choices) > 1)
        self.grey.setEnabled(shown is not None)
        window = images.window
        # Not the choice itself: Qt tells a word of an enumeration from the same word.
        self.grey.setCurrentIndex(self.grey.findData(OWN if window is None else window.value))

    def _choose_window(self) -> None:
        # Own grey levels are made by the mouse and by numbers.
        if self.grey.currentData() != OWN:
            self.window_wanted.emit(WindowPreset(self.grey.currentData()))
        elif self._images is not None:
            self.show_images(self._images)

    def _choose(self) -> None:
        if self._images is not None:
            self.image_wanted.emit(self._images.choices[self.contrast.currentIndex()])
