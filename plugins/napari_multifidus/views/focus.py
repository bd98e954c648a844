"""Keys go to the image: after an exam was opened, and after a dialog was closed."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QTabBar, QWidget

from napari_multifidus._compat import focus_image

_USED_ONCE = (QAbstractButton, QComboBox, QTabBar)
"""Widgets that were used before a dialog came, and are not written into."""


class ImageFocus(QObject):
    """Gives the keys to the image of the window that a panel is in.

    Lists and fields give them back by themselves (``widgets.only_deliberate``).

    Parameters
    ----------
    panel
        The plugin's window.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.give_back)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusWindowChanged.connect(self._window_changed)
            application.focusChanged.connect(self._holder_changed)

    def give_back(self) -> None:
        """Let keys go to the image."""
        focus_image(self._panel)

    def give_back_soon(self) -> None:
        """Let keys go to the image, once Qt and napari have done with what goes on."""
        self._soon.start()

    def _window_changed(self, now: Any) -> None:
        """Notice that the window has the keys again, as after a dialog or a message."""
        window = self._panel.window()
        if window is None or now is None or window.windowHandle() is not now:
            return
        holder = window.focusWidget()
        if holder is None or isinstance(holder, _USED_ONCE):
            self.give_back_soon()

    def _holder_changed(self, _: Any, now: Any) -> None:
        """Notice a click on what takes no keys: Qt gives them to the window as a whole."""
        if now is not None and now is self._panel.window():
            self.give_back()
