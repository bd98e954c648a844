"""The worklist: what is to be read, how far the rater is, the way to the next; what is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
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
from napari_multifidus.views.style import Tone, follow_theme, give
from napari_multifidus.views.table import Column, TableModel, TableView
from napari_multifidus.views.widgets import ask_reason, button, choice, label

if TYPE_CHECKING:
    from collections.abc import Callable

    from multifidus.reading.worklist import Worklist
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.controllers.worklist import WorklistController

TITLE = "Reading list"

SECONDS_A_MINUTE = 60

LEAST_HEIGHT = 90

FILTERS = {
    "all": frozenset(ReadingState),
    "to do": frozenset(ReadingState) - {ReadingState.DONE},
    "done": {ReadingState.DONE},
}

LOCKED = "Finished and locked: outlines, levels, landmarks and grades cannot be changed."
HERE = "Unlock… asks for the reason and records it."
ELSEWHERE = "It can only be unlocked in its reading list (multifidus annotate cohort.csv)."
UNLOCK_QUESTION = "Why must this finished reading be changed?"

# Told apart with every kind of colour vision, and by their words.
_COLOURS = {
    ReadingState.DONE: Tone.GOOD,
    ReadingState.STARTED: Tone.WARNING,
    ReadingState.WAITING: Tone.QUIET,
}

Index = QModelIndex


class StateFilter(QSortFilterProxyModel):
    """Lets through the entries of some states."""

    def __init__(self, model: TableModel) -> None:
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
        return self._model.rows[row].state in FILTERS[self.wanted]


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
        self.model = TableModel(self._columns(), _tip, self._colour)
        self.shown = StateFilter(self.model)
        self.words, self.bar = label(), QProgressBar()
        self.table = TableView(self.shown, LEAST_HEIGHT, 1)
        # Exams of one subject differ at the end of their names.
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.filter = choice("Which readings are listed", [(name, name) for name in FILTERS])
        self.done = button(
            "Finish and next",
            "Finish and lock this reading, and open the next one ( Ctrl+Enter )",
        )
        self.next = button("Next", "Open the next reading that is not finished")
        self.unlock = button("Unlock…", "Change a finished reading; the reason is recorded")
        self.offer = button(
            "Start early…", "Start a repeat reading before its date; the reason is recorded"
        )
        self._lay_out()
        self._wire()
        self.refresh()
        follow_theme(self, controller.workspace.viewer)

    def _columns(self) -> list[Column]:
        """Return what is shown; a blinded list does not tell which reading is a repeat."""
        named = [
            Column("Exam", lambda item: f"{item.by.subject} · {item.by.timepoint}"),
            Column("Reading", lambda item: str(item.by.reading)),
        ]
        coded = [Column("Exam", lambda item: str(item.by.subject))]
        return [
            Column("#", self._mark),
            *(coded if self.controller.worklist.is_blinded else named),
            Column("Status", self.controller.status_of),
            Column("Min", _minutes, "Minutes worked on it"),
        ]

    def _mark(self, item: WorklistItem) -> str:
        return "▶" if item.by == self.controller.by else str(self.model.rows.index(item) + 1)

    def _colour(self, item: WorklistItem) -> str:
        started = item.by == self.controller.by and item.state is ReadingState.OPEN
        return _COLOURS.get(ReadingState.STARTED if started else item.state, "")

    def _lay_out(self) -> None:
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(8)
        head, buttons = QGridLayout(), QGridLayout()
        head.addWidget(self.words, 0, 0)
        head.addWidget(self.filter, 0, 1)
        head.addWidget(self.bar, 1, 0, 1, 2)
        for place, made in enumerate((self.done, self.next, self.unlock, self.offer)):
            buttons.addWidget(made, *divmod(place, 2))
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self.table)
        layout.addLayout(buttons)

    def _report(self, act: Callable[..., object]) -> Callable[..., None]:
        return reporting(self.controller.workspace.warning, act)

    def _wire(self) -> None:
        self.controller.changed.connect(self.refresh)
        self.controller.progressed.connect(self.model.refresh)
        self.filter.currentTextChanged.connect(self.shown.want)
        self.table.doubleClicked.connect(
            self._report(lambda index: self.controller.open(self._item(index).by))
        )
        self.done.clicked.connect(self._report(lambda *_: self.controller.ask_to_finish()))
        self.next.clicked.connect(self._report(lambda *_: self.controller.open_next()))
        self.unlock.clicked.connect(self._report(lambda *_: self._unlock()))
        self.offer.clicked.connect(self._report(lambda *_: self._offer()))

    def _item(self, index: Index) -> WorklistItem:
        found: WorklistItem = self.model.rows[self.shown.mapToSource(index).row()]
        return found

    def refresh(self) -> None:
        """Show where every entry stands now."""
        items = self.controller.shown()
        found = progress(items)
        self.model.show_rows(items)
        self.words.setText(str(found))
        self.bar.setMaximum(max(found.of, 1))
        self.bar.setValue(found.done)
        # Of a blinded list it is not to be seen whether repeats wait.
        self.offer.setEnabled(found.waiting > 0 or self.controller.worklist.is_blinded)
        self.done.setEnabled(self.controller.by is not None)

    def _unlock(self) -> None:
        """Unlock the chosen entry, else the one that is open."""
        rows = self.table.selected_rows()
        by = self._item(self.shown.index(rows[0], 0)).by if rows else self.controller.by
        reason = ask_reason(self, UNLOCK_QUESTION) if by else ""
        if by is not None and reason:
            self.controller.unlock(by, reason)

    def _offer(self) -> None:
        reason = ask_reason(self, "Why is a repeat reading started before its date?")
        if reason:
            self.controller.start_early(reason)


def _minutes(item: WorklistItem) -> str:
    return f"{item.seconds / SECONDS_A_MINUTE:.0f}" if item.seconds else ""


def _tip(item: WorklistItem) -> str:
    waits = item.state is ReadingState.WAITING
    return waiting_words(item) if waits else "Double-click to open"


class LockBanner(QFrame):
    """Stays over the window as long as what is open is locked.

    Parameters
    ----------
    annotator
        What is open.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        self.words = label(colour=Tone.WARNING)
        self.unlock = button("Unlock…", "Change this finished reading; the reason is recorded")
        give(self, framed=Tone.WARNING)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.unlock)
        self.unlock.clicked.connect(self._unlock)
        annotator.workspace.lock_changed.connect(self.refresh)
        annotator.workspace.opened.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show whether what is open is locked, and what can be done about that."""
        controller = self.annotator.worklist
        here = controller is not None and controller.has_open
        self.words.setText(f"{LOCKED} {HERE if here else ELSEWHERE}")
        self.unlock.setVisible(here)
        self.setVisible(self.annotator.workspace.is_locked)

    def _unlock(self) -> None:
        controller = self.annotator.worklist
        reason = ask_reason(self, UNLOCK_QUESTION)
        if controller is not None and controller.by is not None and reason:
            with reported(self.annotator.workspace.warning):
                controller.unlock(controller.by, reason)


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
