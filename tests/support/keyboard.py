"""A hand that has the keyboard alone: keys go to whatever part of the window has the focus."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from tests.support.napari_window import qt_window

MOST_STOPS = 250
"""More presses of Tab than the window has places to stop at."""


def press(code: Any, modifiers: Any = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key on whatever has the focus."""
    holder = QApplication.focusWidget()
    assert holder is not None, "no part of the window has the keys"
    QTest.keyClick(holder, code, modifiers)
    QApplication.processEvents()


def to_image(win: Any) -> None:
    """Give the image the focus, as it has it while one draws."""
    qt_window(win.viewer).activateWindow()
    win.canvas.setFocus()
    win.wait(lambda: QApplication.focusWidget() is win.canvas)


def write(words: str) -> None:
    """Type words into whatever has the focus."""
    QTest.keyClicks(QApplication.focusWidget(), words)
    QApplication.processEvents()


def tab_to(win: Any, wanted: Any) -> None:
    """Press Tab until something has the focus."""
    to_image(win)
    for _ in range(MOST_STOPS):
        if QApplication.focusWidget() is wanted:
            return
        press(Qt.Key.Key_Tab)
    pytest.fail(f"Tab does not reach {wanted}")
