"""The sagittal image with cut lines and landmarks, painted; and a hand on its mouse and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QToolTip, QWidget

from multifidus.data.landmark import LandmarkKind
from napari_multifidus._compat import Signal
from napari_multifidus.models.locator import CutLine, LocatorModel, Mark

REACH_PX = 8.0
"""A landmark or line this near to the mouse is meant."""

STILL_PX = 3.0
"""A button released this near to where it was pressed has clicked, not dragged."""

NUDGE_MM, FAR_NUDGE_MM = 1.0, 5.0
"""How far an arrow key moves the keyboard's point; with Shift."""

FAINT_MM = 6.0
"""Landmarks further than this from the sagittal slice are drawn faintly."""

ZOOM_STEP, MOST_ZOOM = 1.25, 8.0

# Okabe and Ito's palette; what differs in meaning differs in line or shape as well.
LINE, CURRENT, DOUBTFUL = QColor("#56b4e9"), QColor("#f0e442"), QColor("#e69f00")
MARK, LOCKED, CURSOR = QColor("#1fd6a2"), QColor("#ffffff"), QColor("#f0e442")
_DARK = QColor(0, 0, 0, 190)

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}

LEAST_HEIGHT = 155
"""As little as a laptop's screen leaves beside the layer controls."""


class SagittalView(QWidget):
    """A sagittal slice, to be clicked on.

    Attributes
    ----------
    jump_wanted
        Emitted with the axial slice whose line was clicked.
    acted
        Emitted after anything that the panel around shows otherwise.
    said
        Emitted with words for the person.
    undo_wanted, redo_wanted
        Emitted by their keys.
    """

    jump_wanted = Signal(int)
    acted = Signal()
    message = Signal(str)
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.model: LocatorModel | None = None
        self.zoom = 1.0
        self.middle: QPointF | None = None
        self._image: tuple[object, QImage] | None = None
        self._pressed: tuple[QPointF, Mark | None] | None = None
        self._dragged: QPointF | None = None
        self.setMinimumSize(220, LEAST_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Sagittal image")

    def show_model(self, model: LocatorModel | None) -> None:
        """Show another exam."""
        if model is not self.model:
            self.zoom, self.middle = 1.0, None
            self._pressed = self._dragged = None
        self.model = model
        self.update()

    @property
    def _is_empty(self) -> bool:
        return self.model is None or self.model.series is None

    # --- places --------------------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """Pixels of the screen in a millimetre."""
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        width, height = self.model.view.size_mm
        return min(self.width() / width, self.height() / height) * self.zoom

    def to_screen(self, place: Any) -> QPointF:
        """Map millimetres on the sagittal image (right, down) to the widget."""
        away = (QPointF(float(place[0]), float(place[1])) - self._centre()) * self.scale
        return QPointF(self.width() / 2, self.height() / 2) + away

    def to_place(self, point: QPointF) -> tuple[float, float]:
        """Map a point of the widget to millimetres on the sagittal image."""
        away = (point - QPointF(self.width() / 2, self.height() / 2)) / self.scale
        found = self._centre() + away
        return found.x(), found.y()

    def _centre(self) -> QPointF:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        width, height = self.model.view.size_mm
        return self.middle if self.middle is not None else QPointF(width / 2, height / 2)

    # --- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002, N802 - Qt's
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("#101216"))
        if self.model is None or self.model.series is None:
            self._write_note(painter)
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        width, height = self.model.view.size_mm
        corners = self.to_screen((0, 0)), self.to_screen((width, height))
        painter.drawImage(QRectF(*corners), self._picture())
        self._paint_lines(painter, self.model.lines())
        for mark in self.model.marks():
            self._paint_mark(painter, mark)
        if self.model.marking:
            self._paint_cursor(painter)
        painter.setPen(QColor("#b8bcc4"))
        number = f"sagittal {self.model.index + 1} of {len(self.model.series.slices)}"
        painter.drawText(6, self.height() - 8, number)
        painter.drawText(6, 16, "A")
        painter.drawText(self.width() - 16, 16, "P")

    def _write_note(self, painter: QPainter) -> None:
        painter.setPen(QColor("#b8bcc4"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
        note = self.model.note if self.model is not None else "No exam is open."
        painter.drawText(self.rect().adjusted(12, 12, -12, -12), flags, note)

    def _picture(self) -> QImage:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        item = self.model.view.item
        if self._image is None or self._image[0] is not item:
            grey = self.model.picture()
            height, width = grey.shape
            image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
            self._image = item, image.copy()
        return self._image[1]

    def _paint_lines(self, painter: QPainter, lines: tuple[CutLine, ...]) -> None:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        current = self.model.current
        for line in sorted(lines, key=lambda line: line.slice_index == current):
            here = line.slice_index == current
            pen = QPen(CURRENT if here else DOUBTFUL if line.is_doubtful else LINE)
            pen.setWidthF(2.5 if here else 1.0)
            if line.is_doubtful:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setOpacity(1.0 if here else 0.75)
            painter.setPen(pen)
            start, end = (self.to_screen(point) for point in line.ends)
            painter.drawLine(start, end)
            if here:
                right = start if start.x() > end.x() else end
                x = min(right.x() + 3, self.width() - 58.0)
                _write(painter, QPointF(x, right.y() + 4), _line_words(line, short=True), CURRENT)
        painter.setOpacity(1.0)

    def _paint_mark(self, painter: QPainter, mark: Mark) -> None:
        pressed = self._pressed[1] if self._pressed is not None else None
        moving = pressed is not None and pressed.landmark is mark.landmark
        moved_to = self._dragged if moving else None
        point = moved_to if moved_to is not None else self.to_screen(mark.place)
        colour = LOCKED if mark.is_locked else MARK
        painter.setOpacity(0.45 if mark.off_mm > FAINT_MM and moved_to is None else 1.0)
        painter.setPen(QPen(_DARK, 4))
        _symbol(painter, point, mark)
        painter.setPen(QPen(colour, 2))
        _symbol(painter, point, mark)
        _write(painter, point + QPointF(9, 4), mark.landmark.level.value, colour)
        painter.setOpacity(1.0)

    def _paint_cursor(self, painter: QPainter) -> None:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        if self.model.hand is None or not self.hasFocus():
            return
        point = self.to_screen(self.model.cursor)
        painter.setPen(QPen(CURSOR, 1.2, Qt.PenStyle.DotLine))
        painter.drawEllipse(point, 9, 9)
        painter.drawLine(point - QPointF(14, 0), point + QPointF(14, 0))
        painter.drawLine(point - QPointF(0, 14), point + QPointF(0, 14))
        _write(painter, point + QPointF(12, -8), f"{self.model.hand}?", CURSOR)

    # --- mouse ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Take a landmark, or note where the button went down."""
        if self.model is None or self._is_empty:
            return
        point = event.position()
        mark = self.model.mark_at(self.to_place(point), REACH_PX / self.scale)
        if event.button() == Qt.MouseButton.RightButton:
            if mark is not None:
                self.delete(mark)
            return
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = point, mark

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Drag a landmark that was taken, or the picture where it is enlarged."""
        if self._pressed is None or self._is_empty:
            return
        start, mark = self._pressed
        point = event.position()
        if self._dragged is None and _apart_px(start, point) <= STILL_PX:
            return
        if mark is None and self.zoom > 1:
            self.middle = self._centre() - (point - (self._dragged or start)) / self.scale
        self._dragged = point
        self.update()

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """End a drag, or do what a click means."""
        if self._pressed is None or self.model is None or self._is_empty:
            return
        (start, mark), dragged = self._pressed, self._dragged
        self._pressed = self._dragged = None
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = self.to_place(event.position())
        if mark is not None and mark.is_locked:
            self.message.emit(f"{mark.landmark.level} is shared by all raters, and locked.")
        elif mark is not None and dragged is not None:
            self.model.move(mark.landmark, place)
        elif mark is not None:
            self.model.set_kind(mark.landmark.kind)
            self.model.take(mark.landmark.level)
        elif dragged is None:
            self._click(self.to_place(start))
        self._done()

    def _click(self, place: tuple[float, float]) -> None:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        if self.model.marking and self.model.hand is not None:
            self.model.place(place)
            return
        line = self.model.line_at(place, REACH_PX / self.scale)
        if line is not None:
            self.jump_wanted.emit(line.slice_index)

    def delete(self, mark: Mark) -> None:
        """Delete a landmark, unless it is shared."""
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        if mark.is_locked:
            self.message.emit(f"{mark.landmark.level} is shared by all raters, and locked.")
            return
        self.model.delete(mark.landmark)
        self.model.set_kind(mark.landmark.kind)
        self.model.take(mark.landmark.level)
        self._done()

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Scroll through the sagittal slices; with Ctrl, enlarge."""
        if self.model is None or self._is_empty:
            return
        up = event.angleDelta().y() > 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._enlarge(event.position(), ZOOM_STEP if up else 1 / ZOOM_STEP)
        else:
            self.model.scroll(-1 if up else 1)
        event.accept()
        self._done()

    def _enlarge(self, point: QPointF, factor: float) -> None:
        """Enlarge around a point, which stays where it is."""
        held = self.to_place(point)
        self.zoom = min(max(self.zoom * factor, 1.0), MOST_ZOOM)
        if self.zoom == 1:
            self.middle = None
            return
        now = self.to_place(point)
        self.middle = self._centre() + QPointF(held[0] - now[0], held[1] - now[1])

    # --- keys ----------------------------------------------------------------------------------

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Do what a key means here, and leave the rest to others."""
        if self.model is None or self._is_empty or not self._does(self.model, event):
            super().keyPressEvent(event)
            return
        event.accept()
        self._done()

    def _does(self, model: LocatorModel, event: Any) -> bool:
        key, modifiers = event.key(), event.modifiers()
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            return self._takes_back(key, shift=bool(modifiers & Qt.KeyboardModifier.ShiftModifier))
        if key in _ARROWS and model.marking:
            far = modifiers & Qt.KeyboardModifier.ShiftModifier
            step = np.array(_ARROWS[key]) * (FAR_NUDGE_MM if far else NUDGE_MM)
            model.nudge(*step.tolist())
            return True
        if key in {Qt.Key.Key_Return, Qt.Key.Key_Enter} and model.marking:
            model.confirm()
            return True
        acts: dict[Any, Callable[[], object]] = {
            Qt.Key.Key_PageUp: lambda: model.scroll(-1),
            Qt.Key.Key_PageDown: lambda: model.scroll(1),
            Qt.Key.Key_BracketRight: lambda: model.step(1),
            Qt.Key.Key_BracketLeft: lambda: model.step(-1),
            Qt.Key.Key_Delete: model.delete_in_hand,
            Qt.Key.Key_Backspace: model.delete_in_hand,
            Qt.Key.Key_Escape: lambda: setattr(model, "marking", False),
            Qt.Key.Key_M: lambda: setattr(model, "marking", not model.marking),
            Qt.Key.Key_Period: lambda: self._jump_by(1),
            Qt.Key.Key_Comma: lambda: self._jump_by(-1),
        }
        if key not in acts:
            return False
        acts[key]()
        return True

    def _jump_by(self, count: int) -> None:
        assert self.model is not None  # noqa: S101 - narrows the type; there is a picture
        last = len(self.model.session.series.slices) - 1
        self.jump_wanted.emit(min(max(self.model.current + count, 0), last))

    def _takes_back(self, key: int, *, shift: bool) -> bool:
        if key != Qt.Key.Key_Z:
            return False
        (self.redo_wanted if shift else self.undo_wanted).emit()
        return True

    def _done(self) -> None:
        self.update()
        self.acted.emit()

    # --- tooltips ------------------------------------------------------------------------------

    def event(self, event: Any) -> bool:
        """Say what lies under the mouse."""
        if event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.words_at(QPointF(event.pos())), self)
            return True
        return bool(super().event(event))

    def words_at(self, point: QPointF) -> str:
        """Say what lies at a point of the widget, and what can be done with it."""
        if self.model is None or self._is_empty:
            return ""
        place, reach = self.to_place(point), REACH_PX / self.scale
        mark = self.model.mark_at(place, reach)
        if mark is not None:
            return _mark_words(mark)
        line = self.model.line_at(place, reach)
        return "" if line is None else f"{_line_words(line)}: click to go there"


def _apart_px(first: QPointF, second: QPointF) -> float:
    away = second - first
    return float(np.hypot(away.x(), away.y()))


def _line_words(line: CutLine, *, short: bool = False) -> str:
    level = line.level.value if line.level is not None else ""
    if short:
        return level or f"slice {line.slice_index + 1}"
    doubt = ", doubtful" if line.is_doubtful else ""
    return f"slice {line.slice_index + 1}{', ' if level else ''}{level}{doubt}"


def _mark_words(mark: Mark) -> str:
    words = f"{mark.landmark.kind.replace('_', ' ')} of {mark.landmark.level}"
    if mark.off_mm > FAINT_MM:
        words += f", {mark.off_mm:.0f} mm beside this sagittal slice"
    if mark.is_locked:
        return f"{words}; shared by all raters, and locked"
    return f"{words}: drag to move, right click to delete"


def _symbol(painter: QPainter, point: QPointF, mark: Mark) -> None:
    """Draw a landmark: round discs, square shared ones, flat endplates, crossed cages."""
    kind = mark.landmark.kind
    if mark.is_locked:
        painter.drawRect(QRectF(point.x() - 5, point.y() - 5, 10, 10))
    elif kind is LandmarkKind.DISC_CENTRE:
        painter.drawEllipse(point, 5, 5)
    elif kind is LandmarkKind.CAGE:
        painter.drawLine(point - QPointF(5, 5), point + QPointF(5, 5))
        painter.drawLine(point - QPointF(5, -5), point + QPointF(5, -5))
    else:
        painter.drawLine(point - QPointF(8, 0), point + QPointF(8, 0))
        up = -5 if kind is LandmarkKind.INFERIOR_ENDPLATE else 5
        painter.drawLine(point, point + QPointF(0, up))


def _write(painter: QPainter, point: QPointF, words: str, colour: QColor) -> None:
    """Write on a dark ground, to be read on bright fat as well."""
    font = painter.font()
    font.setPixelSize(12)
    font.setBold(True)
    painter.setFont(font)
    box = painter.fontMetrics().tightBoundingRect(words)
    ground = QRectF(box).translated(point).adjusted(-2, -2, 2, 2)
    painter.fillRect(ground, _DARK)
    painter.setPen(colour)
    painter.drawText(point, words)
