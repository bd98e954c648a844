"""The sagittal image with cut lines and landmarks; its mouse and its keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QToolTip

from napari_multifidus._compat import Signal
from napari_multifidus.models.locator import NO_SAGITTAL, Locator
from napari_multifidus.models.sagittal import SagittalScene, ShownLandmark
from napari_multifidus.views.picture import ZOOM_STEP, ZoomablePicture
from napari_multifidus.views.sagittal_painting import (
    GROUND,
    TEXT,
    ScenePainter,
    landmark_words,
    line_words,
)

REACH_PX = 8.0
"""A landmark or line this near to the mouse is meant."""

STILL_PX = 3.0
"""A button released this near to where it was pressed has clicked, not dragged."""

NUDGE_MM, FAR_NUDGE_MM = 1.0, 5.0
"""How far an arrow key moves the keyboard's cursor; with Shift."""

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}

HELP = """\
M  start or stop marking levels
Arrow keys  move the cursor by 1 mm, with Shift by 5 mm
Enter  mark the level at the cursor
]  next level
[  previous level
Delete  delete the landmark of the active level
Page up, Page down, wheel  other sagittal slices
Ctrl+wheel  zoom
L  hide or show the cut lines
.  next axial slice
,  previous axial slice
Ctrl+Z, Ctrl+Shift+Z  undo, redo"""
"""The keys of the sagittal image, while it has the focus."""

LEAST_HEIGHT = 155
"""As little as a laptop's screen leaves beside the layer controls."""


