"""The list of everything drawn: where, what, how large, how fat."""

from __future__ import annotations

import math
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_multifidus._compat import Signal
from napari_multifidus.layers import PROBLEM_COLOUR, colour_of
from napari_multifidus.session import Line
from napari_multifidus.widgets.numbers import MM2_PER_CM2

HEADERS = ("slice", "level", "structure", "area cm²", "fat %")
_NUMBERS_FROM = 3

Index = QModelIndex


def cells(line: Line) -> tuple[str, ...]:
    """Write one line of the list."""
    numbers = line.numbers
    area = "" if math.isnan(numbers.area_mm2) else f"{numbers.area_mm2 / MM2_PER_CM2:.2f}"
    fat = "" if math.isnan(numbers.fat_pct) else f"{numbers.fat_pct:.1f}"
    if numbers.problem:
        area = "error"
    level = line.level.value if line.level else ""
    return str(line.slice_index + 1), level, line.key.words, area, fat


class OutlineModel(QAbstractTableModel):
    """Lines of a session as a table."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[Line, ...] = ()

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        """Show other lines."""
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(HEADERS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, colour or alignment of a cell."""
        line = self.lines[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return cells(line)[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(PROBLEM_COLOUR if line.numbers.problem else colour_of(line.key))
        if role == Qt.ItemDataRole.ToolTipRole:
            return line.numbers.problem or "Click to go there"
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() >= _NUMBERS_FROM:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the head of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return HEADERS[section]
        return None


class OutlineTable(QTableView):
    """The list; a click goes to the slice and takes the structure in hand."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.lines = OutlineModel()
        self.setModel(self.lines)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setMinimumHeight(150)
        self.setStyleSheet("font-size: 12px;")
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(22)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.clicked.connect(lambda index: self.chosen.emit(self.lines.lines[index.row()]))

    def follow(self, slice_index: int) -> None:
        """Bring the lines of a slice into sight."""
        places = (n for n, line in enumerate(self.lines.lines) if line.slice_index == slice_index)
        place = next(places, None)
        if place is not None:
            top = QAbstractItemView.ScrollHint.PositionAtTop
            self.scrollTo(self.lines.index(place, 0), top)
