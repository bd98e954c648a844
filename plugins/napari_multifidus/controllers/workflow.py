"""The way through a reading: which step comes next, and what goes there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_multifidus.controllers.canvas import EDIT
from napari_multifidus.controllers.edit_tools import EditTools
from napari_multifidus.controllers.entries import Entries
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models import checklist, workflow
from napari_multifidus.models.shapes import LEAN
from napari_multifidus.models.workflow import KEY_OF, StepName, WorkflowStep

if TYPE_CHECKING:
    from napari_multifidus.models.drawing import StructureOnSlice
    from napari_multifidus.models.shapes import LayerKey


class Workflow:
    """Goes from step to step of the reading that is open.

    Parameters
    ----------
    workspace, edit_tools, entries
        What is open, and what the steps do.
    """

    def __init__(self, workspace: Workspace, edit_tools: EditTools, entries: Entries) -> None:
        self.workspace, self.edit_tools, self.entries = workspace, edit_tools, entries

    def steps(self) -> tuple[WorkflowStep, ...]:
        """Return the steps as they are now; none where no exam is open."""
        if not self.workspace.is_open:
            return ()
        return workflow.steps(self.workspace.session.analysis, self._here())

    def _here(self) -> StructureOnSlice | None:
        canvas = self.workspace.canvas
        return None if canvas.active is None else (canvas.active, canvas.index)

    def go_to(self, name: StepName) -> None:
        """Go to what a step asks for, and begin with it.

        Raises
        ------
        MultifidusError
            If no exam is open, or the reading is locked.
        """
        if name is StepName.LEVELS:
            self.entries.mark_levels()
        elif name is StepName.REFERENCES:
            analysis = self.workspace.session.analysis
            self.edit_tools.draw(workflow.next_reference(analysis) or LEAN)
        elif name in KEY_OF:
            self._draw(KEY_OF[name])

    def _draw(self, key: LayerKey) -> None:
        """Go to the next slice that lacks a structure; where none does, to that of this slice."""
        session, canvas = self.workspace.session, self.workspace.canvas
        canvas.leave()
        canvas.sync()
        here = (key, canvas.index)
        place = here if here in checklist.missing(session.analysis, (key,)) else None
        place = place or checklist.next_missing(session.analysis, here, (key,))
        if place is None:
            canvas.activate(key, EDIT)
            self.workspace.selection_changed.emit()
            return
        canvas.go_to(place[1])
        self.edit_tools.draw(key)
