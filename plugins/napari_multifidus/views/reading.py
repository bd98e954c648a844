"""Rater and reading, folder and protocol."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QFileDialog, QLabel, QWidget

from multifidus.data.anatomy import RoiRule
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.io.protocol_toml import about_preset, as_toml, changed_settings, preset_texts
from napari_multifidus._compat import Signal
from napari_multifidus.views.widgets import (
    QUIET_COLOUR,
    button,
    choice,
    grid,
    label,
    named,
    number_field,
    text_field,
)

if TYPE_CHECKING:
    from napari_multifidus.controllers.workspace import Workspace

FILE = "File…"
_LONG = 120
"""A list of changed settings that is longer than this is counted instead."""


class ReadingPanel(QWidget):
    """Rater, number of the reading, rule of outlining, folder.

    Parameters
    ----------
    workspace
        What is open, and who outlines.
    """

    reading_said = Signal(str, int)
    rule_said = Signal(object)
    folder_wanted = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.rater = text_field("Rater ID: initials or a code; part of the file name")
        self.number = number_field("Number of the reading; each has its own file", 1, 99)
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
        workspace.rater_changed.connect(self._show_rater)
        self._show_rater()

    def _show_rater(self) -> None:
        """Show who outlines, before an exam is open as well."""
        self.rater.setText(self._workspace.rater)

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


class ProtocolPanel(QWidget):
    """Choose a protocol, and see what it changes."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        presets = [(name, name) for name in preset_texts()]
        self.box = choice("", [*presets, (FILE, "")], shortest=12)
        for place, (name, _) in enumerate(presets):
            tip = "\n".join(filter(None, about_preset(name)))
            self.box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
        self.about = label(px=11, colour=QUIET_COLOUR)
        layout = grid(self, (QLabel("Protocol"), 0, 0), (self.box, 0, 1), (self.about, 1, 0, 1, 2))
        layout.setColumnStretch(1, 1)
        self.box.activated.connect(self._say)
        self.show_protocol("default", MeasurementProtocol())

    def _say(self) -> None:
        name = self.box.currentData()
        if not name:
            name, _ = QFileDialog.getOpenFileName(self, "Protocol", filter="Protocol (*.toml)")
        # Shown once it is in force: a file may be refused.
        self.wanted.emit(name)

    def show_protocol(self, name: str, protocol: MeasurementProtocol) -> None:
        """Show the protocol in force, by its preset's name or its file's."""
        place = self.box.findData(name)
        if place < 0:
            self._forget_files()
            self.box.insertItem(self.box.count() - 1, Path(name).name, name)
            place = self.box.count() - 2
        self.box.setCurrentIndex(place)
        changed = changed_settings(protocol)
        words = ", ".join(changed) if changed else "Default settings"
        self.about.setText(words if len(words) < _LONG else f"{len(changed)} settings changed")
        self.about.setToolTip(f"digest {protocol.digest}\n\n{as_toml(protocol)}")
        self.box.setToolTip("Measurement protocol; all numbers are updated at once")

    def _forget_files(self) -> None:
        presets = preset_texts()
        for place in reversed(range(self.box.count() - 1)):
            if self.box.itemData(place) not in presets:
                self.box.removeItem(place)
