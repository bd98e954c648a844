"""What the hand can do beside drawing: tools, helpers, undo, the checklist, drafts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.data.roi_set import Reason
from napari_multifidus.controllers.canvas import DRAW, EDIT
from napari_multifidus.controllers.error_messages import told
from napari_multifidus.models import checklist, edit_operations
from napari_multifidus.models.edit_operations import DraftsTaken
from napari_multifidus.models.grid import view_of
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.models.strokes import Tool

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.controllers.canvas import Canvas
    from napari_multifidus.models.session import Session

NUDGE_PIXELS = 1.0

UP, DOWN, LEFT, RIGHT = (-1, 0), (1, 0), (0, -1), (0, 1)
"""Ways on the screen: down, right."""

DRAWING = frozenset({DRAW, Tool.FREEHAND, Tool.LIVEWIRE})
"""Tools that begin an outline; the one in hand draws whatever structure is taken next."""


class EditTools:
    """Buttons and keys that work on the structure in hand, on the slice shown.

    Parameters
    ----------
    annotator
        Whose exam it is; says what happened.
    """

    def __init__(self, annotator: Annotator) -> None:
        self.annotator = annotator
        self.drawing: str = DRAW

    @property
    def warning(self) -> Any:
        """Where to say what could not be done."""
        return self.annotator.warning

    def _open(self) -> tuple[Session, Canvas] | None:
        session, canvas = self.annotator.session, self.annotator.canvas
        return None if session is None or canvas is None else (session, canvas)

    def _active_structure(self) -> tuple[Session, Canvas, LayerKey, int] | None:
        """Return the structure in hand, with all that was drawn; says so where there is none."""
        found = self._open()
        if found is None:
            return None
        session, canvas = found
        canvas.pointer.finish()
        canvas.sync()
        if canvas.active is None:
            self.warning.emit("No structure is in hand: choose one first.")
            return None
        return session, canvas, canvas.active, canvas.index

    def _done(self, canvas: Canvas, *keys: LayerKey) -> None:
        for key in keys:
            canvas.layer(key)
            canvas.push(key)
        self.annotator.committed()

    # --- tools ---------------------------------------------------------------------------------

    def use(self, tool: str) -> None:
        """Take a tool in hand; one that draws is used for the next structures as well."""
        if tool in DRAWING:
            self.drawing = tool
        found = self._open()
        if found is None:
            return
        _, canvas = found
        if canvas.active is None:
            self.warning.emit("No structure is in hand: choose one first.")
            return
        canvas.activate(canvas.active, tool)
        self.annotator.selection_changed.emit()

    @property
    def tool(self) -> str:
        """Name of the tool in hand, as its button is named; empty where none draws."""
        canvas = self.annotator.canvas
        active = canvas.active if canvas is not None else None
        if canvas is None or active is None:
            return ""
        if canvas.pointer.tool is not None and canvas.pointer.key == active:
            return canvas.pointer.tool.value
        mode = str(canvas.layer(active).mode)
        return {DRAW: "polygon", EDIT: "edit"}.get(mode, "")

    def resize_brush(self, *, larger: bool) -> None:
        """Make the brush larger or smaller."""
        found = self._open()
        if found is not None:
            found[1].pointer.resize(larger=larger)

    # --- undo ----------------------------------------------------------------------------------

    @told
    def undo(self) -> None:
        """Take back the last corner of an outline in the making, else the last change."""
        found = self._open()
        if found is not None and not found[1].undo_corner():
            self._travel(back=True)

    @told
    def redo(self) -> None:
        """Do again what was taken back last."""
        self._travel(back=False)

    def _travel(self, *, back: bool) -> None:
        found = self._open()
        if found is None:
            return
        session, canvas = found
        canvas.sync()
        spots = session.undo() if back else session.redo()
        if spots is None:
            self.annotator.message.emit(f"Nothing to {'take back' if back else 'do again'}.")
            return
        canvas.redraw(spots)
        self.annotator.committed()
        self.annotator.selection_changed.emit()

    # --- helpers -------------------------------------------------------------------------------

    @told
    def copy_nearest(self) -> None:
        """Copy the structure in hand from the nearest slice that has it, unless this one does."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            edit_operations.copy_from_nearest(session, key, index)
            self._done(canvas, key)

    @told
    def copy_on(self) -> None:
        """Copy the structure in hand to the next slice, and go there."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            following = edit_operations.copy_on(session, key, index)
            self._done(canvas, key)
            canvas.go_to(following)

    @told
    def mirror(self) -> None:
        """Mirror the side that is drawn to the other."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            made, words = edit_operations.mirror(session, key, index)
            self._done(canvas, made)
            self.annotator.message.emit(words)

    @told
    def interpolate(self) -> None:
        """Interpolate the structure in hand between the nearest slices that have it."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            first, second = edit_operations.interpolate_here(session, key, index)
            self._done(canvas, key)
            self.annotator.message.emit(
                f"Interpolated {key.words} between slices {first + 1} and {second + 1}."
            )

    @told
    def smooth(self) -> None:
        """Smooth the structure in hand; its area stays."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            if edit_operations.smooth(session, key, index):
                self._done(canvas, key)

    @told
    def nudge(self, way: tuple[int, int], pixels: float = NUDGE_PIXELS) -> None:
        """Move the structure in hand; ``way`` is (down, right) on the screen."""
        if (found := self._active_structure()) is not None:
            session, canvas, key, index = found
            view = view_of(session.series.slices[0].plane)
            down = way[0] if view.down else -way[0]
            right = way[1] if view.right else -way[1]
            by = (right, down) if view.transposed else (down, right)
            if edit_operations.nudge(session, key, index, (by[0] * pixels, by[1] * pixels)):
                self._done(canvas, key)

    # --- checklist -----------------------------------------------------------------------------

    def next_missing(self) -> None:
        """Go to the next outline that is missing, and take it in hand to draw."""
        found = self._open()
        if found is None:
            return
        session, canvas = found
        canvas.pointer.finish()
        canvas.sync()
        after = (canvas.active, canvas.index) if canvas.active is not None else None
        spot = checklist.next_missing(session.analysis, after)
        if spot is not None:
            canvas.go_to(spot[1])
            self.annotator.draw(spot[0])
        elif any(
            session.analysis.level_of(index)[0] for index in range(len(session.series.slices))
        ):
            self.annotator.message.emit("Nothing is missing: every structure is outlined.")
        else:
            self.warning.emit(
                "No slice has a level yet, so nothing can be missing. Say levels first."
            )

    @told
    def not_measurable(self, reason: Reason | None, note: str = "") -> None:
        """Say why the structure in hand cannot be measured at this level; None takes it back."""
        if (found := self._active_structure()) is not None:
            session, _, key, index = found
            if session.set_not_measurable(key, index, reason, note):
                level = session.analysis.level_of(index)[0]
                why = (
                    f"not measurable: {reason.value.replace('_', ' ')}" if reason else "measurable"
                )
                self.annotator.committed()
                self.annotator.message.emit(f"{key.words} at {level} is {why}.")

    # --- drafts --------------------------------------------------------------------------------

    @told
    def take_drafts(self, path: Path, labels: str | None = None) -> DraftsTaken | None:
        """Take the outlines of a file, or of a label map, as drafts where nothing is drawn."""
        found = self._open()
        if found is None:
            return None
        self.annotator.refuse_if_blinded()
        session, canvas = found
        canvas.sync()
        taken = edit_operations.take_drafts(session, path, labels)
        if taken.taken:
            self._done(canvas, *session.drawing.layer_keys())
        self.annotator.message.emit(taken.words)
        return taken
