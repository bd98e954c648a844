"""The parts of the window that act on the exam that is open, and the keys that call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_multifidus._compat import Signal
from napari_multifidus.controllers import shortcuts
from napari_multifidus.controllers.canvas import EDIT
from napari_multifidus.controllers.display import Display, Panning
from napari_multifidus.controllers.dixon_choice import DixonChoice
from napari_multifidus.controllers.edit_tools import EditTools
from napari_multifidus.controllers.entries import Entries
from napari_multifidus.controllers.feedback import Feedback
from napari_multifidus.controllers.grading import Grading
from napari_multifidus.controllers.image_view import ImageView
from napari_multifidus.controllers.linked_views import LinkedViews
from napari_multifidus.controllers.opener import ExamOpener
from napari_multifidus.controllers.outputs import Outputs
from napari_multifidus.controllers.pointer import CloseClicks
from napari_multifidus.controllers.previous import PreviousExam
from napari_multifidus.controllers.structure_layer import PAN_ZOOM
from napari_multifidus.controllers.taking_over import TakingOver
from napari_multifidus.controllers.workflow import Workflow
from napari_multifidus.controllers.worklist import WorklistController, now
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.completeness import Kind, MissingItem
from napari_multifidus.models.obstacle import Mending

if TYPE_CHECKING:
    import datetime

    from multifidus.reading.worklist import Worklist


class Annotator(QObject):
    """One person outlining the exam that is open in a viewer.

    Parameters
    ----------
    viewer
        The napari viewer.
    rater
        Who outlines, until somebody says otherwise.

    Attributes
    ----------
    workspace
        What is open; its signals say what happens.
    opener, display, image_view, dixon, previous, linked_views
        What is shown, and how.
    edit_tools, entries, grading, feedback, outputs, taking_over, workflow
        What can be done with it.
    worklist
        The reading list that is open; None where there is none.
    gate_wanted
        Emitted when the entry of the list shall be finished, and something is missing or to be
        checked.
    """

    gate_wanted = Signal()

    def __init__(self, viewer: Any, rater: str = "R1") -> None:
        super().__init__()
        self.workspace = Workspace(viewer, rater)
        self.panning = Panning(viewer)
        self.close_clicks = CloseClicks(viewer)
        self.display = Display(self.workspace)
        self.image_view = ImageView(self.display)
        self.opener = ExamOpener(self.workspace, self.display)
        self.dixon = DixonChoice(self.workspace, self.opener)
        self.previous = PreviousExam(self.workspace)
        self.linked_views = LinkedViews(self.workspace)
        self.edit_tools = EditTools(self.workspace)
        self.entries = Entries(self.workspace)
        self.grading = Grading(self.workspace)
        self.feedback = Feedback(self.workspace)
        self.outputs = Outputs(self.workspace)
        self.taking_over = TakingOver(self.workspace)
        self.workflow = Workflow(self.workspace, self.edit_tools, self.entries)
        self.worklist: WorklistController | None = None
        self.workspace.opened.connect(self._follow)
        self.grading.digits_freed.connect(self._bind_keys)

    def _follow(self) -> None:
        """Listen to keys and mouse while an exam is open."""
        self._bind_keys()
        self.panning.stop()
        self.close_clicks.stop()
        if self.workspace.is_open:
            self.panning.start()
            self.close_clicks.start()

    def _bind_keys(self) -> None:
        viewer = self.workspace.viewer
        if self.workspace.is_open:
            shortcuts.bind(viewer, self, self.workspace.warning)
        else:
            shortcuts.unbind(viewer)

    # --- reading lists -------------------------------------------------------------------------

    def read(
        self, worklist: Worklist, clock: Callable[[], datetime.datetime] = now
    ) -> WorklistController:
        """Open a reading list, whose entries are then outlined one after another."""
        self.worklist = WorklistController(self.workspace, self.opener, worklist, clock)
        self.worklist.left.connect(self._forget_worklist)
        self.previous.read_from(self.worklist)
        self.worklist.gate_wanted.connect(self.gate_wanted)
        return self.worklist

    def _forget_worklist(self) -> None:
        self.previous.read_from(None)
        self.worklist = None

    def finish_and_next(self) -> None:
        """Finish this reading and open the next of the reading list; say first what is missing."""
        if self.worklist is None:
            words = "No reading list is open: open one with multifidus annotate cohort.csv."
            self.workspace.message.emit(words)
        else:
            self.worklist.ask_to_finish()

    # --- what is missing or wrong --------------------------------------------------------------

    def go_to(self, item: MissingItem) -> None:
        """Go to where something is missing, ready to add it."""
        canvas = self.workspace.canvas
        if item.slice_index is not None:
            canvas.go_to(item.slice_index)
        if item.kind in {Kind.LEVEL, Kind.EMPTY}:
            self.entries.mark_levels()
        elif item.key is None:
            if item.kind is Kind.UNMEASURABLE:
                self.mend()
        elif item.kind in {Kind.OUTLINE, Kind.REFERENCE} or self._waits(item):
            self.edit_tools.draw(item.key)
        else:
            canvas.activate(item.key, PAN_ZOOM if item.kind is Kind.GRADE else EDIT)
            self.workspace.selection_changed.emit()
            if item.kind is Kind.GRADE:
                self.workspace.grades_wanted.emit()

    def _waits(self, item: MissingItem) -> bool:
        """Whether an outline that is not closed is to be gone on with there."""
        begun = {(key, index) for key, index, _ in self.workspace.canvas.unfinished()}
        return item.kind is Kind.UNFINISHED and (item.key, item.slice_index) in begun

    def mend(self) -> None:
        """Mend what makes the reading unmeasurable, or a side doubtful, where a button can."""
        found = self.workspace.session.analysis.obstacle
        if found is None or found.mending is None:
            return
        if found.mending is Mending.MARK_LEVELS:
            self.entries.mark_levels()
        else:
            self.edit_tools.swap_sides(found.places)
