"""A picture of one slice, in millimetres, that can be enlarged around a point and moved."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_multifidus._compat import Signal
from napari_multifidus.models.slice_projection import SliceProjection
from napari_multifidus.views.style import IMAGE_GROUND, IMAGE_TEXT

ZOOM_STEP, MOST_ZOOM = 1.25, 8.0

CROSS = QColor("#f0e442")

TEXT_GROUND = 0, 0, 0, 170

GAP_PX, ARM_PX = 4, 14
"""The middle of the cross is free: what is under it is looked at."""


class ZoomablePicture(QWidget):
    """What all pictures beside the image have in common: scale, places, enlarging.

    Attributes
    ----------
    zoom
        How much larger than the whole of it fits.
    middle
        The place in the middle; that of the slice if None.
    """

    def __init__(self) -> None:
        super().__init__()
        self.zoom = 1.0
        self.middle: QPointF | None = None
        self._image: tuple[object, QImage] | None = None

    @property
    def _size_mm(self) -> tuple[float, float]:
        """Width and height of what is shown."""
        return 1.0, 1.0

    @property
    def scale(self) -> float:
        """Pixels of the screen in a millimetre."""
        width, height = self._size_mm
        return min(self.width() / width, self.height() / height) * self.zoom

    def to_screen(self, place: Any) -> QPointF:
        """Map millimetres on the slice (right, down) to the widget."""
        away = (QPointF(float(place[0]), float(place[1])) - self._centre()) * self.scale
        return QPointF(self.width() / 2, self.height() / 2) + away

    def to_place(self, point: QPointF) -> tuple[float, float]:
        """Map a point of the widget to millimetres on the slice."""
        away = (point - QPointF(self.width() / 2, self.height() / 2)) / self.scale
        found = self._centre() + away
        return found.x(), found.y()

    def _centre(self) -> QPointF:
        width, height = self._size_mm
        return self.middle if self.middle is not None else QPointF(width / 2, height / 2)

    def _enlarge(self, point: QPointF, factor: float) -> None:
        """Enlarge around a point, which stays where it is."""
        held = self.to_place(point)
        self.zoom = min(max(self.zoom * factor, 1.0), MOST_ZOOM)
        if self.zoom == 1:
            self.middle = None
            return
        now = self.to_place(point)
        self.middle = self._centre() + QPointF(held[0] - now[0], held[1] - now[1])

    def _move_by(self, away: QPointF) -> None:
        """Follow the hand that drags an enlarged picture."""
        if self.zoom > 1:
            self.middle = self._centre() - away / self.scale

    def _paint_slice(self, painter: QPainter, projection: SliceProjection) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        corners = self.to_screen((0, 0)), self.to_screen(projection.size_mm)
        painter.drawImage(QRectF(*corners), self._picture(projection))

    def _picture(self, projection: SliceProjection) -> QImage:
        item = projection.item
        if self._image is None or self._image[0] is not item:
            grey = projection.grey_image()
            height, width = grey.shape
            image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
            self._image = item, image.copy()
        return self._image[1]


class SlicePicture(ZoomablePicture):
    """A slice with outlines and a cross on it, to be paged through.

    Attributes
    ----------
    cross
        Where the cross stands, in millimetres on the slice; None where there is none.
    paged
        Emitted with how many slices to go on: by the wheel, or Page up and Page down.
    pointed
        Emitted with the place that was pressed, or dragged to, in millimetres on the slice.
    """

    paged = Signal(int)
    pointed = Signal(object)

    def __init__(self, name: str, sides: tuple[str, str]) -> None:
        super().__init__()
        self._sides = sides
        self._projection: SliceProjection | None = None
        self._paths: tuple[tuple[Any, str], ...] = ()
        self._words = ""
        self.cross: tuple[float, float] | None = None
        self.setMinimumSize(120, 100)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setAccessibleName(name)

    def show_slice(
        self,
        projection: SliceProjection | None,
        paths: tuple[tuple[Any, str], ...] = (),
        words: str = "",
    ) -> None:
        """Show a slice; paths are places, shape (n, 2), each with its colour."""
        before = self._size_mm
        self._projection, self._paths, self._words = projection, paths, words
        if self._size_mm != before:
            self.zoom, self.middle = 1.0, None
        self.update()

    def show_cross(self, place: tuple[float, float] | None) -> None:
        """Put the cross at a place."""
        if place != self.cross:
            self.cross = place
            self.update()

    @property
    def _size_mm(self) -> tuple[float, float]:
        return (1.0, 1.0) if self._projection is None else self._projection.size_mm

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002, N802 - Qt's
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(IMAGE_GROUND))
        painter.setPen(QColor(IMAGE_TEXT))
        if self._projection is None:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 12, -12, -12), flags, self._words)
            return
        self._paint_slice(painter, self._projection)
        for path, colour in self._paths:
            painter.setPen(QPen(QColor(colour), 1.5))
            painter.drawPolygon(QPolygonF([self.to_screen(place) for place in path]))
        if self.cross is not None:
            self._paint_cross(painter, self.to_screen(self.cross))
        middle = self.height() // 2
        self._write(painter, QPointF(6, middle), self._sides[0])
        self._write(painter, QPointF(self.width() - 15, middle), self._sides[1])
        self._write(painter, QPointF(6, self.height() - 7), self._words)

    def _write(self, painter: QPainter, point: QPointF, words: str) -> None:
        """Write on a dark ground, to be read on bright fat as well."""
        box = QRectF(painter.fontMetrics().boundingRect(words)).translated(point)
        painter.fillRect(box.adjusted(-3, -1, 3, 1), QColor(*TEXT_GROUND))
        painter.setPen(QColor(IMAGE_TEXT))
        painter.drawText(point, words)

    def _paint_cross(self, painter: QPainter, point: QPointF) -> None:
        for pen in (QPen(QColor(0, 0, 0, 190), 3.5), QPen(CROSS, 1.5)):
            painter.setPen(pen)
            for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                way = QPointF(x, y)
                painter.drawLine(point + way * GAP_PX, point + way * ARM_PX)

    # --- mouse and keys ------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Point at a place."""
        self._point(event)

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Point at one place after another."""
        self._point(event)

    def _point(self, event: Any) -> None:
        if self._projection is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.pointed.emit(self.to_place(event.position()))

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Page; with Ctrl, enlarge."""
        up = event.angleDelta().y() > 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._enlarge(event.position(), ZOOM_STEP if up else 1 / ZOOM_STEP)
            self.update()
        else:
            self.paged.emit(-1 if up else 1)
        event.accept()

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Page by keys, and leave all others to the window."""
        counts = {Qt.Key.Key_PageUp: -1, Qt.Key.Key_PageDown: 1}
        if event.key() in counts:
            self.paged.emit(counts[event.key()])
        else:
            super().keyPressEvent(event)
