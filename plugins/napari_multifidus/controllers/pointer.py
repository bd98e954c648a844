"""Every position of the hand while it draws, as the window system sends it.

On the way to a layer most positions are lost: Qt hands over the last of several that wait, and the
canvas takes none within 10 ms of another. So they are recorded as they reach the canvas, with Qt's
compression off, and are told of once a frame. It is off as soon as a stroke may begin: a press and
the moves behind it can be waiting together. A pen's positions are recorded with the digits that it
has. Of a finger Qt makes a mouse.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QCoreApplication, QEvent, QObject, QPointF, Qt, QTimer
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_multifidus import _compat
from napari_multifidus.controllers.moves import FRAME_S, Compression, FrameMoves

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from qtpy.QtWidgets import QWidget

    Array = NDArray[np.float64]

DOUBLE_CLICK_PX = 2.0
"""The second press of a double click is so near to the first, as on Windows. Qt lets it be 5 pixels
away on both axes, and corners of a small muscle that are set quickly are closer together."""

_MOVES_IMAGE = (QEvent.Type.Wheel, QEvent.Type.KeyPress, QEvent.Type.Resize)

_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)

_HEARD = {
    QEvent.Type.MouseMove,
    QEvent.Type.TabletMove,
    *_PRESSES,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.Paint,
    *_MOVES_IMAGE,
}

_CROSSINGS = (QEvent.Type.Enter, QEvent.Type.Leave)

_LEFT = Qt.MouseButton.LeftButton


@dataclass(frozen=True, slots=True)
class PointerCallbacks:
    """What a pointer calls.

    Attributes
    ----------
    wants
        Returns whether a tool is in hand: others use the mouse as well.
    frame
        Called at most once a frame, after the hand has moved.
    double_click
        Called at a double click; returns whether it ends something. Otherwise it is a press.
    shown
        Called before the canvas is painted.
    """

    wants: Callable[[], bool]
    frame: Callable[[], None]
    double_click: Callable[[], bool]
    shown: Callable[[], None]


class Clicks:
    """Tells a double click from two quick clicks on places close together."""

    def __init__(self) -> None:
        self._last: tuple[QPointF, int] | None = None
        self._is_corrected = False

    def corrected(self, event: Any) -> QMouseEvent | None:
        """Return what a press of the left button is, where Qt takes it for something else."""
        # What is sent by programs is what they say.
        if event.button() != _LEFT or not event.spontaneous():
            return None
        away_px, after_ms = self._since_last(event)
        said = event.type() == QEvent.Type.MouseButtonDblClick
        # Behind what it took for a double click Qt begins to count anew.
        quick = said or (self._is_corrected and after_ms <= QApplication.doubleClickInterval())
        meant = quick and away_px <= DOUBLE_CLICK_PX
        self._is_corrected = said and not meant
        return None if meant == said else _press_of(event, double=meant)

    def _since_last(self, event: Any) -> tuple[float, int]:
        """Return how far from the last press, and how many milliseconds after it, one is."""
        here, now = event.position(), int(event.timestamp())
        place, then = self._last or (here, now)
        self._last = here, now
        return math.hypot(here.x() - place.x(), here.y() - place.y()), now - then


def _press_of(event: Any, *, double: bool) -> QMouseEvent:
    return QMouseEvent(
        _PRESSES[double],
        event.position(),
        event.globalPosition(),
        event.button(),
        event.buttons(),
        event.modifiers(),
    )


class CloseClicks(QObject):
    """Lets two quick clicks on places close together be two clicks for napari's own tools as well.

    Parameters
    ----------
    viewer
        Whose clicks; without a window there are none.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._canvas = _compat.native_canvas(viewer) if _compat.has_window(viewer) else None
        self._clicks = Clicks()

    def start(self) -> None:
        """Look at every click from now on."""
        if self._canvas is not None:
            self._canvas.installEventFilter(self)

    def stop(self) -> None:
        """Look no more."""
        if self._canvas is not None:
            self._canvas.removeEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: Any) -> bool:  # noqa: ARG002, N802 - Qt's
        """Send what a press is in place of what Qt takes it for."""
        right = self._clicks.corrected(event) if event.type() in _PRESSES else None
        if right is not None:
            QCoreApplication.sendEvent(self._canvas, right)
        return right is not None


