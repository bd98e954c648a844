"""The worklist: what is to be read, how far the rater is, and the way to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QGridLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QProgressBar,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from multifidus.reading.worklist import ReadingState, WorklistItem, progress
from napari_multifidus._compat import (
    new_viewer,
    open_dock,
    show_below_canvas,
    show_over_controls,
)
from napari_multifidus.controllers.reported_errors import reported, reporting
from napari_multifidus.controllers.worklist import waiting_words
from napari_multifidus.views.adjudication import AdjudicationPanel

if TYPE_CHECKING:
    from collections.abc import Callable

    from multifidus.reading.worklist import Worklist
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.controllers.worklist import WorklistController

TITLE = "Reading list"

HEADERS = ("#", "exam", "state", "min")
NAMED_HEADERS = ("#", "exam", "reading", "state", "min")
"""Where the list is not blinded; a blinded one does not tell which reading is a repeat."""

SECONDS_A_MINUTE = 60

LEAST_HEIGHT = 90

FILTERS = {
    "all": frozenset(ReadingState),
    "to do": frozenset(ReadingState) - {ReadingState.DONE},
    "done": {ReadingState.DONE},
}

# Told apart with every kind of colour vision, and by their words.
_COLOURS = {
    ReadingState.DONE: "#35d0a5",
    ReadingState.STARTED: "#e69f00",
    ReadingState.WAITING: "#8a8f98",
}

Index = QModelIndex


class WorklistTableModel(QAbstractTableModel):
    """Entries of a worklist as a table.

    Parameters
    ----------
    stands
        Says where an entry stands.
    """

    def __init__(self, stands: Callable[[WorklistItem], str], *, blinded: bool) -> None:
        super().__init__()
        self.blinded = blinded
        self._stands = stands
        self.items: tuple[WorklistItem, ...] = ()
        self.open: object = None

    def show_items(self, items: tuple[WorklistItem, ...], opened: object) -> None:
        """Show entries; of a blinded list not those that wait, which would tell repeats."""
        self.beginResetModel()
        hidden = {ReadingState.WAITING} if self.blinded else set()
        self.items = tuple(item for item in items if item.state not in hidden)
        self.open = opened
        self.endResetModel()

    def show_step(self) -> None:
        """Show how far the entry is that is open; the others are as they were."""
        rows = [row for row, item in enumerate(self.items) if item.by == self.open]
        for row in rows:
            column = self.headers.index("state")
            self.dataChanged.emit(self.index(row, column), self.index(row, column))

    @property
    def headers(self) -> tuple[str, ...]:
        """Heads of the columns."""
        return HEADERS if self.blinded else NAMED_HEADERS

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many entries there are."""
        return 0 if parent.isValid() else len(self.items)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(self.headers)

    def cells(self, row: int) -> tuple[str, ...]:
        """Write one entry."""
        item = self.items[row]
        mark = "▶" if item.by == self.open else str(row + 1)
        minutes = f"{item.seconds / SECONDS_A_MINUTE:.0f}" if item.seconds else ""
        state = self._stands(item)
        if self.blinded:
            return mark, item.by.subject, state, minutes
        exam = f"{item.by.subject} · {item.by.timepoint}"
        return mark, exam, str(item.by.reading), state, minutes

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, colour or tip of a cell."""
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(index.row())[index.column()]
        if role == Qt.ItemDataRole.ForegroundRole:
            started = item.by == self.open and item.state is ReadingState.OPEN
            colour = _COLOURS.get(ReadingState.STARTED if started else item.state)
            return None if colour is None else QColor(colour)
        if role == Qt.ItemDataRole.ToolTipRole:
            waits = item.state is ReadingState.WAITING
            return waiting_words(item) if waits else "Double click to open"
        return None

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the head of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self.headers[section]
        return None


class StateFilter(QSortFilterProxyModel):
    """Lets through the entries of some states."""

    def __init__(self, model: WorklistTableModel) -> None:
        super().__init__()
        self.wanted = "all"
        self._model = model
        self.setSourceModel(model)

    def want(self, name: str) -> None:
        """Show the entries of a filter by its name."""
        self.wanted = name
        self.beginResetModel()
        self.endResetModel()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:  # noqa: N802, ARG002 - Qt's
        """Whether an entry is shown."""
        return self._model.items[row].state in FILTERS[self.wanted]


class WorklistPanel(QWidget):
    """The list, how far it is, and what can be done with an entry.

    Parameters
    ----------
    controller
        Whose list it is.
    """

    def __init__(self, controller: WorklistController) -> None:
        super().__init__()
        self.controller = controller
        self.model = WorklistTableModel(
            controller.status_of, blinded=controller.worklist.is_blinded
        )
        self.shown = StateFilter(self.model)
        self.words, self.bar, self.filter = QLabel(), QProgressBar(), QComboBox()
        self.table = QTableView()
        self.done, self.next = QPushButton("Done, next"), QPushButton("Next")
        self.unlock, self.offer = QPushButton("Unlock…"), QPushButton("Not due yet…")
        self._lay_out()
        self._wire()
        self.refresh()

    def _lay_out(self) -> None:
        self.filter.addItems(list(FILTERS))
        self.filter.setToolTip("Which readings are listed")
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        done = f"QProgressBar::chunk {{ background-color: {_COLOURS[ReadingState.DONE]}; }}"
        self.bar.setStyleSheet(done)
        self.done.setToolTip("Finish and lock this reading, and open the next ( Ctrl+Enter )")
        self.next.setToolTip("Open the next reading that is not finished")
        self.unlock.setToolTip("Change a finished reading; the reason is recorded")
        self.offer.setToolTip("Begin a reading before its day; the reason is recorded")
        self.table.setModel(self.shown)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setMinimumHeight(LEAST_HEIGHT)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(22)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        buttons = QGridLayout()
        for place, button in enumerate((self.done, self.next, self.unlock, self.offer)):
            buttons.addWidget(button, *divmod(place, 2))
        layout = QVBoxLayout(self)
        head = QGridLayout()
        head.addWidget(self.words, 0, 0)
        head.addWidget(self.filter, 0, 1)
        head.addWidget(self.bar, 1, 0, 1, 2)
        layout.addLayout(head)
        layout.addWidget(self.table)
        layout.addLayout(buttons)

    def _report(self, act: Callable[..., object]) -> Callable[..., None]:
        return reporting(self.controller.workspace.warning, act)

    def _wire(self) -> None:
        self.controller.changed.connect(self.refresh)
        self.controller.progressed.connect(self.model.show_step)
        self.filter.currentTextChanged.connect(self.shown.want)
        self.table.doubleClicked.connect(
            self._report(lambda index: self.controller.open(self._item(index).by))
        )
        self.done.clicked.connect(self._report(lambda _: self.controller.finish_and_next()))
        self.next.clicked.connect(self._report(lambda _: self.controller.open_next()))
        self.unlock.clicked.connect(self._report(lambda _: self._unlock()))
        self.offer.clicked.connect(self._report(lambda _: self._offer()))

    def _item(self, index: Index) -> WorklistItem:
        return self.model.items[self.shown.mapToSource(index).row()]

    def refresh(self) -> None:
        """Show where every entry stands now."""
        items = self.controller.items()
        found = progress(items)
        self.model.show_items(items, self.controller.by)
        self.words.setText(str(found))
        self.bar.setMaximum(max(found.of, 1))
        self.bar.setValue(found.done)
        self.offer.setEnabled(found.waiting > 0)
        self.done.setEnabled(self.controller.by is not None)

    def _unlock(self) -> None:
        """Unlock the chosen entry, else the one that is open."""
        chosen = self.table.selectionModel()
        rows = chosen.selectedRows() if chosen is not None else []
        by = self._item(rows[0]).by if rows else self.controller.by
        reason = self.ask("Why is this finished reading to be changed?") if by else ""
        if by is not None and reason:
            self.controller.unlock(by, reason)

    def _offer(self) -> None:
        reason = self.ask("Why is a repeat reading begun before its day?")
        if reason:
            self.controller.start_early(reason)

    def ask(self, question: str) -> str:
        """Ask for a reason; empty where the person thinks better of it."""
        text, sure = QInputDialog.getText(self, TITLE, f"{question} Name no person.")
        return str(text) if sure else ""


def read_worklist(
    worklist: Worklist, adjudicate: tuple[str, str] | None = None, *, viewer: Any | None = None
) -> WorklistController:
    """Open a worklist in a viewer, at the next entry that is not finished.

    Parameters
    ----------
    worklist
        What is to be read, by whom.
    adjudicate
        The two raters whose outlines are compared, where the list is for consensus.
    viewer
        Where to; a new one if None.

    Returns
    -------
    WorklistController
        What goes from entry to entry; ``napari.run()`` then hands the window to the person.
    """
    found = new_viewer() if viewer is None else viewer
    annotator: Annotator = open_dock(found).annotator
    annotator.workspace.rater = worklist.listed.rater
    controller = annotator.read(worklist)
    show_over_controls(found, WorklistPanel(controller), TITLE)
    if adjudicate is not None:
        panel = AdjudicationPanel(annotator, controller, adjudicate)
        show_below_canvas(found, panel, panel.TITLE)
    for note in worklist.notes:
        annotator.workspace.warning.emit(note)
    with reported(annotator.workspace.warning):
        controller.open_next()
    return controller
