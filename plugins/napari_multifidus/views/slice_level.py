"""The slice shown, its level, and the way to others."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from multifidus.data.anatomy import Level, SlicePosition
from napari_multifidus._compat import Signal
from napari_multifidus.views.widgets import button, choice, grid, label, named

NOT_SET = "not set"

SHORTEST, ARROW_WIDTH = 8, 34


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

    def show_place(self, words: str, level: Level | None, position: SlicePosition) -> None:
        """Show a slice and its level."""
        self.words.setText(words)
        self.level.setCurrentIndex(self.level.findData(level.value if level else ""))
        self.position.setCurrentIndex(self.position.findData(position.value))
        self.position.setEnabled(level is not None)
