"""The layers of a session in a viewer: what is drawn there goes to the session, and back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from multifidus.data.polygon import MINIMAL_POINTS
from multifidus.errors import RoiError
from napari_multifidus import _compat
from napari_multifidus.controllers.after_event import AfterEvent
from napari_multifidus.controllers.canvas_callbacks import CanvasCallbacks
from napari_multifidus.controllers.canvas_texts import (
    FittedTexts,
    is_upright,
    show_lock,
    show_slice,
    show_upright,
    turning_events,
)
from napari_multifidus.controllers.in_hand import InHand
from napari_multifidus.controllers.lines import Lines
from napari_multifidus.controllers.marks import Marks
from napari_multifidus.controllers.motion import Motion
from napari_multifidus.controllers.mouse import MouseStrokes, StrokeCallbacks
from napari_multifidus.controllers.structure_layer import (
    PAN_ZOOM,
    LayerCallbacks,
    StructureLayer,
    adding_layer,
)
from napari_multifidus.controllers.timers import single_shot
from napari_multifidus.models.edit_operations import put_layer
from napari_multifidus.models.half_drawn import HalfDrawn
from napari_multifidus.models.opening import METADATA
from napari_multifidus.models.redraw import DrawnOver
from napari_multifidus.models.session import LOCKED, UNLOCK, Session
from napari_multifidus.models.shapes import AXES, NEEDED_BY_MOST, LayerKey, by_slice
from napari_multifidus.models.strokes import PAINTING, Tool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SLICE_AXIS = -3
"""napari counts axes from the last one: slice, row, column."""

DRAW, EDIT = "add_polygon", "direct"
"""napari's names of its modes: click vertices, move vertices."""

DRAWING = frozenset({DRAW, Tool.FREEHAND, Tool.LIVEWIRE})
"""Tools that begin an outline; the last one used draws whatever structure is chosen next."""

_TOOLS = frozenset(Tool)

_BEGINNING = DRAWING | (_TOOLS - PAINTING)
"""Tools that make a path to be closed: they go on with one that waits for that."""


