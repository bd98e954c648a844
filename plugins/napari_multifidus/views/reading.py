"""Rater and reading, the folder of the outlines, and whether they are saved."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from multifidus.data.anatomy import RoiRule
from multifidus.data.roi import Reading
from napari_multifidus._compat import Signal

SAVED_COLOUR, UNSAVED_COLOUR = "#35d0a5", "#ffb000"


class ReadingPanel(QWidget):
    """Rater, number of the reading, rule of outlining, folder."""

    reading_said = Signal(str, int)
    rule_said = Signal(object)
    folder_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rater, self.number, self.rule = QLineEdit(), QSpinBox(), QComboBox()
        self.rater.setToolTip("Rater ID: initials or a code; part of the file name")
        self.number.setRange(1, 99)
        self.number.setToolTip("Number of the reading; each has its own file")
        for rule in RoiRule:
            self.rule.addItem(rule.replace("_", " "), rule.value)
        self.rule.setToolTip(
            "Fascial: along the inner border of the fascia. Muscle border: along the visible muscle"
        )
        self.folder = QPushButton("Folder…")
        self.folder.setToolTip("Save outlines in another folder")
        self.where = QLabel()
        self.where.setWordWrap(True)
        self.where.setStyleSheet("font-size: 11px; color: #b8bcc4;")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(QLabel("Rater"), 0, 0)
        layout.addWidget(self.rater, 0, 1)
        layout.addWidget(QLabel("Reading"), 0, 2)
        layout.addWidget(self.number, 0, 3)
        layout.addWidget(QLabel("Outline rule"), 1, 0)
        layout.addWidget(self.rule, 1, 1)
        layout.addWidget(self.folder, 1, 2, 1, 2)
        layout.addWidget(self.where, 2, 0, 1, 4)
        layout.setColumnStretch(1, 1)
        self.rater.editingFinished.connect(self._say)
        self.number.editingFinished.connect(self._say)
        self.rule.activated.connect(lambda: self.rule_said.emit(RoiRule(self.rule.currentData())))
        self.folder.clicked.connect(self.folder_wanted.emit)

    def _say(self) -> None:
        self.reading_said.emit(self.rater.text().strip(), self.number.value())

    def show_reading(self, by: Reading, rule: RoiRule, path: Path) -> None:
        """Show whose reading it is."""
        blocked = QSignalBlocker(self.rater), QSignalBlocker(self.number)
        self.rater.setText(by.rater)
        self.number.setValue(by.reading)
        self.rule.setCurrentIndex(self.rule.findData(rule.value))
        self.where.setText(f"{path.name} in {path.parent.name}")
        self.where.setToolTip(str(path))
        del blocked

    def hold(self, reason: str) -> None:
        """Keep rater, reading and folder from being changed, and say why; allow it if empty."""
        for part in (self.rater, self.number, self.folder):
            part.setEnabled(not reason)
        if reason:
            self.where.setToolTip(reason)


class StatusLine(QWidget):
    """What is saved, always in sight, and the last message."""

    def __init__(self) -> None:
        super().__init__()
        self.saved, self.message = QLabel("nothing to save yet"), QLabel()
        self.message.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.saved, 0, 0)
        layout.addWidget(self.message, 1, 0)
        self.show_saved("nothing to save yet")

    def show_saved(self, words: str) -> None:
        """Say that all is saved."""
        self._show(f"✓ {words}", SAVED_COLOUR)

    def show_unsaved(self, words: str) -> None:
        """Say that something is not."""
        self._show(f"● {words}", UNSAVED_COLOUR)

    def _show(self, words: str, colour: str) -> None:
        self.saved.setText(words)
        self.saved.setToolTip(words)
        self.saved.setStyleSheet(f"font-size: 12px; color: {colour};")

    def show_message(self, words: str) -> None:
        """Show a message."""
        self.message.setText(words)
        self.message.setStyleSheet("font-size: 12px;")

    def show_warning(self, words: str) -> None:
        """Show a message about something wrong."""
        self.message.setText(words)
        self.message.setStyleSheet("font-size: 12px; color: #ff6b81;")
