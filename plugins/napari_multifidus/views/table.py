"""Rows of one kind as a table: what each column shows, and how the tables of the window look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import (
    QAbstractItemModel,
    QAbstractProxyModel,
    QAbstractTableModel,
    QModelIndex,
    Qt,
)
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from napari_multifidus.views.style import Palette
from napari_multifidus.views.widgets import only_deliberate

Index = QModelIndex
Cell = str | float | int

SORT_ROLE = Qt.ItemDataRole.UserRole
ROW_HEIGHT, HEAD_PX = 20, 10
NO_INDEX = QModelIndex()


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    head
        Its heading.
    words
        What it shows of a row.
    tip
        The tooltip of its heading.
    value
        What a row is sorted by, unrounded; its words if None.
    is_number
        Whether it is aligned to the right.
    """

    head: str
    words: Callable[[Any], str]
    tip: str = ""
    value: Callable[[Any], Cell] | None = None
    is_number: bool = False

    def sorted_by(self, row: Any) -> Cell:
        """Return the value of a row."""
        return (self.value or self.words)(row)


class TableModel(QAbstractTableModel):
    """Rows of one kind.

    Parameters
    ----------
    columns
        What is shown of a row.
    tip, colour
        Return the tooltip of a row, and the colour that it is written in; the usual one if empty.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        tip: Callable[[Any], str],
        colour: Callable[[Any], str] = lambda _: "",
    ) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.rows: tuple[Any, ...] = ()
        self._tip, self._colour = tip, colour
        self.palette: Palette | None = None

    def show_rows(self, rows: Sequence[Any]) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.rows = tuple(rows)
        self.endResetModel()

    def refresh(self, rows: Sequence[Any] | None = None) -> None:
        """Show the same rows as they are now; what is selected and where one scrolled to stays."""
        if rows is not None:
            self.rows = tuple(rows)
        if self.rows:
            last = self.index(len(self.rows) - 1, len(self.columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)

    def cells(self, row: int) -> tuple[str, ...]:
        """Return the words of one row."""
        return tuple(column.words(self.rows[row]) for column in self.columns)

    def rowCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's
        """Return how many rows there are."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = NO_INDEX) -> int:  # noqa: N802 - Qt's
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, value, colour, tooltip or alignment of a cell."""
        row, column = self.rows[index.row()], self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.words(row)
        if role == SORT_ROLE:
            return column.sorted_by(row)
        if role == Qt.ItemDataRole.ForegroundRole:
            colour = self._colour(row)
            found = self.palette.ink(colour) if colour and self.palette is not None else colour
            return QColor(found) if found else None
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tip(row)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the heading of a column, and what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].head
        return self.columns[section].tip if role == Qt.ItemDataRole.ToolTipRole else None


class TableView(QTableView):
    """A table of which whole rows are selected.

    Parameters
    ----------
    model
        What it shows.
    least_height
        In pixels.
    wide
        The column that takes what width is left; the last if None.
    """

    def __init__(
        self, model: QAbstractItemModel, least_height: int, wide: int | None = None
    ) -> None:
        super().__init__()
        self.setModel(model)
        only_deliberate(self)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        # Tab leaves a table; the arrows go from row to row.
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(least_height)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(ROW_HEIGHT)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            if wide is None:
                # Where the room is too narrow, the table scrolls.
                columns.setStretchLastSection(True)
            else:
                columns.setSectionResizeMode(wide, QHeaderView.ResizeMode.Stretch)

    def wear(self, palette: Palette) -> None:
        """Write in the colours of a theme, in rows as high as its letters ask for."""
        model = self.model()
        while isinstance(model, QAbstractProxyModel):
            model = model.sourceModel()
        if isinstance(model, TableModel):
            model.palette = palette
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.setDefaultSectionSize(palette.px(ROW_HEIGHT))
            # Widths are worked out by this font, whatever the style says.
            font = columns.font()
            font.setPixelSize(palette.px(HEAD_PX))
            columns.setFont(font)

    def selected_rows(self) -> list[int]:
        """Return the selected rows, from top to bottom."""
        selection = self.selectionModel()
        return sorted(index.row() for index in selection.selectedRows()) if selection else []