class Canvas:
    """The layers of one session.

    Parameters
    ----------
    viewer
        The napari viewer.
    session
        What is drawn.
    calls
        What to call.
    left
        Layers by structure that another canvas has left in the viewer.

    Attributes
    ----------
    in_hand, lines
        What is begun and not closed; how outlines are drawn.
    place
        The slice and the structure that were shown last while the viewer held the exam.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        calls: CanvasCallbacks,
        left: dict[LayerKey, Any] | None = None,
    ) -> None:
        self.viewer = viewer
        self.session = session
        self._calls = calls
        self._structures: dict[LayerKey, StructureLayer] = {}
        self.strokes = MouseStrokes(
            viewer,
            session,
            StrokeCallbacks(
                *(self._take_stroke, self._stroke_moved, calls.corner),
                *(self._left_unclosed, self.refresh, calls.problem),
            ),
        )
        self.in_hand = InHand(self.strokes, self._structures)
        self._marks, self._texts = Marks(viewer, session), FittedTexts(viewer)
        self._motion = Motion(self._is_busy, self.sync, calls.place)
        self._taking = AfterEvent()
        self._remember_soon = single_shot(0, self.remember)
        self._leave_soon = single_shot(0, self._leave_others)
        self._left_soon = single_shot(0, self._left_unclosed)
        self.lines = Lines(viewer, session, self._structures)
        self._resumes = True
        self.place: tuple[int, LayerKey | None] = (0, None)
        self._left = left if left is not None else {}
        # Another layer is added when its structure is chosen: it takes a tenth of a second.
        kept = (key for key in NEEDED_BY_MOST if key in self._left)
        for key in (*session.drawing.layer_keys(), *kept):
            self.layer(key)
        show_upright(viewer, session)
        viewer.dims.events.current_step.connect(self._stepped)
        for turned in turning_events(viewer):
            turned.connect(self._turned)
        viewer.layers.selection.events.active.connect(self._activated)
        viewer.layers.events.removed.connect(self._removed)
        self.refresh()

    def close(self) -> dict[LayerKey, Any]:
        """Let go of the layers and return them; the session keeps what was drawn."""
        self.strokes.close()
        self._marks.close()
        self.sync()
        self._remember_soon.stop()
        self._leave_soon.stop()
        self._left_soon.stop()
        self.lines.close()
        self.viewer.dims.events.current_step.disconnect(self._stepped)
        for turned in turning_events(self.viewer):
            turned.disconnect(self._turned)
        self.viewer.layers.selection.events.active.disconnect(self._activated)
        self.viewer.layers.events.removed.disconnect(self._removed)
        left = self.layers
        for own in self._structures.values():
            own.disconnect()
        self._structures.clear()
        self._texts.close()
        return left

    # --- where the person is -------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The slice that is shown."""
        steps = self.viewer.dims.current_step
        step = int(steps[SLICE_AXIS]) if len(steps) >= len(AXES) else 0
        return min(max(step, 0), len(self.session.series.slices) - 1)

    @property
    def active(self) -> LayerKey | None:
        """The active structure."""
        chosen = self.viewer.layers.selection.active
        return next((key for key, layer in self.layers.items() if layer == chosen), None)

    def go_to(self, index: int) -> None:
        """Show a slice."""
        last = len(self.session.series.slices) - 1
        axis = self.viewer.dims.ndim + SLICE_AXIS
        self.viewer.dims.set_current_step(axis, min(max(index, 0), last))

    def activate(self, key: LayerKey, mode: str) -> None:
        """Make a structure's layer the active one, in a mode of napari's or with a tool of ours."""
        self.leave()
        self.strokes.drop()
        if not is_upright(self.viewer, self.session):
            show_upright(self.viewer, self.session)
        layer = self.layer(key)
        if not layer.visible:
            layer.visible = True
        self.viewer.layers.selection.active = layer
        if self.session.locked and mode != PAN_ZOOM:
            self._calls.problem(f"{LOCKED} {UNLOCK}")
            mode = PAN_ZOOM
        half = self.session.drawing.half_drawn.get((key, self.index))
        if half is not None and mode in _BEGINNING:
            mode = half.goes_on_with
        if mode in _TOOLS:
            self.strokes.take(key, layer, Tool(mode))
            if half is not None and mode == half.goes_on_with:
                self.strokes.resume(self.index)
            return
        layer.mode = mode
        if mode == EDIT:
            here, drawn = self.index, self._structures[key].read()
            layer.selected_data = {shape.index for shape in drawn if shape.slice_index == here}

    @property
    def has_image(self) -> bool:
        """Whether the images that the session is about are still in the viewer."""
        found = (layer.metadata.get(METADATA) for layer in self.viewer.layers)
        return any(opened and opened.exam is self.session.exam for opened in found)

    def remember(self) -> None:
        """Note where the person is, unless the viewer is being emptied around us."""
        if self.has_image:
            self.place = (self.index, self.active or self.place[1])

    def _turned(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        if self.has_image:
            self.leave()
            self.refresh()

    def _stepped(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        if not self.has_image:
            return
        self.leave()
        self.sync()
        self.remember()
        self.refresh()
        if self._resumes:
            self._resume_here()
        self._calls.place()

    def _resume(self, key: LayerKey, at: tuple[float, float]) -> None:
        """Go on with what waits on the slice shown, where the button is pressed."""
        if (key, self.index) in self.session.drawing.half_drawn:
            self.activate(key, DRAW)
            self.strokes.point_at(at)

    def _resume_here(self) -> None:
        """Go on with what waits to be closed on the slice shown, if the hand is about to draw."""
        key = self.active
        if key is None or (key, self.index) not in self.session.drawing.half_drawn:
            return
        tool = self.strokes.tool if self.strokes.key == key else str(self.layer(key).mode)
        if tool in _BEGINNING:
            self.activate(key, str(tool))

    def _activated(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        # Not at once: a viewer that closes activates one layer after another.
        self._remember_soon.start()
        self._leave_soon.start()
        self._calls.place()

    def refresh(self) -> None:
        """Write the texts on the canvas again: a level or a protocol has changed."""
        show_slice(self.viewer, self.session, self.index)
        self._marks.show(self.index)

    # --- layers --------------------------------------------------------------------------------

    @property
    def layers(self) -> dict[LayerKey, Any]:
        """Napari's layer of every structure that has one."""
        return {key: own.layer for key, own in self._structures.items()}

    def layer(self, key: LayerKey) -> Any:
        """Return the layer of a structure; it is added if need be, and is not the active one."""
        if key not in self._structures:
            left = self._left.pop(key, None)
            layer = left if left in self.viewer.layers else None
            follow = self._moved, self._committed, self._left_soon.start, self._resume
            calls = LayerCallbacks(*follow)
            with adding_layer(self.viewer):
                own = StructureLayer(self.viewer, self.session, key, calls, layer=layer)
            self._structures[key] = own
            self.lines.show_on(own)
        return self._structures[key].layer

    def push(self, key: LayerKey) -> None:
        """Show what the session holds of a structure."""
        self.layer(key)
        self._structures[key].push()
        self._marks.show(self.index)

    def redraw(self, places: Iterable[tuple[LayerKey, int]]) -> None:
        """Show what the session holds at some places, and go to one of them if none is shown."""
        places = list(places)
        for key in dict.fromkeys(key for key, _ in places):
            self.push(key)
        if places and self.index not in {index for _, index in places}:
            # To go on there with what waits would be a change of its own.
            self._resumes = False
            self.go_to(min(index for _, index in places))
            self._resumes = True
        self.refresh()

    def show_lock(self) -> None:
        """Let the layers be edited, or only looked at, and say so on the image."""
        locked = self.session.locked
        if locked:
            self.strokes.drop()
        for layer in self.layers.values():
            layer.editable = not locked
        show_lock(self.viewer, locked=locked)

    def _removed(self, event: Any) -> None:
        """Keep the outlines of a layer that was removed; its button brings the layer back."""
        for key, own in list(self._structures.items()):
            if own.layer == event.value:
                if self.strokes.key == key:
                    self.strokes.drop()
                own.leave()
                own.disconnect()
                del self._structures[key]
                self._left_soon.start()
                self._calls.place()

    # --- from layers to the session ------------------------------------------------------------

    def sync(self) -> bool:
        """Take over all that is drawn and finished; report, and return, whether it changed."""
        self._motion.stop()
        self._taking.now()
        still = [own for own in self._structures.values() if not own.is_drawing]
        if changed := any([self._pull(own) for own in still]):  # noqa: C419 - all are pulled
            self._commit()
        for own in still:
            if own.has_other_kinds:
                own.push()
        return changed

    def _commit(self) -> None:
        self._motion.end()
        self._calls.commit()

    def _pull(self, own: StructureLayer) -> bool:
        """Take over what a layer shows; returns whether it changed."""
        if own.is_settled:
            return False
        drawn = own.read()
        if self.session.locked:
            if not own.shows_session(drawn):
                own.push()
                self._calls.problem(f"{LOCKED} {UNLOCK}")
            own.settle()
            return False
        # What a shape on no slice was an outline of is kept, until it is drawn anew or deleted.
        kept = {index for shape in drawn for index in shape.across}
        changed = put_layer(self.session, own.key, by_slice(drawn), kept)
        own.mark_problems(drawn)
        if not own.has_other_kinds:
            own.settle()
        if changed:
            self._marks.show(self.index)
        return changed

    def _is_busy(self) -> bool:
        return bool(self.in_hand) or any(map(_compat.is_held, self.layers.values()))

    def _moved(self, key: LayerKey) -> None:
        """Follow every motion of the mouse: numbers of the slice shown, and its red edge."""
        own, index = self._structures[key], self.index
        if own.takes_corner():
            # A long outline is not lost with the window.
            self._calls.corner()
        loops = own.moved_on(index)
        if loops is not None:
            self._motion.wait()
            may_be_outline = bool(loops) and min(map(len, loops)) >= MINIMAL_POINTS
            own.mark_moved(good=may_be_outline and self._stroke_moved(key, index, loops))

    def _committed(self, key: LayerKey, *, added: bool) -> None:
        own, index = self._structures[key], self.index
        if added and not self.session.locked:
            loops = tuple(by_slice(own.read_slice(index)).get(index, ()))
            if self._drawn_over(key, index, loops) is not None:
                # napari is not done with the shape yet.
                self._taking.do(partial(self._take_stroke, key, index, loops))
                return
        was = self.session.drawing.loops(key, index)
        if self._pull(own) or self.shapes_off_slice():
            self._commit()
            self._closed(key, index, was=was if added else None)
        if own.has_other_kinds:
            self._motion.wait()

    def _drawn_over(self, key: LayerKey, index: int, loops: tuple[Array, ...]) -> DrawnOver | None:
        """Say whether a path was added over others; tools of ours that change outlines add none."""
        tool, before = self.strokes.tool, self.session.drawing.loops(key, index)
        if tool not in (None, *DRAWING):
            return None
        spacing = self.session.series.slices[index].plane.pixel_spacing_mm
        return DrawnOver.found((key, index), before, loops, spacing, is_closed=tool is None)

    def _closed(self, key: LayerKey, index: int, *, was: tuple[Array, ...] | None) -> None:
        """Say that an outline was drawn where none was."""
        if was == () and (key, index) in self.session.drawing.outlines:
            self._calls.closed(key, index)

    def shapes_off_slice(self) -> list[str]:
        """Say which shapes lie on no slice; they are kept nowhere but in their layer."""
        return [
            f"{key.words}: a shape {shape.problem}; it is not saved"
            for key, own in self._structures.items()
            for shape in own.read()
            if shape.problem
        ]

    # --- outlines that are not finished --------------------------------------------------------

    def _take_stroke(self, key: LayerKey, index: int, loops: tuple[Array, ...]) -> None:
        """Take over what a tool made."""
        was, over = self.session.drawing.loops(key, index), self._drawn_over(key, index, loops)
        done = loops if over is None else self._calls.drawn_over(over)
        changed = self.session.put(key, index, done)
        self.push(key)
        if changed:
            self._commit()
            self._closed(key, index, was=was)

    def leave(self) -> None:
        """Go elsewhere: what is not closed waits for that, unmeasured."""
        self.strokes.leave()
        self._taking.now()
        for layer in self.layers.values():
            _compat.let_go(layer)
        if self.in_hand.leave():
            self._left_unclosed()

    def _leave_others(self) -> None:
        if self.has_image and self.in_hand.leave_others(self.viewer.layers.selection.active):
            self._left_unclosed()

    def _left_unclosed(self) -> None:
        self._left_soon.stop()
        self.refresh()
        self._commit()

    def _stroke_moved(self, key: LayerKey, index: int, loops: tuple[Array, ...]) -> bool:
        """Show what paths measure in motion; returns whether they are known to be an outline."""
        over = self._drawn_over(key, index, loops)
        if over is not None:
            with contextlib.suppress(RoiError):
                loops = over.outcome(over.choice(self._calls.usual_redraw()))
        preview = self.session.analysis.preview(key, index, loops)
        self._motion.show()
        self._calls.motion(key, index, preview)
        return over is None and not preview.numbers.problem

    def unfinished(self) -> list[tuple[LayerKey, int, HalfDrawn]]:
        """List what is drawn and not closed, in the hand or waiting: structure, slice, path."""
        waiting = [(*where, half) for where, half in self.session.drawing.half_drawn.items()]
        return [*self.in_hand.begun(), *waiting]
