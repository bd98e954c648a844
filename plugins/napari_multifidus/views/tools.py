"""Buttons for structures and tools, and the menu of reasons why one cannot be measured."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSize
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import QGridLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from multifidus.data.anatomy import MUSCLES, Side, Structure
from multifidus.data.roi_set import Reason
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.shortcuts import STAY_DOWN, TOOL_BUTTONS, tip
from napari_multifidus.models.shapes import (
    FAT,
    LEAN,
    MULTIFIDUS_LEFT,
    MULTIFIDUS_RIGHT,
    LayerKey,
    colour_of,
)
from napari_multifidus.views.icons import icon
from napari_multifidus.views.style import GAP, ICON, Palette
from napari_multifidus.views.widgets import button, choice

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

TOOLS_A_ROW, TOOL_WIDTH, TOOL_HEIGHT, SWATCH = 9, 32, 28, 12


class ToolsPanel(QWidget):
    """Activate a structure and a tool; copy, mirror, interpolate, undo, delete.

    Structures have words, tools have pictures, whose words and keys are in their tooltips.
    """

    draw_wanted = Signal(object)
    acted = Signal(str)
    clear_wanted = Signal()
    draft_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.buttons: dict[LayerKey, QPushButton] = {}
        for key, letter in BUTTONS:
            made = button(key.words, f"Draw {key.words} on this slice ( {letter} )", checkable=True)
            made.setIcon(_swatch(key))
            made.clicked.connect(lambda _=False, key=key: self.draw_wanted.emit(key))
            self.buttons[key] = made
        self.more = choice("Other structures, and artefacts to be excluded", shortest=9)
        self.more.addItem("More structures…")
        for key in MORE:
            self.more.addItem(_swatch(key), key.words)
        self.more.activated.connect(self._choose_more)
        self.acts = {
            name: _tool(words, tip(name), checkable=name in STAY_DOWN)
            for words, name in TOOL_BUTTONS
        }
        for name, made in self.acts.items():
            made.clicked.connect(lambda _=False, name=name: self.acted.emit(name))
        self.clear = _tool("Delete", "Delete the active structure from this slice")
        self.clear.clicked.connect(lambda _=False: self.clear_wanted.emit())
        self.draft = button("Drafts…", "Import outlines or a label map as drafts")
        self.draft.clicked.connect(lambda _=False: self.draft_wanted.emit())
        self._pictured = {**self.acts, "delete": self.clear}
        self._lay_out()

    def _lay_out(self) -> None:
        structures, strip = QGridLayout(), QGridLayout()
        structures.setSpacing(GAP // 2)
        for place, made in enumerate(self.buttons.values()):
            row, column = divmod(place, 2)
            structures.addWidget(made, row, 2 * column, 1, 2)
        structures.addWidget(self.more, 2, 0, 1, 3)
        structures.addWidget(self.draft, 2, 3)
        for column in range(4):
            structures.setColumnStretch(column, 1)
        strip.setSpacing(2)
        for place, made in enumerate(self._pictured.values()):
            strip.addWidget(made, *divmod(place, TOOLS_A_ROW))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GAP)
        layout.addLayout(structures)
        layout.addLayout(strip)

    def wear(self, palette: Palette) -> None:
        """Draw the pictures in the colours of a theme."""
        size = palette.px(ICON)
        for name, made in self._pictured.items():
            made.setIcon(icon(name, palette.text, palette.line))
            made.setIconSize(QSize(size, size))
            made.setFixedHeight(palette.px(TOOL_HEIGHT))
            made.setMinimumWidth(palette.px(TOOL_WIDTH))

    def _choose_more(self) -> None:
        place = self.more.currentIndex()
        if place:
            self.draw_wanted.emit(MORE[place - 1])

    def show_active(self, key: LayerKey | None, tool: str = "") -> None:
        """Show which structure is active, and with which tool."""
        for name in STAY_DOWN:
            self.acts[name].setChecked(name == tool)
        for shown, made in self.buttons.items():
            made.setChecked(shown == key)
        self.more.setCurrentIndex(MORE.index(key) + 1 if key in MORE else 0)


def _tool(words: str, tip_words: str, *, checkable: bool = False) -> QPushButton:
    made = button("", tip_words, checkable=checkable)
    made.setAccessibleName(words)
    return made


def _swatch(key: LayerKey) -> QIcon:
    square = QPixmap(SWATCH, SWATCH)
    square.fill(QColor(colour_of(key)))
    return QIcon(square)


REASONS = {
    Reason.METAL: "&Metal",
    Reason.MOTION: "M&otion",
    Reason.SCAR: "&Scar",
    Reason.OUTSIDE_IMAGE: "Outside the &image",
    Reason.OTHER: "O&ther reason",
    None: "&Can be measured",
}
"""Reasons, each with the letter that chooses it."""


class ReasonMenu(QMenu):
    """Choose why a structure cannot be measured, or that it can.

    Attributes
    ----------
    chosen
        Emitted with the reason; with None to take it back.
    """

    chosen = Signal(object)

    def __init__(self, parent: Any) -> None:
        super().__init__(parent)
        for reason, words in REASONS.items():
            action = self.addAction(words)
            assert action is not None  # noqa: S101 - narrows the type
            action.triggered.connect(lambda _=False, reason=reason: self.chosen.emit(reason))
