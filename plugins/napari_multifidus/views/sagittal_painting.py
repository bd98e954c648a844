"""Painting of the sagittal image: cut lines, landmarks, and the keyboard's cursor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from multifidus.data.landmark import LandmarkKind
from multifidus.data.slice_number import slice_words
from napari_multifidus.models.sagittal import CutLine, SagittalScene, ShownLandmark
from napari_multifidus.views.style import IMAGE_GROUND, IMAGE_TEXT

# Okabe and Ito's palette; what differs in meaning differs in line or shape as well.
LINE, CURRENT, FLAGGED = QColor("#56b4e9"), QColor("#f0e442"), QColor("#e69f00")
LANDMARK, LOCKED, CURSOR = QColor("#1fd6a2"), QColor("#ffffff"), QColor("#f0e442")
GROUND, TEXT, _DARK = QColor(IMAGE_GROUND), QColor(IMAGE_TEXT), QColor(0, 0, 0, 190)

FAINT_MM = 6.0
"""Landmarks further than this from the sagittal slice are drawn faintly."""

LABEL_WIDTH = 58.0


@dataclass(frozen=True, slots=True)
class ScenePainter:
    """Paints a scene.

    Attributes
    ----------
    to_screen
        Maps millimetres on the sagittal image to the widget.
    width
        Of the widget, in pixels.
    """

    pen: QPainter
    to_screen: Callable[[Any], QPointF]
    width: int

    def lines(self, scene: SagittalScene, current: int) -> None:
        """Paint the cut lines; that of the axial slice that is shown comes last, on top."""
        for line in sorted(scene.lines, key=lambda line: line.slice_index == current):
            is_current = line.slice_index == current
            pen = QPen(CURRENT if is_current else FLAGGED if line.is_flagged else LINE)
            pen.setWidthF(2.5 if is_current else 1.0)
            if line.is_flagged:
                pen.setStyle(Qt.PenStyle.DashLine)
            self.pen.setOpacity(1.0 if is_current else 0.75)
            self.pen.setPen(pen)
            ends = [self.to_screen(point) for point in line.ends]
            self.pen.drawLine(*ends)
            if is_current:
                right = max(ends, key=lambda end: end.x())
                x = min(right.x() + 3, self.width - LABEL_WIDTH)
                self.label(QPointF(x, right.y() + 4), _short_words(line), CURRENT)
        self.pen.setOpacity(1.0)

    def landmark(self, shown: ShownLandmark, moved_to: QPointF | None) -> None:
        """Paint a landmark, where the mouse holds it or where it is."""
        point = self.to_screen(shown.place) if moved_to is None else moved_to
        colour = LOCKED if shown.is_locked else LANDMARK
        self.pen.setOpacity(0.45 if shown.off_mm > FAINT_MM and moved_to is None else 1.0)
        for pen in (QPen(_DARK, 4), QPen(colour, 2)):
            self.pen.setPen(pen)
            self._symbol(point, shown)
        self.label(point + QPointF(9, 4), shown.landmark.level.value, colour)
        self.pen.setOpacity(1.0)

    def _symbol(self, point: QPointF, shown: ShownLandmark) -> None:
        """Draw a landmark: round discs, square shared ones, flat endplates, crossed cages."""
        kind = shown.landmark.kind
        if shown.is_locked:
            self.pen.drawRect(QRectF(point.x() - 5, point.y() - 5, 10, 10))
        elif kind is LandmarkKind.DISC_CENTRE:
            self.pen.drawEllipse(point, 5, 5)
        elif kind is LandmarkKind.CAGE:
            self.pen.drawLine(point - QPointF(5, 5), point + QPointF(5, 5))
            self.pen.drawLine(point - QPointF(5, -5), point + QPointF(5, -5))
        else:
            self.pen.drawLine(point - QPointF(8, 0), point + QPointF(8, 0))
            up = -5 if kind is LandmarkKind.INFERIOR_ENDPLATE else 5
            self.pen.drawLine(point, point + QPointF(0, up))

    def cursor(self, place: Any, words: str) -> None:
        """Paint where the keyboard points, and what it would mark there."""
        point = self.to_screen(place)
        self.pen.setPen(QPen(CURSOR, 1.2, Qt.PenStyle.DotLine))
        self.pen.drawEllipse(point, 9, 9)
        self.pen.drawLine(point - QPointF(14, 0), point + QPointF(14, 0))
        self.pen.drawLine(point - QPointF(0, 14), point + QPointF(0, 14))
        self.label(point + QPointF(12, -8), words, CURSOR)

    def label(self, point: QPointF, words: str, colour: QColor) -> None:
        """Write on a dark ground, to be read on bright fat as well."""
        font = self.pen.font()
        font.setPixelSize(12)
        font.setBold(True)
        self.pen.setFont(font)
        box = self.pen.fontMetrics().tightBoundingRect(words)
        self.pen.fillRect(QRectF(box).translated(point).adjusted(-2, -2, 2, 2), _DARK)
        self.pen.setPen(colour)
        self.pen.drawText(point, words)


def line_words(line: CutLine) -> str:
    """Describe a cut line: its slice, its level, whether there are warnings."""
    parts = (
        f"{slice_words(line.slice_index)}",
        line.level.value if line.level else "",
        "flagged" if line.is_flagged else "",
    )
    return ", ".join(filter(None, parts))


def _short_words(line: CutLine) -> str:
    return line.level.value if line.level else f"{slice_words(line.slice_index)}"


def landmark_words(shown: ShownLandmark) -> str:
    """Describe a landmark, and what can be done with it."""
    words = f"{shown.landmark.kind.replace('_', ' ')} of {shown.landmark.level}"
    if shown.off_mm > FAINT_MM:
        words += f", {shown.off_mm:.0f} mm off this sagittal slice"
    if shown.is_locked:
        return f"{words}; shared by all raters, locked"
    return f"{words}: drag to move, right-click to delete"
