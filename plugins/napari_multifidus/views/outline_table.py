"""Everything drawn, as a table: where, what, how large, how fat, how sure; sorted and filtered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor, QKeySequence
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QPushButton,
    QTableView,
    QWidget,
)

from multifidus.data.anatomy import Side
from napari_multifidus._compat import Signal
from napari_multifidus.models.analysis import OutlineRow
from napari_multifidus.models.grading import words_of
from napari_multifidus.models.shapes import PROBLEM_COLOUR, colour_of
from napari_multifidus.views.numbers import MM2_PER_CM2, flag_tip, flag_words

Index = QModelIndex
Cell = str | float | int

ANY = "all"
SORT_ROLE = Qt.ItemDataRole.UserRole
HEIGHT, ARROW_WIDTH = 190, 48


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    head, export
        Its heading on the screen, and in what is copied to a spreadsheet.
    value
        Its value for a line, unrounded; what is copied and sorted by.
    words
        How it is written on the screen.
    tip
        What the heading's tooltip says.
    """

    head: str
    export: str
    value: Callable[[OutlineRow], Cell]
    words: Callable[[OutlineRow], str]
    tip: str
    is_number: bool = False


def _structure(line: OutlineRow) -> str:
    return " ".join(filter(None, (line.key.structure.replace("_", " "), line.key.name)))


def _side(line: OutlineRow) -> str:
    return "" if line.key.side is Side.NONE else line.key.side.value


def _level(line: OutlineRow) -> str:
    return line.level.value if line.level else ""


def _grade_words(line: OutlineRow) -> str:
    return ", ".join(
        str(value) if scheme == "goutallier" else f"{scheme} {value}"
        for scheme, value in line.grades
    )


def _flags(line: OutlineRow) -> str:
    return line.numbers.problem or ", ".join(map(flag_words, line.numbers.flags))


def _number(value: float, form: str) -> str:
    return "" if math.isnan(value) else f"{value:{form}}"


def _area(line: OutlineRow) -> str:
    return "error" if line.numbers.problem else _number(line.numbers.area_mm2 / MM2_PER_CM2, ".2f")


COLUMNS = (
    Column(
        "slice",
        "slice",
        lambda line: line.slice_index + 1,
        lambda line: str(line.slice_index + 1),
        "Number of the slice, from 1",
        is_number=True,
    ),
    Column("level", "level", _level, _level, "Disc or vertebral body, typed or by landmarks"),
    Column("structure", "structure", _structure, _structure, "What is outlined"),
    Column("side", "side", _side, _side, "The patient's side"),
    Column(
        "cm²",
        "area_mm2",
        lambda line: line.numbers.area_mm2,
        _area,
        "Area in the slice's own plane, in cm²",
        is_number=True,
    ),
    Column(
        "±",
        "area_u_mm2",
        lambda line: line.numbers.area_u_mm2,
        lambda line: _number(line.numbers.area_u_mm2 / MM2_PER_CM2, ".2f"),
        "Standard uncertainty of the area, in cm²",
        is_number=True,
    ),
    Column(
        "fat %",
        "fat_pct",
        lambda line: line.numbers.fat_pct,
        lambda line: _number(line.numbers.fat_pct, ".1f"),
        "Visible fat by the protocol's first method, in percent; of the linear one, fat fraction",
        is_number=True,
    ),
    Column(
        "±",
        "fat_u_pct",
        lambda line: line.numbers.fat_u_pct,
        lambda line: _number(line.numbers.fat_u_pct, ".1f"),
        "Standard uncertainty of the fat, in points of percent",
        is_number=True,
    ),
    Column(
        "grade",
        "grades",
        lambda line: "; ".join(f"{scheme} {value}" for scheme, value in line.grades),
        _grade_words,
        "Visual grade of the level and side; Goutallier's unless it is named",
    ),
    Column(
        "flags",
        "flags",
        lambda line: line.numbers.problem or ";".join(line.numbers.flags),
        _flags,
        "What is doubtful",
    ),
)
WIDEST = len(COLUMNS) - 1


