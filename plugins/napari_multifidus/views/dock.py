"""The plugin's window: layout and wiring."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QCursor
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QInputDialog,
    QMessageBox,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from multifidus.errors import MultifidusError
from multifidus.io.labelmap import PRESETS
from multifidus.reading.session import SessionRequest, listed_for, open_worklist
from multifidus.study.results_folder import TABLE
from napari_multifidus import _compat
from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.canvas import EDIT
from napari_multifidus.controllers.exams import Exams
from napari_multifidus.controllers.reported_errors import reported, reporting
from napari_multifidus.models.grid import slice_words
from napari_multifidus.models.locator import NO_SAGITTAL
from napari_multifidus.models.sagittal import sagittal_series
from napari_multifidus.models.workflow import StepName
from napari_multifidus.views.banner import ObstacleBanner
from napari_multifidus.views.correction import CorrectionLine, connect
from napari_multifidus.views.exams import ExamsPanel
from napari_multifidus.views.focus import ImageFocus
from napari_multifidus.views.gate import GatePanel
from napari_multifidus.views.locator import LocatorPanel
from napari_multifidus.views.numbers import NumbersPanel
from napari_multifidus.views.outline_table import OutlineTablePanel
from napari_multifidus.views.preferences import Preferences, RaterSettings, settings
from napari_multifidus.views.reading import ReadingPanel
from napari_multifidus.views.side_panes import side_panes
from napari_multifidus.views.slice import ImagePanel, SliceLevelPanel
from napari_multifidus.views.status import StatusLine
from napari_multifidus.views.style import GAP, MARGIN, PANEL_WIDTH, Palette, follow_theme
from napari_multifidus.views.tabs import FeedbackTabs
from napari_multifidus.views.taking_over import TakeOverLine
from napari_multifidus.views.tools import ReasonMenu, ToolsPanel
from napari_multifidus.views.top_bar import TopBar, exam_label, hint_of
from napari_multifidus.views.widgets import button, choice
from napari_multifidus.views.window_parts import WindowParts
from napari_multifidus.views.worklist import LockBanner, read_worklist

if TYPE_CHECKING:
    from napari_multifidus.models.analysis import OutlineRow
    from napari_multifidus.models.preview import OutlinePreview
    from napari_multifidus.models.shapes import LayerKey

RATER = "rater"
BLIND = "Blind this reading: hide subjects, timepoints and other raters' outlines?"
NO_EXAM = "No exam is open"


class Dock(QWidget):
    """Outline muscles on the exam that is open, and see what they measure.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it by this name.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer = _compat.without_proxy(napari_viewer)
        self.annotator = Annotator(viewer, str(settings().value(RATER, "R1")))
        self.exam = exam_label(NO_EXAM)
        self.series = choice("Axial series that is outlined")
        self.slice_level, self.numbers, self.tools = SliceLevelPanel(), NumbersPanel(), ToolsPanel()
        self.table, self.status = OutlineTablePanel(), StatusLine()
        self.measure = button("Measure…", "Write measurements.csv, summary.csv and dictionary.json")
        self.reasons = ReasonMenu(self)
        self.workspace = self.annotator.workspace
        self.reading = ReadingPanel(self.workspace)
        kept = RaterSettings(self.workspace.rater)
        self.locator, self.image = LocatorPanel(kept), ImagePanel()
        self.preferences = Preferences(self.annotator, kept)
        self.exams = Exams(self.workspace, self.annotator.opener)
        self.exam_list = ExamsPanel(self.exams)
        self.feedback = FeedbackTabs(self, settings)
        self.lock = LockBanner(self.annotator)
        self.taking_over = TakeOverLine(self.annotator)
        # Both hide themselves, and are below what scrolls: what one works with does not move.
        self.obstacle, self.gate = ObstacleBanner(self.annotator), GatePanel(self.annotator)
        self.correction = CorrectionLine()
        self.focus = ImageFocus(self)
        self.workspace.opened.connect(self.focus.give_back_soon)
        # An axis that comes has a slider of its own.
        self.viewer.dims.events.ndim.connect(self._number_slices_soon)
        self.bar = TopBar(self.status, self.exam)
        self._window: QWidget | None = None
        self._lay_out()
        follow_theme(self, viewer)
        panels = self.bar, self.feedback.tabs, self.locator
        self.parts = WindowParts(
            viewer, *panels, panes=side_panes(self.annotator), preferences=kept
        )
        self._wire()
        self._show_steps()
        self._find_exam()

    def _lay_out(self) -> None:
        self.series.hide()
        self.tools.setToolTip(keys.help_text())
        inner = QWidget()
        layout = QVBoxLayout(inner)
        layout.setSpacing(GAP)
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        # What is needed for every slice first: on a low screen the rest scrolls.
        for part in (
            self.exam_list,
            self.series,
            self.slice_level,
            self.tools,
            self.correction,
            self.numbers,
            self.image,
        ):
            layout.addWidget(part)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidget(inner)
        scroll.setWidgetResizable(True)
        # A click on a button would give the keys to what it stands on.
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        outer = QVBoxLayout(self)
        # napari's title bar would cover the upper edge of what begins at the top.
        outer.setContentsMargins(0, GAP, 0, 0)
        outer.addWidget(self.lock)
        outer.addWidget(self.taking_over)
        outer.addWidget(scroll)
        outer.addWidget(self.obstacle)
        outer.addWidget(self.gate)
        outer.addWidget(self.feedback.tour)

    def wear(self, palette: Palette) -> None:
        """Be as wide as the letters of a theme ask for."""
        self.setMinimumWidth(palette.px(PANEL_WIDTH))

    def _wire(self) -> None:
        annotator, workspace = self.annotator, self.workspace
        report = partial(reporting, workspace.warning)
        workspace.opened.connect(self._show_all)
        workspace.opened.connect(self._locate_soon)
        workspace.selection_changed.connect(self._show_place)
        workspace.lock_changed.connect(self._show_lock)
        workspace.outline_moved.connect(self._show_motion)
        workspace.changed.connect(self._show_change)
        workspace.autosaver.saved.connect(self.status.show_saved)
        workspace.autosaver.unsaved.connect(self.status.show_unsaved)
        workspace.message.connect(self._show_message)
        workspace.warning.connect(self._show_warning)
        self.slice_level.stepped.connect(report(annotator.display.step))
        self.slice_level.level_said.connect(report(annotator.entries.set_level))
        self.slice_level.marking_wanted.connect(annotator.entries.mark_levels)
        workspace.marking_wanted.connect(self.mark_levels)
        self.image.image_wanted.connect(report(annotator.display.show_image))
        self.image.window_wanted.connect(report(annotator.display.set_window))
        self.locator.follow(annotator)
        connect(self.correction, self, report)
        self.bar.steps.wanted.connect(report(self._go_to_step))
        self.tools.draw_wanted.connect(report(annotator.edit_tools.draw))
        self.tools.acted.connect(report(self._act))
        self.tools.draft_wanted.connect(report(self._take_drafts))
        workspace.reason_wanted.connect(self._ask_reason)
        self.reasons.chosen.connect(report(annotator.entries.not_measurable))
        self.tools.clear_wanted.connect(report(annotator.edit_tools.clear))
        self.reading.rule_said.connect(report(annotator.entries.set_rule))
        self.reading.reading_said.connect(report(self._change_reading))
        self.reading.folder_wanted.connect(report(self._choose_folder))
        self.table.chosen.connect(report(self._go_to))
        self.measure.clicked.connect(report(lambda *_: self._measure()))
        self.series.activated.connect(report(lambda *_: self._choose_series()))
        self.viewer.layers.events.inserted.connect(self._find_exam_soon)
        self.viewer.layers.events.removed.connect(self._find_exam_soon)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(workspace.flush)
            application.aboutToQuit.connect(self._end_reading)

    # --- opening -------------------------------------------------------------------------------

    def _find_exam_soon(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Look for an exam once napari is done with the layer."""
        QTimer.singleShot(0, self._find_exam)

    def _find_exam(self) -> None:
        with reported(self.workspace.warning):
            self.annotator.opener.find_exam()

    def _number_slices_soon(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        QTimer.singleShot(0, self._number_slices)

    def _number_slices(self) -> None:
        """Leave the numbering of slices to the words on the image, while an exam is open."""
        _compat.show_slice_numbers(self.viewer, shown=not self.workspace.is_open)

    def open_locator(self) -> None:
        """Show the sagittal locator beside the image."""
        self.parts.show_locator()

    def _locate_soon(self) -> None:
        """Show the locator by itself, once napari is done with the layers."""
        QTimer.singleShot(0, self._locate)

    def _locate(self) -> None:
        model = self.locator.model
        if model is not None and model.state.series is not None and self.locator.parent() is None:
            self.open_locator()
        self.parts.follow_exam()

    def open_cohort(self, table: Path) -> None:
        """Ask who reads, and open their reading list of a cohort; it is made if need be.

        Raises
        ------
        MultifidusError
            If a list is open already, or the table or the list cannot be read.
        """
        self.workspace.access.refuse_other_exams_if_blinded()
        if self.annotator.worklist is not None:
            msg = "A reading list is open in this window."
            raise MultifidusError(msg, remedy="Open another one in a window of its own.")
        question = "Rater ID: initials or a code"
        said, sure = QInputDialog.getText(self, "multifidus", question, text=self.workspace.rater)
        if not sure or not said.strip():
            return
        rater = said.strip()
        listed = listed_for(table, rater)
        blind = listed.blinded if listed is not None else self._ask(BLIND)
        worklist = open_worklist(SessionRequest(table, rater, blind=blind))
        settings().setValue(RATER, rater)
        read_worklist(worklist, viewer=self.viewer)

    def _end_reading(self) -> None:
        """Close the entry of the reading list that is open: its log says when."""
        if self.annotator.worklist is not None:
            with reported(self.workspace.warning):
                self.annotator.worklist.close()

    def mark_levels(self) -> None:
        """Mark levels on the sagittal image, or read there why that cannot be."""
        self.open_locator()
        self.locator.start_marking()

    # --- showing -------------------------------------------------------------------------------

    def _show_all(self) -> None:
        workspace, file = self.workspace, self.workspace.file
        self._number_slices()
        if not workspace.is_open or file is None:
            self.exam.setText(NO_EXAM)
            self.table.show_lines(())
            # What was said of an exam says nothing of the next one.
            self.status.forget()
            self._show_steps()
            return
        session = workspace.session
        self.exam.setText(
            f"{session.drawing.reading.subject} · {session.drawing.reading.timepoint}"
        )
        self.reading.show_reading(session.drawing.reading, session.roi_rule, file.path)
        self.reading.hold(self.workspace.access.fixed)
        self._show_series()
        self.slice_level.show_note(
            "" if sagittal_series(session.exam, session.series) else NO_SAGITTAL
        )
        self._show_place()

    def _show_lock(self) -> None:
        """Leave buttons that change something at rest in a reading that is locked."""
        free = not self.workspace.is_locked
        for part in (self.tools, self.slice_level.level, self.slice_level.mark, self.reading.rule):
            part.setEnabled(free)
        self.feedback.grades.setEnabled(free)
        self.locator.refresh()
        self._show_place()

    def _show_series(self) -> None:
        found = self.annotator.opener.series_to_choose()
        self.series.clear()
        self.series.addItems(self.workspace.names_of(found))
        uids = [series.uid for series in found]
        if self.workspace.session.series.uid in uids:
            self.series.setCurrentIndex(uids.index(self.workspace.session.series.uid))
        self.series.setVisible(len(found) > 1)

    def _show_place(self) -> None:
        if not self.workspace.is_open:
            return
        session, canvas = self.workspace.session, self.workspace.canvas
        words = slice_words(session.series, canvas.index)
        self.image.show_images(self.annotator.display)
        self.slice_level.show_place(words, *session.analysis.level_of(canvas.index))
        if session.locked:
            self.slice_level.position.setEnabled(False)
        self._show_steps()
        self.tools.show_active(canvas.active, self.annotator.edit_tools.tool)
        self.numbers.follow(canvas.active)
        self._show_numbers()
        self.table.follow(canvas.index)

    def _show_numbers(self) -> None:
        analysis, index = self.workspace.session.analysis, self.workspace.canvas.index
        self.numbers.show_slice(analysis, index)
        self.table.show_lines(analysis.outline_rows)

    def _show_change(self) -> None:
        """Show what is measured now, and what is not and why."""
        left_out = self.workspace.session.drawing.not_measured()
        self.status.show_standing(f"Not measured: {'; '.join(left_out)}." if left_out else "")
        self._show_numbers()
        self._show_steps()

    def _show_steps(self) -> None:
        steps = self.annotator.workflow.steps()
        self.bar.steps.show_steps(steps)
        self.status.show_hint(hint_of(steps))

    def _show_motion(self, key: LayerKey, _index: int, preview: OutlinePreview) -> None:
        numbers = preview.numbers
        self.numbers.follow(key)
        self.numbers.show_numbers(key, numbers)
        if numbers.problem:
            self.status.show_standing(f"{key.words} {numbers.problem}")

    def _show_message(self, words: str) -> None:
        self.status.show_message(self.workspace.access.redact(words))

    def _show_warning(self, words: str) -> None:
        self.status.show_warning(self.workspace.access.redact(words))

    # --- asking --------------------------------------------------------------------------------

    def _go_to(self, line: OutlineRow) -> None:
        self.workspace.canvas.go_to(line.slice_index)
        self.workspace.canvas.activate(line.key, EDIT)

    def _go_to_step(self, name: StepName) -> None:
        if name is not StepName.DONE:
            self.annotator.workflow.go_to(name)
        elif self.annotator.worklist is not None:
            self.annotator.finish_and_next()
        else:
            self._measure()

    def _choose_series(self) -> None:
        chosen = self.annotator.opener.series_to_choose()[self.series.currentIndex()]
        self.annotator.opener.choose_series(chosen)

    def _act(self, name: str) -> None:
        keys.act(name, self.annotator)

    def _ask_reason(self) -> None:
        self.reasons.popup(QCursor.pos())

    def _take_drafts(self) -> None:
        if self.workspace.access.blinded:
            # Not even a dialog: it would list files by their names.
            self.annotator.edit_tools.take_drafts(Path())
            return
        chosen, _ = QFileDialog.getOpenFileName(self, "Outlines or label map to import as drafts")
        if not chosen:
            return
        labels = None
        if not chosen.endswith(".json"):
            words = "Label definitions"
            labels, sure = QInputDialog.getItem(self, "multifidus", words, list(PRESETS))
            if not sure:
                return
        self.annotator.edit_tools.take_drafts(Path(chosen), labels)

    def _change_reading(self, rater: str, number: int) -> None:
        """Change rater or reading, except between entries of a list; carry outlines if asked to."""
        opener, is_open = self.annotator.opener, self.workspace.is_open
        if not rater or (self.annotator.worklist is not None and not is_open):
            return
        carry = is_open and not opener.has_file_of(rater, number) and self._ask_to_copy(rater)
        settings().setValue(RATER, rater)
        opener.set_reading(rater, number, carry=carry)

    def _ask_to_copy(self, rater: str) -> bool:
        """Ask whether another rater goes on with what is drawn."""
        drawing = self.workspace.session.drawing
        before = drawing.reading.rater
        question = f"Copy the outlines of {before} to {rater}?"
        return rater != before and bool(drawing.layer_keys()) and self._ask(question)

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for outlines")
        if chosen:
            self.annotator.opener.set_folder(Path(chosen))

    def _measure(self) -> None:
        start = self.workspace.first_folder
        chosen = QFileDialog.getExistingDirectory(self, "Folder for tables", start)
        if not chosen:
            return
        folder = Path(chosen)
        exists = (folder / TABLE).exists()
        if exists and not self._ask(f"{folder} already holds tables. Replace them?"):
            return
        self.annotator.outputs.measure_into(folder, overwrite=exists)

    def _ask(self, question: str) -> bool:
        yes = QMessageBox.StandardButton.Yes
        return bool(QMessageBox.question(self, "multifidus", question) == yes)

    # --- closing -------------------------------------------------------------------------------

    def showEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Watch the window that this one is in, to save before it closes."""
        super().showEvent(event)
        window = self.window()
        if window is not self._window and window is not None:
            self._window = window
            window.installEventFilter(self)
            self.parts.furnish(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802 - Qt's
        """Save when the window closes."""
        if event is not None and event.type() == QEvent.Type.Close:
            self.workspace.flush()
        return bool(super().eventFilter(watched, event))

    def closeEvent(self, event: Any) -> None:  # noqa: N802 - Qt's
        """Save, and leave the viewer as it was found."""
        self.viewer.layers.events.inserted.disconnect(self._find_exam_soon)
        self.viewer.layers.events.removed.disconnect(self._find_exam_soon)
        self.annotator.opener.close()
        self.locator.leave()
        self.parts.leave()
        super().closeEvent(event)
        self.deleteLater()
