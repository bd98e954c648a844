"""Panels around the numbers: grades, protocol, pictures, help; layout and wiring."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QSettings
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QTabWidget, QVBoxLayout, QWidget

from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.reported_errors import reporting
from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.views.grades import GradesPanel
from napari_multifidus.views.help import HelpPanel, TourPanel, TourStep, is_first_run, remember_tour
from napari_multifidus.views.protocol import ProtocolPanel


def tour_steps(dock: Any) -> tuple[TourStep, ...]:
    """Return the steps of the tour of a window."""
    return (
        TourStep(
            "where you are",
            "The keys . and , go from slice to slice. Say here which level a slice shows, unless "
            "landmarks on the sagittal image have said it; M sets them.",
            lambda: dock.place,
        ),
        TourStep(
            "draw and mend",
            "Q draws the right multifidus and W the left one: click around the muscle and end with "
            "a double click. J moves the points. Ctrl+Z takes back whatever you did last.",
            lambda: dock.tools,
        ),
        TourStep(
            "numbers while you draw",
            "Area, fat and their standard uncertainty follow your hand. Amber words are doubts: "
            "rest the mouse on one to read what it means and what to do. The histogram has a line "
            "where fat begins; Shift+F shows fat on the image.",
            lambda: dock.numbers,
        ),
        TourStep(
            "grades",
            "Grade both sides of the level by buttons, or press Shift+Q and then digits.",
            lambda: dock.more.grades,
        ),
        TourStep(
            "everything you drew",
            "One line an outline. A click goes there, a heading sorts, Ctrl+C copies for a "
            "spreadsheet.",
            lambda: dock.table,
        ),
        TourStep(
            "nothing is lost",
            "All is saved by itself within a second; this line always says what is saved and "
            "where.",
            lambda: dock.status,
        ),
        TourStep(
            "measure",
            "Measure… writes the tables that the command line writes, byte for byte. That is all: "
            "drag a point of an outline of this sample and watch the numbers.",
            lambda: dock.measure,
        ),
    )


class FeedbackTabs(QObject):
    """What the window has besides drawing: grades, protocol, pictures, help.

    Parameters
    ----------
    dock
        The window that it belongs to.
    settings
        Returns what is remembered between exams.
    """

    def __init__(self, dock: Any, settings: Callable[[], QSettings]) -> None:
        super().__init__(dock)
        self.dock, self._settings = dock, settings
        self.annotator: Annotator = dock.annotator
        self.grades, self.protocol, self.help = GradesPanel(), ProtocolPanel(), HelpPanel()
        self.pictures = QPushButton("Pictures…")
        self.pictures.setToolTip("Write a picture of every measured slice; none is opened")
        self.grades.keys.setToolTip(keys.tip("grade"))
        self.tour = TourPanel(tour_steps(dock))
        self.tabs = self._tabs()
        self._wire()

    def _tabs(self) -> QTabWidget:
        """Lay out what is not in sight all the time."""
        dock, tabs = self.dock, QTabWidget()
        for title, tip, parts in (
            ("Results", "Everything drawn", (dock.table, self._outputs())),
            ("Grades", "Visual grades of the level in hand", (self.grades,)),
            ("Reading", "Who reads, and by which protocol", (dock.reading, self.protocol)),
            ("Help", "A tour, and every key", (self.help,)),
        ):
            page = QWidget()
            layout = QVBoxLayout(page)
            layout.setContentsMargins(4, 6, 4, 4)
            for part in parts:
                layout.addWidget(part)
            if dock.table not in parts:
                layout.addStretch(1)
            tabs.setTabToolTip(tabs.addTab(page, title), tip)
        return tabs

    def _outputs(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.dock.measure, 2)
        layout.addWidget(self.pictures, 1)
        return row

    def _wire(self) -> None:
        annotator, grading, outputs = self.annotator, self.annotator.grading, self.annotator.outputs
        workspace = annotator.workspace
        report = partial(reporting, workspace.warning)
        workspace.opened.connect(self._opened)
        workspace.selection_changed.connect(self.show_grades)
        workspace.changed.connect(self.show_grades)
        grading.changed.connect(self.show_grades)
        annotator.feedback.previewed.connect(self._show_preview)
        outputs.protocol_changed.connect(self._show_protocol)
        self.grades.graded.connect(report(grading.grade))
        self.grades.scheme_said.connect(grading.set_scheme)
        self.grades.keys_wanted.connect(report(grading.toggle))
        self.protocol.wanted.connect(report(outputs.choose_protocol))
        self.pictures.clicked.connect(report(lambda _: self._write_pictures()))
        self.help.tour_wanted.connect(self.tour.start)
        self.tour.ended.connect(self._remember_tour)

    def _opened(self) -> None:
        self.show_grades()
        workspace = self.annotator.workspace
        is_sample = workspace.is_open and workspace.active.source.is_sample
        if is_sample and is_first_run(self._settings()):
            self.tour.start()

    def _remember_tour(self) -> None:
        remember_tour(self._settings())

    def _show_preview(self, key: LayerKey | None, preview: OutlinePreview | None) -> None:
        self.dock.numbers.histogram.show_preview(key, preview)

    def _show_protocol(self) -> None:
        outputs = self.annotator.outputs
        self.protocol.show_protocol(outputs.protocol_name, outputs.workspace.protocol)

    def show_grades(self) -> None:
        """Show the grades of the level in hand."""
        workspace, grading = self.annotator.workspace, self.annotator.grading
        level = grading.level
        grades = workspace.session.drawing.own_grades if workspace.is_open else {}
        self.grades.show_grades(grading.scheme, level, grades)
        self.grades.show_mode(on=grading.is_on)
        for side, panel in self.dock.numbers.sides.items():
            found = [
                f"{scheme.capitalize()} {value}"
                for (scheme, graded, of), value in grades.items()
                if (graded, of) == (level, side)
            ]
            panel.show_grades(", ".join(found))

    def _write_pictures(self) -> None:
        start = self.annotator.workspace.first_folder
        chosen = QFileDialog.getExistingDirectory(self.dock, "Folder for the pictures", start)
        if chosen:
            self.annotator.outputs.pictures_into(Path(chosen))
