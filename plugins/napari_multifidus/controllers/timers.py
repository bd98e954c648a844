"""Timers that act once."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer


def single_shot(after_ms: int, act: Callable[[], None]) -> QTimer:
    """Make a timer that acts once, so many milliseconds after it was started last."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(after_ms)
    timer.timeout.connect(act)
    return timer
