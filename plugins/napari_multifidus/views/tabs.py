"""Panels around the numbers: grades, protocol, pictures, help; layout and wiring."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, QSettings
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.reported_errors import reporting
from napari_multifidus.views.dixon import DixonPanel
from napari_multifidus.views.grades import GradesPanel
from napari_multifidus.views.help import HelpPanel, TourPanel, TourStep, is_first_run, remember_tour
from napari_multifidus.views.image_controls import ImageControls
from napari_multifidus.views.reading import ProtocolPanel
from napari_multifidus.views.style import MARGIN
from napari_multifidus.views.widgets import button, only_deliberate

RESULTS = "Results"


def tour_steps(dock: Any) -> tuple[TourStep, ...]:
    """Return the steps of the tour of a window."""
    return (
        TourStep(
            "Slices and levels",
            "Full stop (.) goes to the next slice, comma (,) to the one before. Choose its level "
            "here, unless landmarks on the sagittal image give it; M marks them.",
            lambda: dock.slice_level,
        ),
        TourStep(
            "Drawing and editing",
            "Q draws the right multifidus and W the left one: click around the muscle and end with "
            "a double click. J moves vertices. Ctrl+Z undoes the last change.",
            lambda: dock.tools,
        ),
        TourStep(
            "Live measurements",
            "Area, fat and their standard uncertainty are updated while you draw. Amber words are "
            "quality flags: rest the mouse on one to read what it means and what to do. The line "
            "in the histogram is the fat threshold; Shift+F highlights fat on the image.",
            lambda: dock.numbers,
        ),
        TourStep(
            "Visual grades",
            "Grade both sides of the level with the buttons, or press Shift+Q and then digits.",
            lambda: dock.feedback.grades,
        ),
        TourStep(
            "All outlines",
            "One line for each outline. Click a line to go there, click a heading to sort, press "
            "Ctrl+C to copy for a spreadsheet.",
            lambda: dock.table,
        ),
        TourStep(
            "Autosave",
            "Every change is saved within a second; this line shows what is saved and where.",
            lambda: dock.status,
        ),
        TourStep(
            "Measure",
            "Measure… writes the same tables as the command line. The line over the window says "
            "what to do next, each step a click away.",
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
        self.pictures = button(
            "Pictures…", "Write a picture of every measured slice to a folder; none is opened"
        )
        self.image, self.dixon = ImageControls(dock.annotator), DixonPanel(dock.annotator)
        self.grades.keys.setToolTip(keys.tip("grade"))
        self.tour = TourPanel(tour_steps(dock))
        self.tabs = self._tabs()
        self._wire()

    def _tabs(self) -> QTabWidget:
        """Lay out what is not in sight all the time."""
        dock, tabs = self.dock, QTabWidget()
        for title, tip, part in (
            (RESULTS, "All outlines and their measurements", dock.table),
            ("Grades", "Visual grades of the level shown", self.grades),
            (
                "Reading",
                "Rater, reading and measurement protocol",
                _beside(dock.reading, self.protocol),
            ),
            (
                "Image",
                "Grey levels, smoothness, the look of outlines, and the Dixon pair",
                _beside(self.image, self.dixon),
            ),
            ("Help", "Tour and keys", self.help),
        ):
            page = QWidget()
            layout = QVBoxLayout(page)
            layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
            layout.addWidget(part)
            if part is not dock.table:
                layout.addStretch(1)
            tabs.setTabToolTip(tabs.addTab(page, title), tip)
        # Kept, or Python forgets the bar and with it what listens to its wheel.
        self._bar = tabs.tabBar()
        if self._bar is not None:
            only_deliberate(self._bar)
        tabs.setCornerWidget(_beside(self.pictures, dock.measure))
        return tabs

    def _wire(self) -> None:
        annotator, grading, outputs = self.annotator, self.annotator.grading, self.annotator.outputs
        workspace = annotator.workspace
        report = partial(reporting, workspace.warning)
        workspace.opened.connect(self._opened)
        workspace.selection_changed.connect(self.show_grades)
        workspace.changed.connect(self.show_grades)
        workspace.grades_wanted.connect(self._show_grades_tab)
        grading.changed.connect(self.show_grades)
        annotator.feedback.previewed.connect(self.dock.numbers.histogram.show_preview)
        outputs.protocol_changed.connect(self._show_protocol)
        self.grades.graded.connect(report(grading.grade))
        self.grades.scheme_said.connect(grading.set_scheme)
        self.grades.keys_wanted.connect(report(grading.toggle))
        self.protocol.wanted.connect(report(outputs.choose_protocol))
        self.pictures.clicked.connect(report(lambda *_: self._write_pictures()))
        self.help.tour_wanted.connect(self.tour.start)
        self.tour.ended.connect(self._remember_tour)

    def _opened(self) -> None:
        self.show_grades()
        workspace = self.annotator.workspace
        if workspace.is_open and is_first_run(self._settings()):
            self.tour.start()

    def _show_grades_tab(self) -> None:
        self.tabs.setCurrentWidget(self.grades.parentWidget())
        self.dock.parts.show_results()

    def _remember_tour(self) -> None:
        remember_tour(self._settings())

    def _show_protocol(self) -> None:
        outputs = self.annotator.outputs
        self.protocol.show_protocol(outputs.protocol_name, outputs.workspace.protocol)

    def show_grades(self) -> None:
        """Show the grades of the level shown."""
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
        chosen = QFileDialog.getExistingDirectory(self.dock, "Folder for pictures", start)
        if chosen:
            self.annotator.outputs.pictures_into(Path(chosen))


def _beside(*parts: QWidget) -> QWidget:
    """Lay out parts beside each other."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in parts:
        layout.addWidget(part, 1)
    return row
