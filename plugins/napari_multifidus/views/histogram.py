"""The histogram of the active outline's signal, with the fat threshold."""

from __future__ import annotations

import math

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from multifidus.data.anatomy import Structure
from napari_multifidus.controllers.feedback import FAT_COLOUR
from napari_multifidus.models.preview import OutlinePreview, Ranges
from napari_multifidus.models.shapes import LayerKey, colour_of
from napari_multifidus.views.style import IMAGE_GROUND, IMAGE_TEXT, SMALLEST, Palette

LINE = QColor("#ffffff")
HEIGHT, WIDTH = 78, 300
BAND, GAP = 5.0, 2.0
"""Height of a reference's bar, and what is left free around it, in pixels of the screen."""

TOP, FOOT = 13.0, 14.0
"""What is left free for words above and below the bars."""


class HistogramView(QWidget):
    """A histogram of the active outline, with the threshold and the references' ranges.

    The threshold is a line; what lies beyond it is in the colour of fat. Under the bars lie the
    ranges of the references, in the colours of their outlines.
    """

    def __init__(self) -> None:
        super().__init__()
        self.preview: OutlinePreview | None = None
        self.key: LayerKey | None = None
        self._px = SMALLEST
        self.setMinimumHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Signal of the pixels of the active outline, after bias field correction. Pixels to "
            "the right of the line are classified as fat. The bars below are the central 90 % of "
            "the lean reference (green) and of the fat reference (yellow)."
        )

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's
        """Return the size that is wished for."""
        return QSize(WIDTH, self.minimumHeight())

    def wear(self, palette: Palette) -> None:
        """Write in letters of a size; the ground is dark as the image is."""
        self._px = palette.px(SMALLEST)
        self.setMinimumHeight(HEIGHT + 2 * (self._px - SMALLEST))
        self.updateGeometry()

    def show_preview(self, key: LayerKey | None, preview: OutlinePreview | None) -> None:
        """Show another outline; None where there is none."""
        self.key, self.preview = key, preview
        self.update()

    @property
    def words(self) -> str:
        """What stands above the bars."""
        if self.key is None or self.preview is None or not len(self.preview.values):
            return "Signal of the active outline"
        threshold = self.preview.numbers.threshold
        where = "" if math.isnan(threshold) else f" · fat threshold {threshold:.0f}"
        return f"Signal of {self.key.words}{where}"

    def paintEvent(self, event: object) -> None:  # noqa: ARG002, N802 - Qt's
        """Paint it."""
        pen = QPainter(self)
        pen.fillRect(self.rect(), QColor(IMAGE_GROUND))
        top = TOP + self._px - SMALLEST
        self._write(pen, QRectF(4, 0, self.width() - 8, top), self.words)
        preview = self.preview
        if preview is None or preview.ranges is None or not len(preview.values):
            return
        box = QRectF(4, top, self.width() - 8, self.height() - top - FOOT)
        self._paint_bars(pen, box, preview)
        self._paint_references(pen, box, preview.ranges)
        self._paint_threshold(pen, box, preview)

    def _write(self, pen: QPainter, box: QRectF, words: str) -> None:
        font = self.font()
        font.setPixelSize(self._px)
        pen.setFont(font)
        pen.setPen(QColor(IMAGE_TEXT))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        pen.drawText(box, int(flags.value), words)

    def _paint_bars(self, pen: QPainter, box: QRectF, preview: OutlinePreview) -> None:
        """Paint the counts, square-rooted: little fat in a lean muscle is seen as well."""
        heights = preview.counts() ** 0.5
        most = float(heights.max()) or 1.0
        step = box.width() / len(heights)
        outline = QPolygonF([QPointF(box.left(), box.bottom())])
        for place, height in enumerate(heights.tolist()):
            top = box.bottom() - height / most * box.height()
            outline.append(QPointF(box.left() + place * step, top))
            outline.append(QPointF(box.left() + (place + 1) * step, top))
        outline.append(QPointF(box.right(), box.bottom()))
        at = self._threshold_x(box, preview)
        pen.setPen(Qt.PenStyle.NoPen)
        lean = colour_of(self.key) if self.key is not None else IMAGE_TEXT
        for left, right, colour in (
            (box.left(), at, QColor(lean)),
            (at, box.right(), QColor(*FAT_COLOUR)),
        ):
            pen.setClipRect(QRectF(left, box.top(), max(right - left, 0.0), box.height()))
            pen.setBrush(colour)
            pen.drawPolygon(outline)
        pen.setClipping(False)

    def _threshold_x(self, box: QRectF, preview: OutlinePreview) -> float:
        threshold = preview.numbers.threshold
        if math.isnan(threshold) or preview.ranges is None:
            return box.right()
        return min(max(_x(box, preview.ranges, threshold), box.left()), box.right())

    def _paint_references(self, pen: QPainter, box: QRectF, ranges: Ranges) -> None:
        pen.setPen(Qt.PenStyle.NoPen)
        top = box.bottom() + GAP
        for structure, found in (
            (Structure.LEAN_REFERENCE, ranges.lean),
            (Structure.FAT_REFERENCE, ranges.fat),
        ):
            if found is not None:
                left, right = (_x(box, ranges, value) for value in found)
                pen.setBrush(QColor(colour_of(LayerKey(structure))))
                pen.drawRect(QRectF(left, top, max(right - left, 1.0), BAND))

    def _paint_threshold(self, pen: QPainter, box: QRectF, preview: OutlinePreview) -> None:
        if math.isnan(preview.numbers.threshold):
            return
        at = self._threshold_x(box, preview)
        pen.setPen(QPen(LINE, 2))
        pen.drawLine(QPointF(at, box.top() - 2), QPointF(at, box.bottom() + 2 * GAP + BAND))


def _x(box: QRectF, ranges: Ranges, value: float) -> float:
    share = (value - ranges.low) / (ranges.high - ranges.low)
    return float(box.left() + share * box.width())
