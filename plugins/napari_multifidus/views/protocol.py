"""How outlines are measured: a preset, or a file."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QLabel, QWidget

from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.protocol_toml import about_preset, as_toml, changed_settings, preset_texts
from napari_multifidus._compat import Signal
from napari_multifidus.views.widgets import QUIET_COLOUR, choice, grid, label

FILE = "File…"
_LONG = 120


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
