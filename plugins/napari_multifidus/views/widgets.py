"""Buttons, labels, choices and layouts as every panel of the window makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QGridLayout,
    QInputDialog,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

WARNING_COLOUR, QUIET_COLOUR, ERROR_COLOUR, GOOD_COLOUR = "#ffb000", "#b8bcc4", "#ff6b81", "#35d0a5"

Item = tuple[str, object]


def button(words: str, tip: str = "", *, checkable: bool = False, width: int = 0) -> QPushButton:
    """Make a button."""
    made = QPushButton(words)
    made.setToolTip(tip)
    made.setCheckable(checkable)
    if width:
        made.setFixedWidth(width)
    return made


def label(
    words: str = "", *, px: int = 12, colour: str = "", bold: bool = False, wrap: bool = True
) -> QLabel:
    """Make a text; it goes on in a new line where it is too long, or is cut off."""
    made = QLabel(words)
    made.setWordWrap(wrap)
    made.setStyleSheet(text_style(px, colour, bold=bold))
    return made


def text_style(px: int, colour: str = "", *, bold: bool = False) -> str:
    """Write the style of a text."""
    weight = " font-weight: bold;" if bold else ""
    return f"font-size: {px}px;{weight}" + (f" color: {colour};" if colour else "")


class _OnlyDeliberate(QObject):
    """Keeps the wheel and stray keys from a widget: they go on to what is behind it.

    A wheel that scrolls the panel, or a key meant for the image, would else change what is chosen.
    """

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's
        """Let through what is meant for the widget."""
        if not _is_stray(watched, event):
            return False
        event.ignore()
        return True


def _is_stray(watched: Any, event: Any) -> bool:
    is_list = isinstance(watched, QComboBox)
    if event.type() == QEvent.Type.Wheel:
        # A list is chosen from when it is open, and then it is a window of its own.
        return is_list or not watched.hasFocus()
    if event.type() == QEvent.Type.KeyPress and is_list:
        return (
            event.key() not in _OPENING and not event.modifiers() & Qt.KeyboardModifier.AltModifier
        )
    return False


_OPENING = {
    Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F4, Qt.Key.Key_Tab,
    Qt.Key.Key_Backtab, Qt.Key.Key_Escape,
}  # fmt: skip
"""Keys that open a closed list, or leave it."""


def only_deliberate(widget: QWidget) -> None:
    """Let a list or a field for a number change only where it was opened or clicked."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_OnlyDeliberate(widget))


def number_field(tip: str, lowest: int, highest: int) -> QSpinBox:
    """Make a field for a whole number."""
    made = QSpinBox()
    made.setToolTip(tip)
    made.setRange(lowest, highest)
    only_deliberate(made)
    return made


def choice(tip: str, items: Iterable[Item] = (), *, shortest: int = 0) -> QComboBox:
    """Make a list to choose from; ``shortest`` characters wide where room is scarce."""
    made = QComboBox()
    made.setToolTip(tip)
    only_deliberate(made)
    for words, data in items:
        made.addItem(words, data)
    if shortest:
        made.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        made.setMinimumContentsLength(shortest)
    return made


def named(values: Iterable[Any]) -> list[Item]:
    """Return the items of an enumeration: its words, and its value as plain text.

    Not every binding of Qt gives enumerations back.
    """
    return [(value.replace("_", " "), value.value) for value in values]


def grid(parent: QWidget, *places: tuple[Any, ...]) -> QGridLayout:
    """Lay out widgets without margins, each with its row, column and, if it has, its spans."""
    layout = QGridLayout(parent)
    layout.setContentsMargins(0, 0, 0, 0)
    for place in places:
        layout.addWidget(*place)
    return layout


def ask_reason(parent: QWidget, question: str) -> str:
    """Ask for a reason; empty where the person cancels."""
    text, accepted = QInputDialog.getText(parent, "multifidus", f"{question} Do not name anyone.")
    return str(text) if accepted else ""
