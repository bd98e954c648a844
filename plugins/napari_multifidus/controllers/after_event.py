"""What follows the event at hand: once it is over, and before any other press or key.

A timer alone comes too late on a busy machine: Qt lets everything that waits from mouse and
keyboard pass first, and the next click would be taken for what was in hand before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QCoreApplication, QEvent, QObject

from napari_multifidus.controllers.timers import single_shot

_BY_HAND = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.ShortcutOverride,
    QEvent.Type.KeyPress,
    QEvent.Type.Wheel,
    QEvent.Type.TabletPress,
    QEvent.Type.TouchBegin,
)


class AfterEvent(QObject):
    """Does one thing after the event at hand; what is asked for later takes its place."""

    def __init__(self) -> None:
        super().__init__()
        self._act: Callable[[], None] | None = None
        self._soon = single_shot(0, self.now)

    def do(self, act: Callable[[], None]) -> None:
        """Do something once the event at hand is over."""
        self.drop()
        self._act = act
        self._soon.start()
        application = QCoreApplication.instance()
        if application is not None:
            # Every event of the program passes here, so only while something waits.
            application.installEventFilter(self)

    def now(self) -> None:
        """Do at once what waits, if anything does."""
        act = self._act
        self.drop()
        if act is not None:
            act()

    def drop(self) -> None:
        """Let nothing wait any more."""
        self._soon.stop()
        self._act = None
        application = QCoreApplication.instance()
        if application is not None:
            application.removeEventFilter(self)

    def eventFilter(self, watched: Any, event: Any) -> bool:  # noqa: ARG002, N802 - Qt's
        """Do what waits before the hand does anything else."""
        if event.type() in _BY_HAND:
            self.now()
        return False
