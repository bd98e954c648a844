"""The slice shown, its level, and the way to others."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from multifidus.data.anatomy import Level, SlicePosition
from napari_multifidus._compat import Signal

NOT_SET = "not set"

_SHORT = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon


class SliceLevelPanel(QWidget):
    """The slice shown and the level assigned to it."""

    stepped = Signal(int)
    level_said = Signal(object, object)
    marking_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.words = QLabel("No exam is open")
        self.words.setStyleSheet("font-size: 13px;")
        self.level, self.position = QComboBox(), QComboBox()
        # Plain strings: not every binding of Qt gives enumerations back.
        self.level.addItem(NOT_SET, "")
        for level in Level:
            self.level.addItem(level.value, level.value)
        for position in SlicePosition:
            self.position.addItem(position.replace("_", " "), position.value)
        self.level.setToolTip("Disc or vertebral body that this slice shows")
        self.position.setToolTip("Position of the slice within its level")
        for box in (self.level, self.position):
            box.setSizeAdjustPolicy(_SHORT)
            box.setMinimumContentsLength(8)
        before, following = QPushButton("◀"), QPushButton("▶")
        before.setToolTip("Previous slice ( , )")
        following.setToolTip("Next slice ( . )")
        for button in (before, following):
            button.setFixedWidth(34)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(before, 0, 0)
        layout.addWidget(self.words, 0, 1, 1, 2)
        layout.addWidget(following, 0, 3)
        self.mark = mark = QPushButton("Level…")
        mark.setToolTip("Mark levels on the sagittal image ( M )")
        mark.clicked.connect(self.marking_wanted.emit)
        layout.addWidget(mark, 1, 0)
        layout.addWidget(self.level, 1, 1)
        layout.addWidget(self.position, 1, 2, 1, 2)
        layout.setColumnStretch(1, 1)
        layout.setColumnStretch(2, 1)
        before.clicked.connect(lambda: self.stepped.emit(-1))
        following.clicked.connect(lambda: self.stepped.emit(1))
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
