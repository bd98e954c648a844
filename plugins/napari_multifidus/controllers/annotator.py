"""The parts of the window that act on the exam that is open, and the keys that call them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from napari_multifidus.controllers import shortcuts
from napari_multifidus.controllers.display import Display, Panning
from napari_multifidus.controllers.edit_tools import EditTools
from napari_multifidus.controllers.entries import Entries, Grading
from napari_multifidus.controllers.feedback import Feedback
from napari_multifidus.controllers.opener import ExamOpener
from napari_multifidus.controllers.outputs import Outputs
from napari_multifidus.controllers.worklist import WorklistController, now
from napari_multifidus.controllers.workspace import Workspace

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
    opener, display, edit_tools, entries, grading, feedback, outputs
        What can be done with it.
    worklist
        The reading list that is open; None where there is none.
    """

    def __init__(self, viewer: Any, rater: str = "R1") -> None:
        super().__init__()
        self.workspace = Workspace(viewer, rater)
        self.panning = Panning(viewer)
        self.display = Display(self.workspace)
        self.opener = ExamOpener(self.workspace, self.display)
        self.edit_tools = EditTools(self.workspace)
        self.entries = Entries(self.workspace)
        self.grading = Grading(self.workspace)
        self.feedback = Feedback(self.workspace)
        self.outputs = Outputs(self.workspace)
        self.worklist: WorklistController | None = None
        self.workspace.opened.connect(self._follow)
        self.grading.digits_freed.connect(self._bind_keys)

    def _follow(self) -> None:
        """Listen to keys and mouse while an exam is open."""
        self._bind_keys()
        self.panning.stop()
        if self.workspace.is_open:
            self.panning.start()

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
        return self.worklist

    def _forget_worklist(self) -> None:
        self.worklist = None

    def finish_and_next(self) -> None:
        """Finish this reading and open the next of the reading list."""
        if self.worklist is None:
            words = "No reading list is open: open one with multifidus annotate cohort.csv."
            self.workspace.message.emit(words)
        else:
            self.worklist.finish_and_next()