def tip_of(line: OutlineRow) -> str:
    """Say everything about a line that its cells have no room for."""
    parts = [line.key.words, line.numbers.problem]
    if not math.isnan(line.numbers.fat_pct):
        parts.append(f"fat by {line.numbers.fat_method.replace('_', ' ')}")
    parts += [
        f"{scheme} {value}: {words_of(scheme, value)}".removesuffix(": ")
        for scheme, value in line.grades
    ]
    parts += [f"{flag_words(flag)}: {flag_tip(flag)}" for flag in line.numbers.flags]
    return "\n".join((*filter(None, parts), "Click to go there"))


def as_tsv(lines: Iterable[OutlineRow]) -> str:
    """Write lines for a spreadsheet: headings, tabs between cells, numbers unrounded."""
    rows = [[column.export for column in COLUMNS]]
    rows += [[_exported(column.value(line)) for column in COLUMNS] for line in lines]
    return "".join("\t".join(row) + "\n" for row in rows)


def _exported(value: Cell) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    text = " ".join(str(value).split())
    # A spreadsheet takes what begins like this for a formula.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@"} else text


class OutlineTableModel(QAbstractTableModel):
    """Lines of a session as a table."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[OutlineRow, ...] = ()

    def show_lines(self, lines: tuple[OutlineRow, ...]) -> None:
        """Show other lines."""
        if lines is self.lines:
            return
        same = [(line.key, line.slice_index) for line in lines] == [
            (line.key, line.slice_index) for line in self.lines
        ]
        if same and lines:
            # What is chosen and where the table was scrolled to stays.
            self.lines = lines
            self.dataChanged.emit(self.index(0, 0), self.index(len(lines) - 1, WIDEST))
            return
        self.beginResetModel()
        self.lines = lines
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, value, colour or alignment of a cell."""
        line, column = self.lines[index.row()], COLUMNS[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.words(line)
        if role == SORT_ROLE:
            return column.value(line)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(PROBLEM_COLOUR if line.numbers.problem else colour_of(line.key))
        if role == Qt.ItemDataRole.ToolTipRole:
            return tip_of(line)
        if role == Qt.ItemDataRole.TextAlignmentRole and column.is_number:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the head of a column, and what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section].head
        return COLUMNS[section].tip if role == Qt.ItemDataRole.ToolTipRole else None


class OutlineFilter(QSortFilterProxyModel):
    """Lines of one structure, side and level, or those that are doubtful; in any order."""

    def __init__(self, model: OutlineTableModel) -> None:
        super().__init__()
        self.wanted: dict[str, str] = {}
        self.flagged_only = False
        self._model = model
        self.setSourceModel(model)
        self.setSortRole(SORT_ROLE)

    def choose(self, wanted: dict[str, str], *, flagged_only: bool) -> None:
        """Show lines with these cells, by the heading of their column; an absent one is any."""
        self.wanted, self.flagged_only = wanted, flagged_only
        # Not invalidateFilter(): newer versions of Qt deprecate it.
        self.invalidate()

    def line(self, row: int) -> OutlineRow:
        """Return the line that stands in a row of the screen."""
        return self._model.lines[self.mapToSource(self.index(row, 0)).row()]

    @property
    def lines(self) -> list[OutlineRow]:
        """The lines shown, from top to bottom."""
        return [self.line(row) for row in range(self.rowCount())]

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: ARG002, N802 - Qt's
        """Whether a line is shown."""
        line = self._model.lines[row]
        if self.flagged_only and not line.numbers.flags and not line.numbers.problem:
            return False
        return all(_BY_HEAD[head].words(line) == text for head, text in self.wanted.items())

    def lessThan(self, left: Index, right: Index) -> bool:  # noqa: N802 - Qt's
        """Whether a cell comes before another; what is undefined comes last when rising."""
        first, second = left.data(SORT_ROLE), right.data(SORT_ROLE)
        undefined = [isinstance(value, float) and math.isnan(value) for value in (first, second)]
        return not undefined[0] if any(undefined) else bool(first < second)


