"""Rater and reading, the folder of the outlines, and whether they are saved."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QLabel, QLineEdit, QSpinBox, QWidget

from multifidus.data.anatomy import RoiRule
from multifidus.data.roi import Reading
from napari_multifidus._compat import Signal
from napari_multifidus.views.widgets import (
    ERROR_COLOUR,
    GOOD_COLOUR,
    QUIET_COLOUR,
    WARNING_COLOUR,
    button,
    choice,
    grid,
    label,
    named,
    text_style,
)


class ReadingPanel(QWidget):
    """Rater, number of the reading, rule of outlining, folder."""

    reading_said = Signal(str, int)
    rule_said = Signal(object)
    folder_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.rater, self.number = QLineEdit(), QSpinBox()
        self.rater.setToolTip("Rater ID: initials or a code; part of the file name")
        self.number.setRange(1, 99)
        self.number.setToolTip("Number of the reading; each has its own file")
        self.rule = choice(
            "Fascial: along the inner border of the fascia. "
            "Muscle border: along the visible muscle",
            named(RoiRule),
            shortest=8,
        )
        self.folder = button("Folder…", "Save outlines in another folder")
        self.where = label(px=11, colour=QUIET_COLOUR)
        layout = grid(
            self,
            (QLabel("Rater"), 0, 0),
            (self.rater, 0, 1),
            (QLabel("Reading"), 0, 2),
            (self.number, 0, 3),
            (QLabel("Rule"), 1, 0),
            (self.rule, 1, 1),
            (self.folder, 1, 2, 1, 2),
            (self.where, 2, 0, 1, 4),
        )
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
        self.saved, self.message = QLabel(), label()
        grid(self, (self.saved, 0, 0), (self.message, 1, 0))
        self.show_saved("nothing to save yet")

    def show_saved(self, words: str) -> None:
        """Say that all is saved."""
        self._show(f"✓ {words}", GOOD_COLOUR)

    def show_unsaved(self, words: str) -> None:
        """Say that something is not."""
        self._show(f"● {words}", WARNING_COLOUR)

    def _show(self, words: str, colour: str) -> None:
        self.saved.setText(words)
        self.saved.setToolTip(words)
        self.saved.setStyleSheet(text_style(12, colour))

    def show_message(self, words: str) -> None:
        """Show a message."""
        self.message.setText(words)
        self.message.setStyleSheet(text_style(12))

    def show_warning(self, words: str) -> None:
        """Show a message about something wrong."""
        self.message.setText(words)
        self.message.setStyleSheet(text_style(12, ERROR_COLOUR))
