"""Buttons that take a structure in hand, and what is done with it."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QComboBox, QGridLayout, QPushButton, QWidget

from multifidus.anatomy import MUSCLES, Side, Structure
from napari_multifidus._compat import Signal
from napari_multifidus.keys import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.layers import LayerKey, colour_of

ARTEFACT = LayerKey(Structure.ARTEFACT)
BUTTONS = (
    (MULTIFIDUS_RIGHT, "Q"),
    (MULTIFIDUS_LEFT, "W"),
    (LEAN, "G"),
    (FAT, "H"),
)


def more_structures() -> tuple[LayerKey, ...]:
    """List the structures that have no button of their own."""
    found: list[LayerKey] = [ARTEFACT]
    shown = {key for key, _ in BUTTONS}
    for structure in Structure:
        sides = (Side.RIGHT, Side.LEFT) if structure in MUSCLES else (Side.NONE,)
        found += [LayerKey(structure, side) for side in sides]
    return tuple(key for key in dict.fromkeys(found) if key not in shown)


MORE = more_structures()


class ToolsPanel(QWidget):
    """Draw, edit, copy, delete."""

    draw_wanted = Signal(object)
    edit_wanted = Signal()
    copy_wanted = Signal()
    clear_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.buttons: dict[LayerKey, QPushButton] = {}
        for place, (key, letter) in enumerate(BUTTONS):
            button = QPushButton(_icon(key), key.words)
            button.setCheckable(True)
            button.setToolTip(f"Draw {key.words} on this slice ( {letter} )")
            button.clicked.connect(lambda _=False, key=key: self.draw_wanted.emit(key))
            layout.addWidget(button, place // 2, place % 2 * 3, 1, 3)
            self.buttons[key] = button
        self.more = QComboBox()
        self.more.addItem("more structures…")
        for key in MORE:
            self.more.addItem(_icon(key), key.words)
        self.more.activated.connect(self._choose_more)
        layout.addWidget(self.more, 2, 0, 1, 6)
        for place, (words, tip, signal) in enumerate(
            (
                ("Edit", "Move vertices of the structure in hand ( J )", self.edit_wanted),
                ("Copy", "Copy it from the nearest slice, as a draft ( K )", self.copy_wanted),
                ("Delete", "Delete it from this slice", self.clear_wanted),
            )
        ):
            button = QPushButton(words)
            button.setToolTip(tip)
            button.clicked.connect(lambda _=False, signal=signal: signal.emit())
            layout.addWidget(button, 3, place * 2, 1, 2)

    def _choose_more(self) -> None:
        place = self.more.currentIndex()
        if place:
            self.draw_wanted.emit(MORE[place - 1])

    def show_active(self, key: LayerKey | None) -> None:
        """Show which structure is in hand."""
        for shown, button in self.buttons.items():
            button.setChecked(shown == key)
        self.more.setCurrentIndex(MORE.index(key) + 1 if key in MORE else 0)


def _icon(key: LayerKey) -> QIcon:
    square = QPixmap(12, 12)
    square.fill(QColor(colour_of(key)))
    return QIcon(square)
