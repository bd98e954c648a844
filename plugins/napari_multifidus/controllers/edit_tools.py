"""Tools that draw and change outlines of the active structure on the slice shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from multifidus.data.slice_number import slice_number
from multifidus.errors import MultifidusError
from napari_multifidus.controllers.after_event import AfterEvent
from napari_multifidus.controllers.canvas import DRAW, DRAWING, EDIT
from napari_multifidus.controllers.structure_layer import PAN_ZOOM
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models import checklist, edit_operations
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.edit_operations import DraftsTaken
from napari_multifidus.models.grid import view_of
from napari_multifidus.models.redraw import Redraw
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.drawing import StructureOnSlice
    from napari_multifidus.models.session import Session

NUDGE_PIXELS = 1.0

IN_HAND = "Nothing is redone while an outline is in hand."
CLOSE_FIRST = "Close it with Enter, or discard it with Esc."

UP, DOWN, LEFT, RIGHT = (-1, 0), (1, 0), (0, -1), (0, 1)
"""Ways on the screen: down, right."""


Operation = Callable[["Session", LayerKey, int], bool]
"""What is done to a structure on a slice; returns whether an outline changed."""


class EditTools:
    """Buttons and keys that work on the active structure, on the slice shown.

    Parameters
    ----------
    workspace
        What is open. Every method raises a :class:`MultifidusError` if no exam is open, the
        reading is locked, or what is asked for cannot be done.

    Attributes
    ----------
    drawing
        The tool that draws whatever structure is chosen next.
    advances
        Whether the window goes on by itself after an outline of the checklist is closed.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.drawing: str = DRAW
        self.advances = True
        self._advancing = AfterEvent()
        workspace.outline_closed.connect(self._advance_soon)
        workspace.level_set.connect(self._begin)

    def _finished(self) -> tuple[Session, LayerKey, int]:
        """Return session, active structure and slice, once all that was drawn is taken over."""
        self._finished_strokes()
        return self.workspace.session, self.workspace.active_key, self.workspace.canvas.index

    def _finished_strokes(self) -> None:
        self.workspace.canvas.leave()
        self.workspace.canvas.sync()

    def _done(self, *keys: LayerKey) -> None:
        """Show structures that were changed, and end the change."""
        for key in keys:
            self.workspace.canvas.push(key)
        self.workspace.committed()

    # --- tools ---------------------------------------------------------------------------------

    def draw(self, key: LayerKey) -> None:
        """Start an outline of a structure on the slice shown."""
        self._activate(key, self.drawing)

    def edit(self) -> None:
        """Move the vertices of the active structure."""
        self._activate(self.workspace.active_key, EDIT)

    def use(self, tool: str) -> None:
        """Choose a tool; one that draws is used for the next structures as well."""
        if tool in DRAWING and tool != self.drawing and not self.workspace.is_locked:
            self.drawing = tool
            self.workspace.preferred.emit()
        self._activate(self.workspace.active_key, tool)

    def _activate(self, key: LayerKey, tool: str) -> None:
        self.workspace.canvas.activate(key, tool)
        self.workspace.selection_changed.emit()

    @property
    def tool(self) -> str:
        """Name of the active tool, as its button is named; empty where none draws."""
        canvas = self.workspace.canvas
        active = canvas.active
        if active is None:
            return ""
        if canvas.strokes.tool is not None and canvas.strokes.key == active:
            return canvas.strokes.tool.value
        mode = str(canvas.layer(active).mode)
        return {DRAW: "polygon", EDIT: "edit"}.get(mode, "")

    def resize_brush(self, *, larger: bool) -> None:
        """Make the brush larger or smaller."""
        self.workspace.canvas.strokes.resize(larger=larger)

    # --- undo ----------------------------------------------------------------------------------

    def undo(self) -> None:
        """Undo the last corner of an outline in the making, else the last change."""
        if not self.workspace.canvas.in_hand.undo_corner():
            self._travel(back=True)

    def redo(self) -> None:
        """Redo what was undone last; refused while an outline is in hand, which is newer."""
        if self.workspace.canvas.in_hand:
            raise MultifidusError(IN_HAND, remedy=CLOSE_FIRST)
        self._travel(back=False)

    def _travel(self, *, back: bool) -> None:
        session, canvas = self.workspace.session, self.workspace.canvas
        canvas.sync()
        changed = session.undo() if back else session.redo()
        if changed is None:
            self.workspace.message.emit(f"Nothing to {'undo' if back else 'redo'}.")
            return
        canvas.redraw(changed)
        self._take_in_hand({key for key, index in changed if index == canvas.index})
        self.workspace.committed()
        self.workspace.selection_changed.emit()

    def _take_in_hand(self, keys: set[LayerKey]) -> None:
        """Make one of the structures that were changed the active one; the tool stays."""
        canvas, active = self.workspace.canvas, self.workspace.canvas.active
        if not keys or active in keys:
            return
        key, mode = min(keys), PAN_ZOOM
        if active is not None:
            ours = canvas.strokes.tool if canvas.strokes.key == active else None
            mode = ours or str(canvas.layer(active).mode)
        # To go on with what is not closed would be a change of its own.
        waits = (key, canvas.index) in self.workspace.session.drawing.half_drawn
        canvas.activate(key, PAN_ZOOM if waits else mode)

    # --- operations ----------------------------------------------------------------------------

    def clear(self) -> None:
        """Delete the active structure from the slice shown."""
        session, key, index = self._finished()
        changed = session.change(with_half_drawn(session.drawing, (key, index), None))
        if session.put(key, index, ()) or changed:
            self._done(key)
            self.workspace.canvas.refresh()

    def change(self, operation: Operation) -> None:
        """Do something to the active structure on the slice shown, such as ``smooth``."""
        session, key, index = self._finished()
        if operation(session, key, index):
            self._done(key)

    def copy_on(self) -> None:
        """Copy the active structure to the next slice, and go there."""
        session, key, index = self._finished()
        following = edit_operations.copy_on(session, key, index)
        self._done(key)
        self.workspace.canvas.go_to(following)

    def mirror(self) -> None:
        """Mirror the side that is drawn to the other."""
        session, key, index = self._finished()
        made, words = edit_operations.mirror(session, key, index)
        self._done(made)
        self.workspace.message.emit(words)

    def swap_sides(self, places: Iterable[StructureOnSlice]) -> None:
        """Exchange the sides of structures on their slices, and say so."""
        self._finished_strokes()
        places = tuple(places)
        changed = edit_operations.swap_sides(self.workspace.session, places)
        self._done(*changed)
        slices = ", ".join(
            str(number) for number in sorted({slice_number(index) for _, index in places})
        )
        self.workspace.message.emit(f"Left and right are exchanged on slice {slices}.")
        self.workspace.selection_changed.emit()

    def interpolate(self) -> None:
        """Interpolate the active structure between the nearest slices that have it."""
        session, key, index = self._finished()
        first, second = edit_operations.interpolate_here(session, key, index)
        self._done(key)
        self.workspace.message.emit(
            f"Interpolated {key.words} between slices {slice_number(first)} and "
            f"{slice_number(second)}."
        )

    def redraw_as(self, choice: Redraw) -> None:
        """Make of what was drawn over an outline last something else, and do so from now on."""
        self._finished_strokes()
        over = self.workspace.redrawing.choose(choice, self.workspace.session)
        self.workspace.preferred.emit()
        self._done(over.key)

    def mend(self) -> None:
        """Mend what crosses itself on the slice shown, the active structure first."""
        self._finished_strokes()
        session, index = self.workspace.session, self.workspace.canvas.index
        crossed = [
            item.key
            for item in session.drawing.incomplete()
            if item.index == index and not item.is_half_drawn
        ]
        crossed.sort(key=lambda key: key != self.workspace.canvas.active)
        if not crossed:
            msg = "Nothing on this slice crosses itself."
            raise MultifidusError(msg, remedy="There is nothing to mend.")
        words = edit_operations.mend(session, crossed[0], index)
        self._done(crossed[0])
        self.workspace.message.emit(words)

    def nudge(self, way: tuple[int, int], pixels: float = NUDGE_PIXELS) -> None:
        """Move the active structure; ``way`` is (down, right) on the screen."""
        session, key, index = self._finished()
        view = view_of(session.series.slices[0].plane)
        down = way[0] if view.down else -way[0]
        right = way[1] if view.right else -way[1]
        by = (right, down) if view.transposed else (down, right)
        if edit_operations.nudge(session, key, index, (by[0] * pixels, by[1] * pixels)):
            self._done(key)

    def take_drafts(self, path: Path, labels: str | None = None) -> DraftsTaken:
        """Take the outlines of a file, or of a label map, as drafts where nothing is drawn."""
        session = self.workspace.session
        self.workspace.access.refuse_if_blinded("no other outlines can be loaded.")
        self.workspace.access.refuse_other_reading(path, session.drawing.reading)
        self._finished_strokes()
        taken = edit_operations.take_drafts(session, path, labels)
        if taken.taken:
            self._done(*session.drawing.layer_keys())
        self.workspace.message.emit(taken.words)
        return taken

    # --- checklist -----------------------------------------------------------------------------

    def toggle_advance(self) -> None:
        """Go on by itself after an outline is closed, or no longer."""
        self.advances = not self.advances
        self.workspace.preferred.emit()
        words = "goes on to what is missing" if self.advances else "stays where it is"
        self.workspace.message.emit(f"After an outline is closed, the window {words}.")

    def _advance_soon(self, key: LayerKey, index: int) -> None:
        """Go on once the mouse event that closed an outline is over, and before the next click."""
        if self.advances:
            session = self.workspace.session
            self._advancing.do(lambda: self._advance(session, (key, index)))

    def _begin(self, index: int) -> None:
        """Take what is missing on a slice in hand once its level is set, if the hand is free."""
        if not self.advances or self.tool:
            return
        analysis = self.workspace.session.analysis
        here = [key for key, missing_on in checklist.missing(analysis) if missing_on == index]
        if here:
            self.draw(here[0])

    def _advance(self, session: Session, closed: StructureOnSlice) -> None:
        """Go on to the other side, then to the next slice that the protocol wants.

        Whoever has gone elsewhere meanwhile, or opened another exam, stays there.
        """
        workspace = self.workspace
        if not workspace.is_open or workspace.session is not session or session.locked:
            return
        if (workspace.canvas.active, workspace.canvas.index) != closed:
            return
        found = checklist.following(session.analysis, closed)
        if found is not None:
            workspace.canvas.go_to(found[1])
            self.draw(found[0])

    def next_missing(self) -> None:
        """Go to the next outline that is missing, and begin to draw it."""
        session, canvas = self.workspace.session, self.workspace.canvas
        canvas.leave()
        canvas.sync()
        after = (canvas.active, canvas.index) if canvas.active is not None else None
        found = checklist.next_missing(session.analysis, after)
        if found is not None:
            canvas.go_to(found[1])
            self.draw(found[0])
        elif any(info.settled.level for info in session.analysis.slice_levels):
            self.workspace.message.emit("Nothing is missing: every structure is outlined.")
        else:
            msg = "No slice has a level yet, so nothing can be missing."
            raise MultifidusError(msg, remedy="Assign levels first.")
