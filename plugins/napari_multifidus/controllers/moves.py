"""How many moves of the mouse there are: all of them for a stroke, one a frame for what hovers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, Qt, QTimer
from qtpy.QtGui import QMouseEvent

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

FRAME_S = 0.016
"""What moves is shown at most this often."""

_COMPRESSIONS = (
    Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents,
    Qt.ApplicationAttribute.AA_CompressTabletEvents,
)


class Compression:
    """Qt's way of handing over the last of several moves that wait, for the whole program."""

    def __init__(self) -> None:
        self._before: tuple[bool, ...] = ()

    def set_off(self, *, off: bool) -> None:
        """Switch it off, or on again as it was found."""
        if off and not self._before:
            self._before = tuple(map(QCoreApplication.testAttribute, _COMPRESSIONS))
            for compression in _COMPRESSIONS:
                QCoreApplication.setAttribute(compression, on=False)
        elif not off and self._before:
            for compression, before in zip(_COMPRESSIONS, self._before, strict=True):
                QCoreApplication.setAttribute(compression, before)
            self._before = ()


class FrameMoves:
    """Lets one move a frame through to a canvas, the last one always.

    To a move that hovers napari gives milliseconds, and without Qt's compression a mouse sends
    a thousand a second.

    Parameters
    ----------
    canvas
        Where the moves go.
    """

    def __init__(self, canvas: QWidget) -> None:
        self._canvas = canvas
        self._held: QMouseEvent | None = None
        self._passed_at = 0.0
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.send)

    def holds(self, event: Any) -> bool:
        """Return whether a move is to wait; it is sent with the frame unless another follows."""
        # What is sent by programs, as by us, is not held up.
        if not event.spontaneous():
            return False
        now = time.perf_counter()
        left = FRAME_S - (now - self._passed_at)
        if left <= 0:
            self.drop()
            self._passed_at = now
            return False
        self._held = QMouseEvent(
            event.type(),
            event.position(),
            event.globalPosition(),
            event.button(),
            event.buttons(),
            event.modifiers(),
        )
        if not self._timer.isActive():
            self._timer.start(max(1, round(left * 1000)))
        return True

    def send(self) -> None:
        """Send the move that waits, if one does: something else is about to happen there."""
        held = self._held
        self.drop()
        if held is not None:
            self._passed_at = time.perf_counter()
            QCoreApplication.sendEvent(self._canvas, held)

    def drop(self) -> None:
        """Let no move wait any more."""
        self._timer.stop()
        self._held = None
