"""The list of exams that were found in one place, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.views.widgets import button, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.exams import Exams
    from napari_multifidus.models.opening import ExamOnDisk

HEADERS = ("Exam", "Subject", "Date", "Series")
MOST_ROWS = 6


class ExamsPanel(QWidget):
    """Exams by folder, or by neutral number, in days since the first; no calendar dates.

    Parameters
    ----------
    exams
        What is offered.
    """

    def __init__(self, exams: Exams) -> None:
        super().__init__()
        self.exams = exams
        self.words = label()
        self.open = button("Open", "Open the selected exam ( Enter, or double-click )")
        self.hide_list = button("Hide", "Close this list; open the folder again to show it")
        self.list = QTreeWidget()
        self._lay_out()
        self.open.clicked.connect(self._open)
        self.list.itemActivated.connect(lambda *_: self._open())
        self.hide_list.clicked.connect(lambda: exams.offer(()))
        exams.changed.connect(self.refresh)
        self.refresh()

    def _lay_out(self) -> None:
        self.list.setHeaderLabels(list(HEADERS))
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        head = self.list.header()
        if head is not None:
            head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        buttons = QHBoxLayout()
        buttons.addWidget(self.words, 1)
        buttons.addWidget(self.open)
        buttons.addWidget(self.hide_list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(buttons)
        layout.addWidget(self.list)

    def refresh(self) -> None:
        """Show what is offered now; nothing where there is no choice."""
        found = self.exams.found
        self.setVisible(bool(found))
        self.words.setText(f"{len(found)} exams found: open one.")
        self.list.clear()
        for exam in found:
            item = QTreeWidgetItem(list(self._cells(exam)))
            item.setToolTip(0, "Double-click to open")
            item.setTextAlignment(3, Qt.AlignmentFlag.AlignCenter)
            self.list.addTopLevelItem(item)
        chosen = self.exams.chosen
        self.list.setCurrentItem(self.list.topLevelItem(found.index(chosen) if chosen else 0))
        rows = min(len(found), MOST_ROWS) * max(self.list.sizeHintForRow(0), 1)
        head = self.list.header()
        self.list.setFixedHeight(rows + (head.sizeHint().height() if head is not None else 0) + 6)

    def _cells(self, found: ExamOnDisk) -> tuple[str, str, str, str]:
        mark = "▶ " if found is self.exams.chosen else ""
        exam = found.exam
        # In a folder of its own it will be opened under the numbers that it has there.
        name = exam.timepoint if found.own is None else found.own.name
        return f"{mark}{name}", exam.subject, _when(found.days), str(len(exam.series))

    def _open(self) -> None:
        item = self.list.currentItem()
        if item is not None:
            with reported(self.exams.workspace.warning):
                self.exams.open(self.exams.found[self.list.indexOfTopLevelItem(item)])


def _when(days: int | None) -> str:
    if days is None:
        return "no date"
    return "first exam" if days == 0 else f"+{days} days"