FILTERS = ("structure", "side", "level")
_BY_HEAD = {column.head: column for column in COLUMNS if column.head != "±"}


class OutlineTableView(QTableView):
    """The table itself; a click goes to the slice and takes the structure in hand."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.lines = OutlineTableModel()
        self.shown = OutlineFilter(self.lines)
        self.setModel(self.shown)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(HEIGHT)
        self.setStyleSheet(
            "QTableView { font-size: 11px; }QHeaderView::section { font-size: 10px; padding: 1px; }"
        )
        self.setSortingEnabled(True)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(22)
            columns.setMinimumSectionSize(24)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setStretchLastSection(True)
            # As they lie on the spine, until somebody wants another order.
            columns.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.clicked.connect(self._choose)

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
        """Return the lines that are chosen, or all that are shown, from top to bottom."""
        selection = self.selectionModel()
        rows = {index.row() for index in selection.selectedRows()} if selection else set()
        return [line for row, line in enumerate(self.shown.lines) if len(rows) <= 1 or row in rows]

    def copy(self) -> None:
        """Copy lines to the clipboard, for a spreadsheet."""
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(as_tsv(self.lines_to_copy()))

    def follow(self, slice_index: int) -> None:
        """Bring the lines of a slice into sight."""
        places = (n for n, line in enumerate(self.shown.lines) if line.slice_index == slice_index)
        place = next(places, None)
        if place is not None:
            top = QAbstractItemView.ScrollHint.PositionAtTop
            self.scrollTo(self.shown.index(place, 0), top)


class OutlineTablePanel(QWidget):
    """The table with its filters."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.view = OutlineTableView()
        self.filters = {head: QComboBox() for head in FILTERS}
        self.flagged = QCheckBox("doubtful only")
        self.copy = QPushButton("Copy")
        self.flagged.setToolTip("Show only outlines with a flag or an error")
        self.copy.setToolTip(
            "Copy the lines shown, or those you chose, for a spreadsheet (Ctrl+C in the table); "
            "every digit, areas in mm²"
        )
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for place, (head, box) in enumerate(self.filters.items()):
            box.setToolTip(f"Show only one {head}")
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            box.setMinimumContentsLength(3)
            words = box.fontMetrics().horizontalAdvance(f"{ANY} {head}s")
            box.setMinimumWidth(words + ARROW_WIDTH)
            box.activated.connect(self._filter)
            layout.addWidget(box, 0, place)
            layout.setColumnStretch(place, len(head))
        layout.addWidget(self.view, 1, 0, 1, len(FILTERS))
        layout.addWidget(self.flagged, 2, 0)
        layout.addWidget(self.copy, 2, len(FILTERS) - 1)
        self.flagged.toggled.connect(self._filter)
        self.copy.clicked.connect(self.view.copy)
        self.view.chosen.connect(self.chosen.emit)
        self._offer(())

    @property
    def lines(self) -> OutlineTableModel:
        """All lines, shown or not."""
        return self.view.lines

    def show_lines(self, lines: tuple[OutlineRow, ...]) -> None:
        """Show other lines."""
        if lines is not self.lines.lines:
            self.lines.show_lines(lines)
            self._offer(lines)

    def follow(self, slice_index: int) -> None:
        """Bring the lines of a slice into sight."""
        self.view.follow(slice_index)

    def _offer(self, lines: Sequence[OutlineRow]) -> None:
        """Offer what there is to filter by, and keep what is chosen."""
        for head, box in self.filters.items():
            words = [_BY_HEAD[head].words(line) for line in lines]
            offered = [f"{ANY} {head}s", *dict.fromkeys(filter(None, words))]
            if [box.itemText(n) for n in range(box.count())] == offered:
                continue
            chosen = box.currentText()
            box.clear()
            box.addItems(offered)
            box.setCurrentIndex(max(box.findText(chosen), 0))
        self._filter()

    def _filter(self) -> None:
        wanted = {
            head: box.currentText() for head, box in self.filters.items() if box.currentIndex() > 0
        }
        self.view.shown.choose(wanted, flagged_only=self.flagged.isChecked())
