"""A hand on the mouse of napari's window, and what its strokes take of the main thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PAUSE_S = 0.007


@dataclass(frozen=True, slots=True)
class Stroke:
    """CPU times of a stroke.

    Attributes
    ----------
    moves
        Of every move of the mouse, until its event is delivered.
    rests
        Of all that follows each of them: the numbers, and the painting.
    """

    moves: Sequence[float]
    rests: Sequence[float]


def rest() -> None:
    """Let the window paint, and napari look at the next move of the mouse at once.

    It looks at none within five milliseconds of another, and at one that came in that time when
    other events are processed: then the work would be done outside of what is timed.
    """
    from qtpy.QtWidgets import QApplication

    QApplication.processEvents()
    time.sleep(PAUSE_S)
    QApplication.processEvents()


def timed(act: Callable[[], object]) -> float:
    """Return the CPU time of the main thread that something takes."""
    before = time.thread_time()
    act()
    return time.thread_time() - before


class Hand:
    """A hand on the mouse: Qt's events go to napari's canvas, as its window sends them."""

    def __init__(self, viewer: Any, spacing_mm: float) -> None:
        self._viewer, self._spacing_mm = viewer, spacing_mm
        self._canvas = viewer.window._qt_viewer.canvas.native  # noqa: SLF001 - no other way in

    def event(self, kind: str, place: tuple[float, float], *, held: bool) -> Any:
        """Make an event at a row and column of the image."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent

        camera = self._viewer.scene.camera
        middle = np.array(self._viewer.canvas.size) / 2
        from_centre_mm = self._spacing_mm * np.array(place) - np.array(camera.center)[-2:]
        y, x = from_centre_mm * camera.zoom + middle
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        point = QPointF(x, y)
        return QMouseEvent(
            getattr(QEvent.Type, kind),
            point,
            QPointF(self._canvas.mapToGlobal(point.toPoint())),
            none if kind == "MouseMove" else left,
            left if held else none,
            Qt.KeyboardModifier.NoModifier,
        )

    def deliver(self, event: Any) -> float:
        """Send an event and return the CPU time that it took."""
        from qtpy.QtWidgets import QApplication

        return timed(lambda: QApplication.sendEvent(self._canvas, event))

    def send(self, event: Any) -> float:
        """Send an event and return the CPU time that it took; then let the window paint."""
        took = self.deliver(event)
        rest()
        return took


def plugin_freehand(annotator: Any, hand: Hand, points: Any) -> Stroke:
    """Draw an outline by hand with the plugin.

    Raises
    ------
    RuntimeError
        If it is not what was drawn.
    """
    from napari_multifidus.models.shapes import LayerKey
    from napari_multifidus.models.strokes import Tool

    from multifidus.data.anatomy import Side, Structure

    key = LayerKey(Structure.PSOAS, Side.LEFT)
    annotator.edit_tools.draw(key)
    annotator.edit_tools.use(Tool.FREEHAND)
    found = _stroke(hand, points)
    (loop,) = annotator.workspace.session.drawing.loops(key, annotator.workspace.canvas.index)
    if len(loop) != len(points):
        msg = f"{len(points)} positions were sent, {len(loop)} were kept."
        raise RuntimeError(msg)
    annotator.edit_tools.clear()
    return found


def napari_lasso(viewer: Any, hand: Hand, points: Any) -> Stroke:
    """Draw it with napari's own lasso, on a layer of napari's own."""
    shown = viewer.layers.selection.active
    layer = viewer.add_shapes(ndim=3, scale=shown.scale, units=shown.units)
    layer.mode = "add_polygon_lasso"
    return _stroke(hand, points)


def _stroke(hand: Hand, points: Any) -> Stroke:
    """Press at the first point, move along the others, and let go."""
    first = tuple(points[0])
    hand.send(hand.event("MouseMove", first, held=False))
    hand.send(hand.event("MouseButtonPress", first, held=True))
    moves, rests = [], []
    for point in points[1:]:
        event = hand.event("MouseMove", tuple(point), held=True)
        moves.append(hand.deliver(event))
        rests.append(timed(rest))
    hand.send(hand.event("MouseButtonRelease", tuple(points[-1]), held=False))
    return Stroke(moves, rests)
