"""The pictures on the buttons: lines, closed shapes and dots in a square of 24 by 24."""

from __future__ import annotations

from collections.abc import Iterator

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

SIDE = 24
SHARPNESS = 3
"""Pixels of a picture to one of the square: enough for screens scaled to 300 %."""

_OVAL = "ellipse 3 5 18 14"

PICTURES = {
    "polygon": "closed 4 9 12 3 20 9 17 20 7 20; dot 4 9 2; dot 12 3 2; dot 20 9 2; dot 17 20 2;"
    " dot 7 20 2",
    "freehand": "curve 4 17 2 4 12 2 14 9 16 16 22 12 20 6; dot 20 6 1.6",
    "livewire": "line 3 18 8 13 12 16 16 7 21 5; dot 3 18 2; dot 21 5 2; dash 3 22 21 22",
    "edit": "closed 5 19 12 5 19 19; dot 12 5 3; dot 5 19 2; dot 19 19 2",
    "brush": "line 20 4 11 13; fill 11 11 13 13 9 20 4 20 5 15",
    "eraser": "closed 9 20 4 15 14 5 20 11 11 20; line 9 10 15 16; line 11 20 20 20",
    "hole": f"{_OVAL}; dash 12 9 15 12 12 15 9 12 12 9",
    "island": "ellipse 2 8 12 11; ellipse 15 3 7 7",
    "smooth": "line 2 8 5 3 8 8 11 3; curve 2 19 7 10 14 24 22 14",
    "copy": "box 4 4 11 11; box 9 9 11 11",
    "copy_on": "box 3 4 11 11; line 9 19 20 19; line 16 15 20 19 16 23",
    "mirror": "dash 12 2 12 22; closed 9 6 3 18 9 18; closed 15 6 21 18 15 18",
    "interpolate": "ellipse 5 2 14 5; dash 7 12 17 12; ellipse 3 17 18 5",
    "undo": "curve 6 9 14 4 20 8 19 14 18 20 12 20 9 20; line 11 4 5 9 11 14",
    "redo": "curve 18 9 10 4 4 8 5 14 6 20 12 20 15 20; line 13 4 19 9 13 14",
    "next": f"{_OVAL}; line 9 12 15 12; line 12 9 15 12 12 15",
    "gap": "ellipse 3 3 18 18; line 6 18 18 6",
    "delete": "line 4 6 20 6; line 9 6 9 3 15 3 15 6; line 6 6 7 21 17 21 18 6; line 10 10 10 17;"
    " line 14 10 14 17",
    "sagittal": "curve 8 2 14 8 6 14 12 22; line 13 4 20 3; line 13 10 20 10; line 12 16 20 18",
    "previous": "box 1 5 9 14; dash 12 2 12 22; box 14 5 9 14",
    "views": "box 2 3 20 18; line 12 3 12 21; line 2 12 22 12; dot 12 12 2",
    "results": "box 3 4 18 16; line 3 10 21 10; line 3 15 21 15; line 10 4 10 20",
    "layers": "closed 12 3 22 8 12 13 2 8; line 2 12 12 17 22 12; line 2 16 12 21 22 16",
    "lines": "line 4 6 20 4; line 4 12 20 12; line 4 18 20 20",
    "help": "curve 8 8 8 2 17 2 16 8 16 11 12 11 12 15; dot 12 20 1.6",
}  # fmt: skip
"""Each part is a kind and the places it goes through: across, down."""


def icon(name: str, colour: str, off: str = "") -> QIcon:
    """Draw the picture of a button in a colour, and in another one where the button is off."""
    found = QIcon(_pixmap(name, colour))
    if off:
        found.addPixmap(_pixmap(name, off), QIcon.Mode.Disabled)
    return found


def _pixmap(name: str, colour: str) -> QPixmap:
    pixmap = QPixmap(SIDE * SHARPNESS, SIDE * SHARPNESS)
    pixmap.fill(Qt.GlobalColor.transparent)
    pen = QPainter(pixmap)
    pen.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen.scale(SHARPNESS, SHARPNESS)
    for kind, *places in _parts(PICTURES[name]):
        _paint(pen, QColor(colour), str(kind), [float(place) for place in places])
    pen.end()
    return pixmap


def _parts(words: str) -> Iterator[list[str]]:
    return (part.split() for part in words.split(";"))


def _paint(pen: QPainter, colour: QColor, kind: str, places: list[float]) -> None:
    line = QPen(colour, 1.9)
    line.setCapStyle(Qt.PenCapStyle.RoundCap)
    line.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    if kind == "dash":
        line.setDashPattern([1.2, 1.8])
    pen.setPen(line)
    pen.setBrush(colour if kind in {"dot", "fill"} else Qt.BrushStyle.NoBrush)
    if kind == "dot":
        x, y, radius = places
        pen.setPen(Qt.PenStyle.NoPen)
        pen.drawEllipse(QPointF(x, y), radius, radius)
    elif kind == "ellipse":
        pen.drawEllipse(QRectF(*places))
    elif kind == "box":
        pen.drawRoundedRect(QRectF(*places), 1.5, 1.5)
    elif kind == "curve":
        pen.drawPath(_curve(_points(places)))
    elif kind in {"closed", "fill"}:
        pen.drawPolygon(QPolygonF(_points(places)))
    else:
        pen.drawPolyline(QPolygonF(_points(places)))


def _points(places: list[float]) -> list[QPointF]:
    return [QPointF(*pair) for pair in zip(places[::2], places[1::2], strict=True)]


def _curve(points: list[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for place in range(1, len(points), 3):
        path.cubicTo(*points[place : place + 3])
    return path
