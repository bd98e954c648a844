"""Everything drawn, as a table: where, what, how large, how fat, how sure; sorted and filtered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QComboBox,
    QWidget,
)

from napari_multifidus._compat import Signal
from napari_multifidus.models.analysis import OutlineRow
from napari_multifidus.models.fat_shown import kind_of
from napari_multifidus.models.grading import words_of
from napari_multifidus.models.shapes import PROBLEM_COLOUR, colour_of
from napari_multifidus.views.numbers import flag_tip, flag_words
from napari_multifidus.views.outline_columns import COLUMNS, FILTERS, as_tsv, columns_for
from napari_multifidus.views.table import (
    SORT_ROLE,
    TableModel,
    TableView,
)
from napari_multifidus.views.widgets import button, check_box, choice, grid

Index = QModelIndex

ANY = "all"
HEIGHT, ARROW_WIDTH = 80, 48


def colour_of_line(line: OutlineRow) -> str:
    """Return the colour that a line is written in."""
    return PROBLEM_COLOUR if line.numbers.problem else colour_of(line.key)


def tip_of(line: OutlineRow) -> str:
    """Say everything about a line that its cells have no room for."""
    parts = [line.key.words, line.numbers.problem]
    for method, pct in (
        (line.numbers.fat_method, line.numbers.fat_pct),
        (line.numbers.beside_method, line.numbers.beside_pct),
    ):
        if not math.isnan(pct):
            parts.append(f"{kind_of(method).name.lower()} by {method.replace('_', ' ')}")
    parts += [
        f"{scheme} {value}: {words_of(scheme, value)}".removesuffix(": ")
        for scheme, value in line.grades
    ]
    parts += [f"{flag_words(flag)}: {flag_tip(flag)}" for flag in line.numbers.flags]
    return "\n".join((*filter(None, parts), "Click to go there"))


class OutlineFilter(QSortFilterProxyModel):
    """Lines of one structure, side and level, or those with flags; in any order."""

    def __init__(self, model: TableModel) -> None:
        super().__init__()
        self.wanted: dict[str, str] = {}
        self.flagged_only = False
        self._model = model
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    def choose(self, wanted: dict[str, str], *, flagged_only: bool) -> None:
        """Show lines of these structures, sides and levels; what is not named may be any."""
        self.wanted, self.flagged_only = wanted, flagged_only
        # Not invalidateFilter(): newer versions of Qt deprecate it.
        self.invalidate()

    def line(self, row: int) -> OutlineRow:
        """Return the line that stands in a row of the screen."""
        found: OutlineRow = self._model.rows[self.mapToSource(self.index(row, 0)).row()]
        return found

    @property
    def lines(self) -> list[OutlineRow]:
        """The lines shown, from top to bottom."""
        return [self.line(row) for row in range(self.rowCount())]

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: ARG002, N802 - Qt's
        """Whether a line is shown."""
        line = self._model.rows[row]
        if self.flagged_only and not line.numbers.flags and not line.numbers.problem:
            return False
        return all(FILTERS[name](line) == text for name, text in self.wanted.items())

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802 - Qt's
        """Whether a cell comes before another; what is undefined comes last when rising."""
        first, second = left.data(SORT_ROLE), right.data(SORT_ROLE)
        undefined = [isinstance(value, float) and math.isnan(value) for value in (first, second)]
        return not undefined[0] if any(undefined) else bool(first < second)


class OutlineTableView(TableView):
    """The table itself; a click goes to the slice and activates the structure."""

    chosen = Signal(object)

    def __init__(self) -> None:
        lines = TableModel(COLUMNS, tip_of, colour_of_line)
        shown = OutlineFilter(lines)
        super().__init__(shown, HEIGHT)
        self.lines, self.shown = lines, shown
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setSortingEnabled(True)
        columns = self.horizontalHeader()
        if columns is not None:
            columns.setMinimumSectionSize(24)
            # As they lie on the spine, until somebody wants another order.
            columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._choose)

    def show_lines(self, lines: tuple[OutlineRow, ...]) -> None:
        """Show other lines; while the outlines are the same, what is selected stays."""
        places = [(line.key, line.slice_index) for line in lines]
        columns = columns_for(lines)
        is_same = places == [(line.key, line.slice_index) for line in self.lines.rows]
        if is_same and columns == self.lines.columns:
            self.lines.refresh(lines)
        else:
            self.lines.columns = columns
            self.lines.show_rows(lines)

    def _choose(self, index: Index) -> None:
        modifiers = QApplication.keyboardModifiers()
        # Lines that are gathered to be copied do not take one elsewhere.
        if modifiers == Qt.KeyboardModifier.NoModifier:
            self.chosen.emit(self.shown.line(index.row()))

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Copy as a spreadsheet wants it, not the text of one cell."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def lines_to_copy(self) -> list[OutlineRow]:
        """Return the lines that are selected, or all that are shown, from top to bottom."""
        rows = self.selected_rows()
        return [line for row, line in enumerate(self.shown.lines) if len(rows) <= 1 or row in rows]

    def copy(self) -> None:
        """Copy lines to the clipboard, for a spreadsheet."""
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(as_tsv(self.lines_to_copy()))

    def follow(self, slice_index: int) -> None:
        """Bring the lines of a slice into sight."""
        rows = range(self.shown.rowCount())
        place = next((n for n in rows if self.shown.line(n).slice_index == slice_index), None)
        if place is not None:
            top = QAbstractItemView.ScrollHint.PositionAtTop
            self.scrollTo(self.shown.index(place, 0), top)


class OutlineTablePanel(QWidget):
    """The table with its filters."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.view = OutlineTableView()
        self.filters = {name: _filter_box(name) for name in FILTERS}
        self.flagged = check_box(
            "Flagged only", "Show only outlines with a quality flag or an error"
        )
        self.copy = button(
            "Copy",
            "Copy the lines shown, or those selected, for a spreadsheet (Ctrl+C in the table): "
            "unrounded, areas in mm²",
        )
        beside = [*self.filters.values(), self.flagged, self.copy]
        layout = grid(
            self,
            (self.view, 0, 0, len(beside) + 1, 1),
            *((part, row, 1) for row, part in enumerate(beside)),
        )
        layout.setColumnStretch(0, 1)
        layout.setRowStretch(len(beside), 1)
        layout.setVerticalSpacing(2)
        for box in self.filters.values():
            box.activated.connect(self._filter)
        self.flagged.toggled.connect(self._filter)
        self.copy.clicked.connect(self.view.copy)
        self.view.chosen.connect(self.chosen.emit)
        self._offer(())

    @property
    def lines(self) -> TableModel:
        """All lines, shown or not."""
        return self.view.lines

    def show_lines(self, lines: tuple[OutlineRow, ...]) -> None:
        """Show other lines."""
        if lines is not self.lines.rows:
            self.view.show_lines(lines)
            self._offer(lines)

    def follow(self, slice_index: int) -> None:
        """Bring the lines of a slice into sight."""
        self.view.follow(slice_index)

    def _offer(self, lines: Sequence[OutlineRow]) -> None:
        """Offer what there is to filter by, and keep what is chosen."""
        for name, box in self.filters.items():
            words = [FILTERS[name](line) for line in lines]
            offered = [f"{ANY} {name}s", *dict.fromkeys(filter(None, words))]
            if [box.itemText(n) for n in range(box.count())] == offered:
                continue
            chosen = box.currentText()
            box.clear()
            box.addItems(offered)
            box.setCurrentIndex(max(box.findText(chosen), 0))
        self._filter()

    def _filter(self) -> None:
        wanted = {
            name: box.currentText() for name, box in self.filters.items() if box.currentIndex() > 0
        }
        self.view.shown.choose(wanted, flagged_only=self.flagged.isChecked())


def _filter_box(name: str) -> QComboBox:
    box = choice(f"Show only one {name}", shortest=3)
    box.setMinimumWidth(box.fontMetrics().horizontalAdvance(f"{ANY} {name}s") + ARROW_WIDTH)
    return box
