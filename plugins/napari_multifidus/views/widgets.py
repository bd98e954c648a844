"""Buttons, labels, choices and layouts as every panel of the window makes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import (
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTabBar,
    QWidget,
)

from napari_multifidus._compat import focus_image
from napari_multifidus.views.style import NORMAL, Tone, give

WARNING_COLOUR, QUIET_COLOUR, ERROR_COLOUR, GOOD_COLOUR = (
    Tone.WARNING, Tone.QUIET, Tone.ERROR, Tone.GOOD
)  # fmt: skip

Item = tuple[str, object]


def button(words: str, tip: str = "", *, checkable: bool = False, width: int = 0) -> QPushButton:
    """Make a button; a click leaves the keys to the image, else Space would press it again."""
    made = QPushButton(words)
    made.setToolTip(tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    # Enter presses it, as Space does.
    made.setAutoDefault(True)
    made.setCheckable(checkable)
    if width:
        made.setFixedWidth(width)
    return made


def label(
    words: str = "", *, px: int = NORMAL, colour: str = "", bold: bool = False, wrap: bool = True
) -> QLabel:
    """Make a text; it goes on in a new line where it is too long, or is cut off.

    Parameters
    ----------
    px
        One of :data:`napari_multifidus.views.style.SIZES`.
    colour
        A :class:`~napari_multifidus.views.style.Tone`, or the colour of a layer.
    """
    made = QLabel(words)
    made.setWordWrap(wrap)
    give(made, px=px, tone=colour or Tone.TEXT, strong=bold)
    return made


class ElidedLabel(QLabel):
    """A text of one line that is cut off with an ellipsis; its tooltip has the whole of it.

    Parameters
    ----------
    widest
        The width that it asks for at most, in pixels, where its words are as wide; none by default.
    """

    def __init__(
        self, words: str = "", *, px: int = NORMAL, colour: str = "", widest: int = 0
    ) -> None:
        super().__init__()
        self._widest = widest
        give(self, px=px, tone=colour or Tone.TEXT)
        self._words = ""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setText(words)

    def setText(self, words: str | None) -> None:  # noqa: N802 - Qt's
        """Show other words."""
        self._words = words or ""
        self._fit()
        if self._widest:
            self.updateGeometry()

    def text(self) -> str:
        """Return all of the words, shown or not."""
        return self._words

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """Return a size that words make no larger than was said."""
        # Letters have fractions of a pixel.
        words = self.fontMetrics().horizontalAdvance(self._words) + self._around + 1
        width = max(self.minimumWidth(), min(words, self._widest))
        return QSize(width, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """Return a size that no words make larger."""
        return QSize(self.minimumWidth(), super().sizeHint().height())

    def resizeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Show as much as fits."""
        super().resizeEvent(event)
        self._fit()

    @property
    def _around(self) -> int:
        """Width that Qt keeps around letters: it indents those of a label with a frame."""
        frame = self.width() - self.contentsRect().width()
        return frame + self.fontMetrics().horizontalAdvance("x")

    def _fit(self) -> None:
        shown = self.fontMetrics().elidedText(
            self._words, Qt.TextElideMode.ElideRight, max(self.width() - self._around, 0)
        )
        super().setText(shown)
        self.setToolTip(self._words if shown != self._words else "")


class _OnlyDeliberate(QObject):
    """Keeps the wheel and stray keys from a widget, and gives keys back to the image after use.

    A wheel that scrolls the panel, or a key meant for the image, would else change what is chosen.
    """

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: N802 - Qt's
        """Let through what is meant for the widget."""
        if _is_stray(watched, event):
            event.ignore()
            return True
        if _ends_use(watched, event):
            # Once the widget has done with the event.
            QTimer.singleShot(0, self.give_back)
        return False

    def give_back(self, *_: object) -> None:
        """Let keys go to the image again, unless something else has taken them meanwhile."""
        used: Any = self.parent()
        holder = QApplication.focusWidget()
        if holder is used or (holder is not None and used.isAncestorOf(holder)):
            focus_image(used)


def _is_stray(watched: Any, event: Any) -> bool:
    kind, is_list = event.type(), isinstance(watched, QComboBox)
    is_table = isinstance(watched, QAbstractItemView)
    if kind == QEvent.Type.Wheel and not is_table:
        # A list is chosen from when it is open, and then it is a window of its own.
        return is_list or isinstance(watched, QTabBar) or not watched.hasFocus()
    if kind != QEvent.Type.KeyPress:
        return False
    if is_list:
        alt = event.modifiers() & Qt.KeyboardModifier.AltModifier
        return event.key() not in _OPENING and not alt
    # A table would look for a line that begins with the letter; Ctrl+C is its own.
    control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
    is_letter = bool(event.text()) and event.text().isprintable() and not control
    return is_table and is_letter


def _ends_use(watched: Any, event: Any) -> bool:
    if event.type() == QEvent.Type.FocusIn:
        # What was opened, a list or a menu, is closed again, with or without a choice.
        return isinstance(watched, QComboBox) and event.reason() == Qt.FocusReason.PopupFocusReason
    is_field = isinstance(watched, QAbstractSpinBox | QLineEdit)
    return event.type() == QEvent.Type.KeyPress and is_field and event.key() in _LEAVING


_OPENING = {
    Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F4, Qt.Key.Key_Tab,
    Qt.Key.Key_Backtab, Qt.Key.Key_Escape,
}  # fmt: skip
"""Keys that open a closed list, or leave it."""

_LEAVING = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}
"""Keys that end writing in a field."""


def only_deliberate(widget: QWidget) -> None:
    """Let a list or a field change only where it was opened or clicked, and end its use then."""
    guard = _OnlyDeliberate(widget)
    widget.installEventFilter(guard)
    if isinstance(widget, QComboBox | QAbstractSpinBox):
        widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    if isinstance(widget, QComboBox):
        widget.activated.connect(guard.give_back)


def text_field(tip: str = "") -> QLineEdit:
    """Make a field for a line of text."""
    made = QLineEdit()
    made.setToolTip(tip)
    only_deliberate(made)
    return made


def check_box(words: str, tip: str) -> QCheckBox:
    """Make a box to tick; a click leaves the keys to the image."""
    made = QCheckBox(words)
    made.setToolTip(tip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


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
