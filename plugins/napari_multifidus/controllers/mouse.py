"""The mouse on a structure's layer, while one of the own tools of the plugin is active.

A press reaches a tool by way of its layer, so that panning comes first. Every move after it comes
from the :class:`~napari_multifidus.controllers.pointer.Pointer`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from multifidus.editing.livewire import Edges
from multifidus.errors import MultifidusError, RoiError
from napari_multifidus import _compat
from napari_multifidus.controllers.pointer import Pointer, PointerCallbacks
from napari_multifidus.controllers.sketch import Sketch
from napari_multifidus.controllers.structure_layer import LEFT_BUTTON, PAN_ZOOM
from napari_multifidus.models.canvas_map import CORNERS, CanvasMap
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.half_drawn import MINIMAL_PATH, HalfDrawn
from napari_multifidus.models.shapes import LayerKey
from napari_multifidus.models.strokes import (
    PAINTING,
    Stroke,
    StrokeContext,
    Tool,
    brush_outline,
    new_stroke,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]


RADIUS_MM = 3.0
RADIUS_STEP = 1.25
RADII_MM = (0.5, 25.0)

NOT_CLOSED = (
    "It is not closed: go on from its end and end with a double click, "
    "or press Enter to close it by a straight line; Ctrl+Z takes it back."
)

LIVE_S = 0.05
"""Numbers of an unfinished stroke are worked out at most this often."""


@dataclass(frozen=True, slots=True)
class StrokeCallbacks:
    """What strokes call.

    Attributes
    ----------
    made
        Called with a structure, a slice and its new paths.
    moved
        Called with a structure, a slice and its paths, while the hand moves; what it returns is
        not looked at.
    corner
        Called when a corner is set that would be lost with the window.
    left
        Called when an outline was left before it was closed, and waits for that.
    resumed
        Called when one that waited is gone on with.
    problem
        Called with what could not be done.
    """

    made: Callable[[LayerKey, int, Loops], None]
    moved: Callable[[LayerKey, int, Loops], object]
    corner: Callable[[], None]
    left: Callable[[], None]
    resumed: Callable[[], None]
    problem: Callable[[str], None]


class MouseStrokes:
    """Hands the mouse's way to a stroke, shows it, and hands over what comes of it.

    Parameters
    ----------
    viewer, session
        Where, and what is drawn.
    calls
        Whom to tell.
    """

    def __init__(self, viewer: Any, session: Session, calls: StrokeCallbacks) -> None:
        self._viewer, self._session, self._calls = viewer, session, calls
        self.tool: Tool | None = None
        self.key: LayerKey | None = None
        self.radius_mm = RADIUS_MM
        self._layer: Any = None
        self._pointer: Pointer | None = None
        self._sketch: Sketch | None = None
        self._stroke: Stroke | None = None
        self._index = 0
        self._measured_at = 0.0
        self._numbers = QTimer()
        self._numbers.setSingleShot(True)
        self._numbers.timeout.connect(self._measure)
        self._edges: tuple[int, Edges] | None = None

    # --- taking and dropping -------------------------------------------------------------------

    def take(self, key: LayerKey, layer: Any, tool: Tool) -> None:
        """Use a tool on the layer of a structure, which is the active one."""
        self.drop()
        self.key, self.tool, self._layer = key, tool, layer
        layer.mode = PAN_ZOOM
        layer.selected_data = set()
        layer.mouse_pan = False
        layer.mouse_drag_callbacks.append(self._drag)
        canvas = _compat.native_canvas(self._viewer)
        calls = PointerCallbacks(
            self._is_in_hand, self._frame, self._double_click, self._follow_canvas
        )
        self._pointer, self._sketch = Pointer(canvas, calls), Sketch(canvas, self._look)
        layer.events.mode.connect(self._mode_changed)
        self._viewer.layers.selection.events.active.connect(self._activated)
        layer.bind_key("Enter", self._enter, overwrite=True)
        layer.bind_key("Escape", self._escape, overwrite=True)

    def drop(self) -> None:
        """Let go of the tool; what is not closed waits for that."""
        if self._layer is None:
            return
        self.leave()
        layer, self._layer, self.tool, self.key = self._layer, None, None, None
        layer.events.mode.disconnect(self._mode_changed)
        layer.mouse_drag_callbacks.remove(self._drag)
        self._let_go_of_canvas()
        layer.bind_key("Enter", None, overwrite=True)
        layer.bind_key("Escape", None, overwrite=True)
        layer.mouse_pan = layer.mode == PAN_ZOOM

    def close(self) -> None:
        """Let go; what is unfinished stays so."""
        self._stroke = None
        # The window may be gone already: nothing is looked up or shown on it.
        self._let_go_of_canvas()
        self.drop()

    def _let_go_of_canvas(self) -> None:
        pointer, sketch = self._pointer, self._sketch
        self._pointer = self._sketch = None
        if pointer is not None and sketch is not None:
            self._viewer.layers.selection.events.active.disconnect(self._activated)
            pointer.close()
            sketch.hide()
            sketch.deleteLater()

    def resize(self, *, larger: bool) -> None:
        """Make the brush larger or smaller."""
        factor = RADIUS_STEP if larger else 1 / RADIUS_STEP
        self.radius_mm = float(np.clip(self.radius_mm * factor, *RADII_MM))

    def _activated(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Have the mouse as it is where another layer is the active one."""
        if self._pointer is not None:
            self._pointer.follow()

    def _mode_changed(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Leave the layer to napari, if one of its own tools is chosen."""
        if self._layer is not None and self._layer.mode != PAN_ZOOM:
            self.drop()

    # --- the stroke ----------------------------------------------------------------------------

    @property
    def unfinished(self) -> tuple[LayerKey, int, HalfDrawn] | None:
        """What is drawn and no outline yet; None where nothing is."""
        begun = self._stroke
        if begun is None or self.key is None or self.tool is None or not begun.corners:
            return None
        if self.tool in PAINTING:
            return None
        half = HalfDrawn(self.tool.value, begun.points, begun.corners[0], begun.presses)
        return self.key, self._index, half

    @property
    def has_begun(self) -> bool:
        """Whether a stroke is in hand, of a brush as well."""
        return self._stroke is not None and self._stroke.has_begun

    def resume(self, index: int) -> None:
        """Go on with what waits to be closed on a slice, if anything does."""
        self.leave()
        drawing = self._session.drawing
        if self.key is None or (self.key, index) not in drawing.half_drawn:
            return
        half = drawing.half_drawn[self.key, index]
        self.tool = half.goes_on_with
        self._stroke, self._index = half.stroke(self._context(index)), index
        self._session.change(with_half_drawn(drawing, (self.key, index), None))
        self._calls.resumed()
        if self._sketch is not None:
            # Dashed until the hand moves over it.
            self._sketch.show_paths(half.dashes(spacing_mm(self._session.series)))
        self._say_gaps()

    def point_at(self, at: tuple[float, float]) -> None:
        """Begin at a point of the canvas, where the hand has been before the tool was taken."""
        if self._pointer is not None:
            self._pointer.at = at

    def leave(self) -> None:
        """Go elsewhere: what is not closed waits for that, unmeasured; a brush has painted."""
        self._take_moves()
        begun = self.unfinished
        if begun is None or len(begun[2].path) < MINIMAL_PATH:
            self._finish()
            return
        key, index, half = begun
        self._stroke = None
        self._rest()
        self._session.change(with_half_drawn(self._session.drawing, (key, index), half))
        self._calls.left()

    def _finish(self, *, asked: bool = False) -> None:
        """End the unfinished stroke: it becomes an outline, or is given up for being short.

        Parameters
        ----------
        asked
            Whether the person has ended it. Then one that cannot become an outline stays in hand.
        """
        self._take_moves()
        made, self._stroke = self._stroke, None
        self._rest()
        if made is None or self.key is None:
            return
        try:
            loops = made.outcome() if made.corners else None
        except RoiError as error:
            self._calls.problem(str(error))
            if asked:
                self._stroke = made
                self._show()
            return
        if loops is not None:
            self._calls.made(self.key, self._index, loops)

    def undo_corner(self) -> bool:
        """Undo the last corner of an unfinished stroke; returns whether there was one."""
        if self._stroke is None or not self.has_begun:
            return False
        if not self._stroke.undo_corner():
            self._stroke = None
        self._show()
        self._calls.corner()
        return True

    def _begin(self, index: int) -> None:
        if self._stroke is not None and index == self._index:
            return
        self.leave()
        assert self.tool is not None  # noqa: S101 - take() set it
        if self.tool not in PAINTING:
            self.resume(index)
            if self._stroke is not None:
                return
        self._stroke, self._index = new_stroke(self.tool, self._context(index)), index

    def _context(self, index: int) -> StrokeContext:
        assert self.key is not None  # noqa: S101 - take() set it
        return StrokeContext(
            self._session.drawing.loops(self.key, index),
            self._session.series.slices[index].plane.pixel_spacing_mm,
            self.radius_mm,
            lambda: self._edges_of(index),
        )

    def _edges_of(self, index: int) -> Edges:
        if self._edges is None or self._edges[0] != index:
            image = self._session.series.slices[index]
            self._edges = index, Edges.of(image.pixels, image.plane.pixel_spacing_mm)
        return self._edges[1]

    # --- the mouse -----------------------------------------------------------------------------

    def _is_in_hand(self) -> bool:
        """Whether the mouse is the tool's: its layer is the active one."""
        return self._layer is not None and self._viewer.layers.selection.active == self._layer

    def _look(self) -> CanvasMap:
        """Find where the pixels of the slice shown lie on the canvas."""
        corners = [self._place(corner)[1] for corner in CORNERS]
        return CanvasMap.of(corners)

    def _place(self, point: tuple[float, float]) -> tuple[int, Array]:
        """Return the slice shown and the pixel (row, column) at a point of the canvas."""
        slice_at, *pixel = self._layer.world_to_data(_compat.world_at(self._viewer, point))
        last = len(self._session.series.slices) - 1
        return min(max(round(slice_at), 0), last), np.array(pixel, dtype=np.float64)

    def _drag(self, layer: Any, event: Any) -> Iterator[None]:  # noqa: ARG002 - napari passes it
        if event.button != LEFT_BUTTON or self._layer is None or self._pointer is None:
            return
        index, at = self._place(self._pointer.at)
        try:
            self._begin(index)
        except MultifidusError as error:
            self._calls.problem(str(error))
            return
        stroke = self._stroke
        if stroke is None:
            return
        stroke.press(at)
        self._pointer.record()
        self._pointer.tell()
        yield
        while event.type == "mouse_move" and self._stroke is stroke:
            yield
        if self._stroke is not stroke:
            return
        self._take_moves()
        self._pointer.stop()
        if stroke.release():
            self._finish()
        else:
            self._pointer.tell()
            self._calls.corner()
            self._say_gaps()

    def _say_gaps(self) -> None:
        if self._stroke is not None and self._stroke.gap_words:
            self._calls.problem(f"{self._stroke.gap_words} {NOT_CLOSED}")

    def _take_moves(self) -> None:
        """Hand the stroke what the hand has drawn since the last time."""
        if self._pointer is not None and self._pointer.is_recording:
            points = self._pointer.taken()
            if len(points) and self._stroke is not None:
                self._stroke.drag(*self._look().pixels(points))

    def _frame(self) -> None:
        """Follow the hand: show the stroke, and what it would measure."""
        if self._pointer is None:
            return
        if self._pointer.is_recording:
            self._take_moves()
            self._show()
            if not self._numbers.isActive():
                # Also where the hand rests then.
                left = self._measured_at + LIVE_S - time.perf_counter()
                self._numbers.start(max(0, round(left * 1000)))
            return
        index, at = self._place(self._pointer.at)
        if self._stroke is not None and index == self._index:
            self._stroke.hover(at)
        self._show()

    def _double_click(self) -> bool:
        """End a stroke of clicks; returns whether there was one."""
        clicked = self.has_begun
        self._finish(asked=True)
        return clicked

    def _enter(self, layer: Any) -> None:  # noqa: ARG002 - napari passes it
        self._finish(asked=True)

    def _escape(self, layer: Any) -> None:  # noqa: ARG002 - napari passes it
        self._stroke = None
        self._rest()
        self._calls.corner()

    def _rest(self) -> None:
        """Record no more, and show no stroke."""
        self._numbers.stop()
        if self._pointer is not None:
            self._pointer.stop()
        self._show()

    def _measure(self) -> None:
        """Tell what the stroke would measure."""
        if self._stroke is None or self.key is None:
            return
        try:
            loops = self._stroke.outcome()
        except RoiError:
            return
        if loops:
            self._calls.moved(self.key, self._index, loops)
        self._measured_at = time.perf_counter()

    # --- showing -------------------------------------------------------------------------------

    def _show(self) -> None:
        if self._sketch is None:
            return
        paths: Loops = () if self._stroke is None else self._stroke.trace
        if not paths and self._pointer is not None and self.tool in {Tool.BRUSH, Tool.ERASER}:
            at = self._place(self._pointer.at)[1]
            paths = brush_outline(at, self.radius_mm, spacing_mm(self._session.series))
        self._sketch.show_paths(paths)

    def _follow_canvas(self) -> None:
        """Paint the stroke again where the image has moved below it."""
        if self._sketch is not None:
            self._sketch.follow()