class Pointer(QObject):
    """The hand over a canvas.

    Parameters
    ----------
    canvas
        Whose events are recorded.
    calls
        Whom to tell.

    Attributes
    ----------
    at
        Where it is, (x, y) on the canvas.
    is_recording
        Whether a stroke is drawn: then every move is recorded, and reaches nobody else.
    """

    def __init__(self, canvas: QWidget, calls: PointerCallbacks) -> None:
        super().__init__()
        self._canvas, self._calls, self._clicks = canvas, calls, Clicks()
        self._compression, self._hovering = Compression(), FrameMoves(canvas)
        self._is_over = canvas.underMouse()
        self.at = (0.0, 0.0)
        self.is_recording = False
        self._way: list[tuple[float, float]] = []
        self._by_pen = False
        self._shown_at = 0.0
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tell)
        canvas.installEventFilter(self)
        self.follow()

    def close(self) -> None:
        """Listen no more."""
        self.is_recording = False
        self._compression.set_off(off=False)
        self._hovering.drop()
        self._timer.stop()
        self._canvas.removeEventFilter(self)

    # --- a stroke ------------------------------------------------------------------------------

    def record(self) -> None:
        """Record every move from now on; the button is down."""
        self._way.clear()
        self._by_pen = False
        self.is_recording = True
        self.follow()

    def stop(self) -> None:
        """Record no more."""
        self.is_recording = False
        self.follow()

    def follow(self) -> None:
        """Have Qt compress moves, unless a stroke is drawn or could begin with the next event."""
        can_begin = self._is_over and self._calls.wants()
        self._compression.set_off(off=self.is_recording or can_begin)

    def taken(self) -> Array:
        """Hand over the points recorded since the last time, (n, 2): x, y."""
        way = np.array(self._way, dtype=np.float64).reshape(-1, 2)
        self._way.clear()
        return way

    def tell(self) -> None:
        """Say at once that the hand has moved, rather than with the next frame."""
        self._timer.stop()
        self._calls.frame()
        self._shown_at = time.perf_counter()

    # --- events --------------------------------------------------------------------------------

    def eventFilter(self, watched: QObject | None, event: Any) -> bool:  # noqa: ARG002, N802 - Qt's
        """Look at an event before the canvas does; returns whether to keep it from the canvas."""
        kind = event.type()
        if kind in _CROSSINGS:
            self._hovering.send()
            self._is_over = kind == QEvent.Type.Enter
            self.follow()
        elif kind in _HEARD and self._calls.wants():
            return self._saw(kind, event)
        return False

    def _saw(self, kind: Any, event: Any) -> bool:
        if kind == QEvent.Type.MouseMove:
            return self._moved(event)
        if kind == QEvent.Type.TabletMove:
            return self._moved_by_pen(event)
        if kind == QEvent.Type.Paint:
            self._calls.shown()
            return False
        # Whatever else happens comes after the last move before it.
        self._hovering.send()
        if kind in _PRESSES:
            return self._pressed(kind, event)
        if kind in _MOVES_IMAGE and self._way:
            # Positions until now belong to the image as it was before it is moved.
            self.tell()
        return False

    def _pressed(self, kind: Any, event: Any) -> bool:
        right = self._clicks.corrected(event)
        if right is not None:
            QCoreApplication.sendEvent(self._canvas, right)
            return True
        if kind == QEvent.Type.MouseButtonDblClick:
            return self._clicked_twice(event)
        self._note(event)
        return False

    def _note(self, event: Any) -> None:
        place = event.position()
        self.at = (place.x(), place.y())

    def _moved(self, event: Any) -> bool:
        if not self.is_recording or not event.buttons() & _LEFT:
            self._note(event)
            self._tell_soon()
            return self._hovering.holds(event)
        if not self._by_pen:
            self._record(event)
        return True

    def _moved_by_pen(self, event: Any) -> bool:
        if not self.is_recording:
            return False
        # A mouse that follows the pen, to whole pixels, is not recorded a second time.
        self._by_pen = True
        self._record(event)
        event.accept()
        return True

    def _record(self, event: Any) -> None:
        self._note(event)
        self._way.append(self.at)
        self._tell_soon()

    def _tell_soon(self) -> None:
        if not self._timer.isActive():
            left = FRAME_S - (time.perf_counter() - self._shown_at)
            self._timer.start(max(0, round(left * 1000)))

    def _clicked_twice(self, event: Any) -> bool:
        """Keep a double click from napari, which would zoom."""
        if event.button() != _LEFT:
            return False
        self._note(event)
        if not self._calls.double_click():
            # Qt takes a press soon after another for a double click, also where a stroke begins.
            QCoreApplication.sendEvent(self._canvas, _press_of(event, double=False))
        return True