class SagittalView(ZoomablePicture):
    """A sagittal slice, to be clicked on.

    Attributes
    ----------
    axial_index
        The axial slice that is shown beside it.
    shows_lines
        Whether axial slices are shown where they cut it.
    jump_wanted
        Emitted with the axial slice whose line was clicked.
    acted
        Emitted after anything that the panel around shows otherwise.
    message
        Emitted with a message.
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
        self.model: Locator | None = None
        self.axial_index = 0
        self.shows_lines = True
        self._pressed: tuple[QPointF, ShownLandmark | None] | None = None
        self._dragged: QPointF | None = None
        self.setMinimumSize(220, LEAST_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName("Sagittal image")

    def show_model(self, model: Locator | None) -> None:
        """Show another exam."""
        if model is not self.model:
            self.zoom, self.middle = 1.0, None
            self._pressed = self._dragged = None
        self.model = model
        self.update()

    @property
    def _shown(self) -> tuple[Locator, SagittalScene] | None:
        """What is shown; None where no exam is open, or it has no sagittal series."""
        model = self.model
        return None if model is None or model.state.series is None else (model, model.scene)

    # --- places --------------------------------------------------------------------------------

    @property
    def _size_mm(self) -> tuple[float, float]:
        shown = self._shown
        return (1.0, 1.0) if shown is None else shown[1].projection.size_mm

    @property
    def reach_mm(self) -> float:
        """How near to the mouse a landmark or line has to be to be meant."""
        return REACH_PX / self.scale

    # --- painting ------------------------------------------------------------------------------

    def paintEvent(self, event: Any) -> None:  # noqa: ARG002, N802 - Qt's
        """Paint everything."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        painter.setPen(TEXT)
        if self._shown is None:
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            note = "No exam is open." if self.model is None else NO_SAGITTAL
            painter.drawText(self.rect().adjusted(12, 12, -12, -12), flags, note)
            return
        self._paint_scene(painter, *self._shown)

    def _paint_scene(self, painter: QPainter, model: Locator, scene: SagittalScene) -> None:
        self._paint_slice(painter, scene.projection)
        found = ScenePainter(painter, self.to_screen, self.width())
        if self.shows_lines:
            found.lines(scene, self.axial_index)
        held = self._pressed[1].landmark if self._pressed and self._pressed[1] else None
        for shown in scene.landmarks:
            found.landmark(shown, self._dragged if shown.landmark is held else None)
        level = model.state.level
        if model.state.is_marking and level is not None and self.hasFocus():
            found.cursor(model.cursor, f"{level}?")
        painter.setPen(TEXT)
        count = len(model.state.series.slices) if model.state.series is not None else 0
        painter.drawText(6, self.height() - 8, f"sagittal {model.state.index + 1} of {count}")
        painter.drawText(6, 16, "A")
        painter.drawText(self.width() - 16, 16, "P")

    # --- mouse ---------------------------------------------------------------------------------

    def mousePressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Take a landmark, or note where the button went down."""
        if self._shown is None:
            return
        model, scene = self._shown
        point = event.position()
        shown = scene.landmark_at(self.to_place(point), self.reach_mm)
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = point, shown
        elif event.button() == Qt.MouseButton.RightButton and shown is not None:
            self._delete(model, shown)

    def mouseMoveEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Drag a landmark that was taken, or the picture where it is enlarged."""
        if self._pressed is None or self._shown is None:
            return
        start, landmark = self._pressed
        point = event.position()
        away = point - start
        if self._dragged is None and np.hypot(away.x(), away.y()) <= STILL_PX:
            return
        if landmark is None:
            self._move_by(point - (self._dragged or start))
        self._dragged = point
        self.update()

    def mouseReleaseEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """End a drag, or do what a click means."""
        if self._pressed is None or self._shown is None:
            return
        (start, shown), dragged = self._pressed, self._dragged
        self._pressed = self._dragged = None
        if event.button() != Qt.MouseButton.LeftButton:
            return
        model, scene = self._shown
        if shown is not None and shown.is_locked:
            self._report_locked(shown)
        elif shown is not None and dragged is not None:
            model.move(shown.landmark, self.to_place(event.position()))
        elif shown is not None:
            model.activate(shown.landmark.kind, shown.landmark.level)
        elif dragged is None:
            self._click(model, scene, self.to_place(start))
        self._done()

    def _click(self, model: Locator, scene: SagittalScene, place: tuple[float, float]) -> None:
        if model.state.is_marking and model.state.level is not None:
            model.place(place)
            return
        line = scene.line_at(place, self.reach_mm) if self.shows_lines else None
        if line is not None:
            self.jump_wanted.emit(line.slice_index)

    def _delete(self, model: Locator, shown: ShownLandmark) -> None:
        """Delete a landmark, unless it is shared; the next click marks it anew."""
        if shown.is_locked:
            self._report_locked(shown)
            return
        model.delete(shown.landmark)
        model.activate(shown.landmark.kind, shown.landmark.level)
        self._done()

    def _report_locked(self, shown: ShownLandmark) -> None:
        self.message.emit(f"{shown.landmark.level} is shared by all raters and locked.")

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Scroll through the sagittal slices; with Ctrl, enlarge."""
        if self._shown is None:
            return
        up = event.angleDelta().y() > 0
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._enlarge(event.position(), ZOOM_STEP if up else 1 / ZOOM_STEP)
        else:
            self._shown[0].scroll(-1 if up else 1)
        event.accept()
        self._done()

    # --- keys ----------------------------------------------------------------------------------

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Do what a key means here, and leave the rest to others."""
        if self._shown is None or not self._handles(self._shown[0], event):
            super().keyPressEvent(event)
            return
        event.accept()
        self._done()

    def _handles(self, model: Locator, event: Any) -> bool:
        key, modifiers = event.key(), event.modifiers()
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            if key == Qt.Key.Key_Z:
                (self.redo_wanted if shift else self.undo_wanted).emit()
            return bool(key == Qt.Key.Key_Z)
        if key in _ARROWS and model.state.is_marking:
            model.nudge(*(np.array(_ARROWS[key]) * (FAR_NUDGE_MM if shift else NUDGE_MM)).tolist())
            return True
        act = self._keys(model).get(key)
        if act is not None:
            act()
        return act is not None

    def _keys(self, model: Locator) -> dict[Any, Callable[[], object]]:
        """Return what single keys do now."""
        found: dict[Any, Callable[[], object]] = {
            Qt.Key.Key_PageUp: lambda: model.scroll(-1),
            Qt.Key.Key_PageDown: lambda: model.scroll(1),
            Qt.Key.Key_BracketRight: lambda: model.step(1),
            Qt.Key.Key_BracketLeft: lambda: model.step(-1),
            Qt.Key.Key_Delete: model.delete_active,
            Qt.Key.Key_Backspace: model.delete_active,
            Qt.Key.Key_Escape: lambda: model.set_marking(on=False),
            Qt.Key.Key_M: lambda: model.set_marking(on=not model.state.is_marking),
            Qt.Key.Key_L: self.toggle_lines,
            Qt.Key.Key_Period: lambda: self._jump_by(model, 1),
            Qt.Key.Key_Comma: lambda: self._jump_by(model, -1),
        }
        if model.state.is_marking:
            place = [Qt.Key.Key_Return, Qt.Key.Key_Enter]
            found |= dict.fromkeys(place, lambda: model.place(tuple(model.cursor.tolist())))
        return found

    def toggle_lines(self) -> None:
        """Hide the cut lines, to see the discs; or show them again."""
        self.shows_lines = not self.shows_lines

    def _jump_by(self, model: Locator, count: int) -> None:
        last = len(model.session.series.slices) - 1
        self.jump_wanted.emit(min(max(self.axial_index + count, 0), last))

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
        if self._shown is None:
            return ""
        scene, place = self._shown[1], self.to_place(point)
        shown = scene.landmark_at(place, self.reach_mm)
        if shown is not None:
            return landmark_words(shown)
        line = scene.line_at(place, self.reach_mm) if self.shows_lines else None
        return "" if line is None else f"{line_words(line)}: click to go there"
