"""What is being drawn, over the canvas: it is painted without painting the image anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_multifidus.models.canvas_map import CanvasMap

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]

COLOUR, WIDTH = "#ffffff", 1.6
HALO_COLOUR, HALO_WIDTH = "#a0000000", 3.6
"""A dark line below the white one: it is seen on fat as well."""


class Sketch(QWidget):
    """Paths over a canvas, which the mouse does not notice.

    Parameters
    ----------
    canvas
        What is drawn on.
    look
        Returns where pixels lie on it now.
    """

    def __init__(self, canvas: QWidget, look: Callable[[], CanvasMap]) -> None:
        super().__init__(canvas)
        self._look = look
        self._paths: Loops = ()
        self._painted: CanvasMap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()

    @property
    def paths(self) -> Loops:
        """What is shown: open paths, in pixels (row, column)."""
        return self._paths

    def show_paths(self, paths: Loops) -> None:
        """Show open paths, in pixels (row, column), instead of others."""
        self._paths = tuple(path for path in paths if len(path) > 1)
        if not self._paths:
            self.hide()
            return
        self.follow()
        self.show()
        self.update()

    def follow(self) -> None:
        """Paint again where the image has moved below."""
        if not self._paths:
            return
        canvas: Any = self.parentWidget()
        if self.size() != canvas.size():
            self.resize(canvas.size())
        if not self._look().is_same(self._painted):
            self.update()

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002, N802 - Qt's name
        """Paint the paths."""
        self._painted = self._look()
        lines = [
            QPolygonF([QPointF(x, y) for x, y in self._painted.points(path).tolist()])
            for path in self._paths
        ]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for colour, width in ((HALO_COLOUR, HALO_WIDTH), (COLOUR, WIDTH)):
            painter.setPen(QPen(QColor(colour), width))
            for line in lines:
                painter.drawPolyline(line)
        painter.end()
