"""The layers of a session in a viewer: what is drawn there goes to the session, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QTimer

from multifidus.data.anatomy import Side
from multifidus.data.polygon import MINIMAL_POINTS, first_crossing
from napari_multifidus import _compat
from napari_multifidus.controllers.mouse import PAN_ZOOM, Pointer, StrokeCallbacks
from napari_multifidus.models.edit_operations import put_layer
from napari_multifidus.models.grid import slice_words, spacing_mm, view_of
from napari_multifidus.models.opening import METADATA
from napari_multifidus.models.preview import OutlinePreview
from napari_multifidus.models.session import LOCKED, UNLOCK, Session
from napari_multifidus.models.shapes import (
    AXES,
    EDGE_WIDTH,
    FIRST_LAYERS,
    PROBLEM_COLOUR,
    PROBLEM_EDGE_WIDTH,
    UNITS,
    LayerKey,
    LayerShape,
    by_slice,
    colour_of,
    face_of,
    problem_of,
    read_shapes,
    same_loops,
    vertices_of,
)
from napari_multifidus.models.strokes import Tool

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SYNC_MS = 250
"""What no event announces, such as pasted shapes, is taken over after this long without motion."""

SLICE_AXIS = -3
"""napari counts axes from the last one: slice, row, column."""

DRAW, EDIT = "add_polygon", "direct"
"""napari's names of its modes: click vertices, move vertices."""

WARNING_STYLE = {"font_size": 12, "color": "#ffb000"}
"""Size and colour of warnings in the canvas; amber is told from grey with every colour vision."""

_COMMITS = {"added", "changed", "removed"}
_TOOLS = frozenset(Tool)


@dataclass(frozen=True, slots=True)
class CanvasCallbacks:
    """Whom a canvas tells.

    Attributes
    ----------
    motion
        Called with a structure, a slice and its preview, while a vertex or a brush moves.
    commit
        Called when something drawn has changed.
    place
        Called when another slice or another structure is in hand.
    corner
        Called when a corner is set of an outline in the making.
    problem
        Called with what a tool could not do.
    """

    motion: Callable[[LayerKey, int, OutlinePreview], None]
    commit: Callable[[], None]
    place: Callable[[], None]
    corner: Callable[[], None]
    problem: Callable[[str], None]


class Canvas:
    """The layers of one session.

    Parameters
    ----------
    viewer
        The napari viewer.
    session
        What is drawn.
    calls
        Whom to tell.
    """

    def __init__(self, viewer: Any, session: Session, calls: CanvasCallbacks) -> None:
        self.viewer = viewer
        self.session = session
        self.layers: dict[LayerKey, Any] = {}
        self._calls = calls
        self._corners: dict[LayerKey, int] = {}
        self.pointer = Pointer(
            viewer,
            session,
            StrokeCallbacks(self._take_stroke, self._stroke_moved, calls.corner, calls.problem),
        )
        self._callbacks: dict[LayerKey, tuple[Any, Any]] = {}
        self._shown: dict[LayerKey, tuple[int, tuple[Array, ...]]] = {}
        self._pushing = False
        self._timer = _single_shot(SYNC_MS, self._rest)
        self._remember_soon = _single_shot(0, self.remember)
        self.place: tuple[int, LayerKey | None] = (0, None)
        there = session.drawing.layer_keys()
        structures = {key.structure for key in there}
        first = [
            key
            for key in FIRST_LAYERS
            if key.side is not Side.NONE or key.structure not in structures
        ]
        with _compat.swapping_layers(viewer):
            for key in (*there, *first):
                self.layer(key)
        self._turn()
        viewer.dims.events.current_step.connect(self._stepped)
        viewer.layers.selection.events.active.connect(self._activated)
        viewer.layers.events.removed.connect(self._removed)
        self._write_overlays()

    # --- where the person is -------------------------------------------------------------------

    @property
    def index(self) -> int:
        """The slice that is shown."""
        steps = self.viewer.dims.current_step
        step = int(steps[SLICE_AXIS]) if len(steps) >= len(AXES) else 0
        return min(max(step, 0), len(self.session.series.slices) - 1)

    @property
    def active(self) -> LayerKey | None:
        """The structure in hand."""
        chosen = self.viewer.layers.selection.active
        return next((key for key, layer in self.layers.items() if layer == chosen), None)

    def go_to(self, index: int) -> None:
        """Show a slice."""
        last = len(self.session.series.slices) - 1
        axis = self.viewer.dims.ndim + SLICE_AXIS
        self.viewer.dims.set_current_step(axis, min(max(index, 0), last))

    def activate(self, key: LayerKey, mode: str) -> None:
        """Make a structure's layer the active one, in a mode of napari's or with a tool of ours."""
        self.pointer.drop()
        layer = self.layer(key)
        layer.visible = True
        self.viewer.layers.selection.active = layer
        if self.session.locked and mode != PAN_ZOOM:
            self._calls.problem(f"{LOCKED} {UNLOCK}")
            mode = PAN_ZOOM
        if mode in _TOOLS:
            self.pointer.take(key, layer, Tool(mode))
            return
        layer.mode = mode
        if mode == EDIT:
            here = self.index
            layer.selected_data = {
                shape.index for shape in self._read(key) if shape.slice_index == here
            }

    @property
    def has_image(self) -> bool:
        """Whether the images that the session is about are still in the viewer."""
        found = (layer.metadata.get(METADATA) for layer in self.viewer.layers)
        return any(opened and opened.exam is self.session.exam for opened in found)

    def remember(self) -> None:
        """Note where the person is, unless the viewer is being emptied around us."""
        if self.has_image:
            self.place = (self.index, self.active or self.place[1])

    def _turn(self) -> None:
        view = view_of(self.session.series.slices[0].plane)
        self.viewer.dims.order = (0, 2, 1) if view.transposed else (0, 1, 2)
        _compat.orient(
            self.viewer, "down" if view.down else "up", "right" if view.right else "left"
        )
        self.viewer.reset_view()

    def _stepped(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        if not self.has_image:
            return
        self.pointer.finish()
        self.sync()
        self.remember()
        self._write_overlays()
        self._calls.place()

    def _activated(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        # Not at once: a viewer that closes activates one layer after another.
        self._remember_soon.start()
        self._calls.place()

    def _write_overlays(self) -> None:
        slice_level = self.session.analysis.slice_levels[self.index]
        where = slice_words(self.session.series, self.index)
        text = "\n".join(filter(None, (where, slice_level.tilt_words, slice_level.place_words)))
        _compat.set_text(self.viewer, "slice", text, "top_left", font_size=11)
        doubts = self.session.analysis.level_warnings(self.index)
        _compat.set_text(self.viewer, "warnings", "\n".join(doubts), "bottom_left", **WARNING_STYLE)
        _compat.set_text(self.viewer, "right", "R", "middle_left", font_size=22)
        _compat.set_text(self.viewer, "left", "L", "middle_right", font_size=22)
        _compat.set_scale_bar(self.viewer, visible=True)

    # --- layers --------------------------------------------------------------------------------

    def layer(self, key: LayerKey) -> Any:
        """Return the layer of a structure; it is added if need be."""
        if key not in self.layers:
            scale = (1.0, *spacing_mm(self.session.series))
            self.layers[key] = layer = self.viewer.add_shapes(
                ndim=3,
                name=key.title,
                scale=scale,
                units=UNITS,
                axis_labels=AXES,
                edge_width=EDGE_WIDTH,
                edge_color=colour_of(key),
                face_color=face_of(key),
                opacity=1.0,
                metadata={_compat.PLUGIN: key},
            )
            self._connect(key, layer)
            self.push(key)
        return self.layers[key]

    def show_lock(self) -> None:
        """Let the layers be edited, or only looked at, and say so on the image."""
        locked = self.session.locked
        if locked:
            self.pointer.drop()
        for layer in self.layers.values():
            layer.editable = not locked
        words = "finished and locked" if locked else ""
        _compat.set_text(self.viewer, "lock", words, "top_right", **WARNING_STYLE)

    def _keep_lock(self, event: Any) -> None:
        """Lock a layer again that napari's own buttons, or another view, have unlocked."""
        if self.session.locked and event.source.editable:
            event.source.editable = False

    def _connect(self, key: LayerKey, layer: Any) -> None:
        layer.editable = not self.session.locked
        layer.events.editable.connect(self._keep_lock)
        # napari keeps callbacks weakly.
        callbacks = partial(self._moved, key), partial(self._committed, key)
        self._callbacks[key] = callbacks
        layer.events.set_data.connect(callbacks[0])
        layer.events.data.connect(callbacks[1])

    def _disconnect(self, key: LayerKey, layer: Any) -> None:
        moved, committed = self._callbacks.pop(key)
        layer.events.editable.disconnect(self._keep_lock)
        layer.events.set_data.disconnect(moved)
        layer.events.data.disconnect(committed)

    def push(self, key: LayerKey) -> None:
        """Show what the session holds of a structure."""
        shapes = [
            (vertices_of(loop, index), _kind(loop))
            for index in self.session.drawing.slices_of(key)
            for loop in self.session.loops(key, index)
            if len(loop) > 1
        ]
        layer = self.layers[key]
        self._pushing = True
        try:
            if shapes or layer.nshapes:
                mode = layer.mode
                if len(layer.edge_color) != layer.nshapes:
                    # A polygon that was given up has left its colour behind.
                    layer.data = []
                layer.data = shapes
                layer.mode = mode
            self._mark(key, self._read(key))
        finally:
            self._pushing = False

    def pull(self, key: LayerKey) -> bool:
        """Take over what a layer shows; returns whether it changed."""
        drawn = self._read(key)
        if self.session.locked:
            if not self.session.drawing.is_shown(key, by_slice(drawn)) or any(
                d.problem for d in drawn
            ):
                self.push(key)
                self._calls.problem(f"{LOCKED} {UNLOCK}")
            return False
        changed = put_layer(self.session, key, by_slice(drawn))
        self._mark(key, drawn)
        return changed

    # --- what is in the making -----------------------------------------------------------------

    def _take_stroke(self, key: LayerKey, index: int, loops: tuple[Array, ...]) -> None:
        """Take over what one of our tools made."""
        if self.session.put(key, index, loops):
            self.push(key)
            self._calls.commit()

    def _stroke_moved(self, key: LayerKey, index: int, loops: tuple[Array, ...]) -> None:
        self._calls.motion(key, index, self.session.analysis.preview(key, index, loops))

    def unfinished(self) -> list[tuple[LayerKey, int, tuple[Array, ...]]]:
        """List what is being drawn and no outline yet: structure, slice, paths."""
        found = [self.pointer.unfinished] if self.pointer.unfinished is not None else []
        for key, layer in self.layers.items():
            if _compat.is_drawing(layer):
                shape = self._read(key)[-1]
                # The last corner follows the mouse.
                corners = (shape.loop[: self._corner_count(layer)],)
                if shape.slice_index is not None:
                    found.append((key, shape.slice_index, corners))
        return found

    def _corner_count(self, layer: Any) -> int:
        return max(len(layer.data[-1]) - 1, 1)

    def undo_corner(self) -> bool:
        """Take back the last corner of an outline in the making; returns whether there was one."""
        if self.pointer.back():
            return True
        for layer in self.layers.values():
            if _compat.is_drawing(layer):
                _compat.take_back_vertex(layer)
                return True
        return False

    def redraw(self, spots: Iterable[tuple[LayerKey, int]]) -> None:
        """Show what the session holds of some spots, and go to one of them if none is shown."""
        spots = list(spots)
        for key in dict.fromkeys(key for key, _ in spots):
            self.layer(key)
            self.push(key)
        if spots and self.index not in {index for _, index in spots}:
            self.go_to(min(index for _, index in spots))
        self._write_overlays()

    # --- layers, taken over --------------------------------------------------------------------

    def _rest(self) -> None:
        """Take over what moved, once nothing is held: a hand may rest with the button down."""
        if any(map(_compat.is_held, self.layers.values())):
            self._timer.start()
        else:
            self.sync()

    def sync(self) -> None:
        """Take over all that is drawn and not in the making; tell if anything changed."""
        self._timer.stop()
        still = [key for key, layer in self.layers.items() if not _compat.is_drawing(layer)]
        if any([self.pull(key) for key in still]):  # noqa: C419 - every layer is pulled
            self._calls.commit()
        for key in still:
            if self._has_other_kinds(key):
                self.push(key)

    def _has_other_kinds(self, key: LayerKey) -> bool:
        """Whether a layer shows ellipses or open paths, which are kept as polygons."""
        return any(str(kind) not in ("polygon", "line") for kind in self.layers[key].shape_type)

    def _read(self, key: LayerKey) -> tuple[LayerShape, ...]:
        layer = self.layers[key]
        return read_shapes(layer.data, layer.shape_type, len(self.session.series.slices))

    def _read_slice(self, key: LayerKey, index: int) -> tuple[LayerShape, ...]:
        """Read the shapes on one slice: all there is time for while the hand moves."""
        layer = self.layers[key]
        data = layer.data
        here = [n for n, vertices in enumerate(data) if round(float(vertices[0][0])) == index]
        kinds = layer.shape_type
        found = read_shapes(
            [data[n] for n in here], [kinds[n] for n in here], len(self.session.series.slices)
        )
        return tuple(replace(shape, index=n) for shape, n in zip(found, here, strict=True))

    def shapes_off_slice(self) -> list[str]:
        """Say which shapes lie on no slice; they are kept nowhere but in their layer."""
        return [
            f"{key.words}: a shape {shape.problem}; it is not saved"
            for key in self.layers
            for shape in self._read(key)
            if shape.problem
        ]

    # --- events --------------------------------------------------------------------------------

    def _moved(self, key: LayerKey, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Follow every motion of the mouse: numbers of the slice in hand, and its red edge."""
        if self._pushing:
            return
        index = self.index
        drawn = self._read_slice(key, index)
        self._note_corners(key)
        loops = tuple(by_slice(drawn).get(index, ()))
        seen = self._shown.get(key)
        if seen is not None and seen[0] == index and same_loops(seen[1], loops):
            return
        self._shown[key] = (index, loops)
        if same_loops(loops, self.session.loops(key, index)):
            return
        self._timer.start()
        self._mark(key, drawn)
        if loops and all(len(loop) >= MINIMAL_POINTS for loop in loops):
            self._calls.motion(key, index, self.session.analysis.preview(key, index, loops))

    def _note_corners(self, key: LayerKey) -> None:
        """Tell when a corner is set, so that a long outline is not lost with the window."""
        layer = self.layers[key]
        count = self._corner_count(layer) if _compat.is_drawing(layer) else 0
        if count != self._corners.get(key, 0):
            self._corners[key] = count
            self._calls.corner()

    def _committed(self, key: LayerKey, event: Any) -> None:
        if self._pushing or str(event.action) not in _COMMITS:
            return
        if self.pull(key) or self.shapes_off_slice():
            self._calls.commit()
        if self._has_other_kinds(key):
            self._timer.start()

    def _removed(self, event: Any) -> None:
        """Keep the outlines of a layer that was removed; its button brings the layer back."""
        for key, layer in list(self.layers.items()):
            if layer == event.value:
                self._disconnect(key, layer)
                del self.layers[key]
                self._calls.place()

    def _mark(self, key: LayerKey, drawn: tuple[LayerShape, ...]) -> None:
        """Colour shapes that are no outline red and thick, all others as their layer is."""
        layer = self.layers[key]
        if not drawn:
            return
        bad = self._bad_shapes(key, drawn)
        colours, widths = layer.edge_color.copy(), np.array(layer.edge_width, dtype=np.float64)
        usual, wrong = (np.array(_rgba(c), np.float32) for c in (colour_of(key), PROBLEM_COLOUR))
        for shape in drawn:
            colours[shape.index] = wrong if shape.index in bad else usual
            widths[shape.index] = PROBLEM_EDGE_WIDTH if shape.index in bad else EDGE_WIDTH
        # napari takes half a millisecond for each, whether anything changes or not.
        if not np.allclose(layer.edge_color, colours, atol=1e-3):
            layer.edge_color = colours
        if not np.allclose(layer.edge_width, widths):
            layer.edge_width = widths.tolist()

    def _bad_shapes(self, key: LayerKey, drawn: tuple[LayerShape, ...]) -> set[int]:
        bad = {shape.index for shape in drawn if shape.problem}
        groups: dict[tuple[int, ...], list[LayerShape]] = {}
        for shape in drawn:
            if shape.slice_index is not None:
                own = (shape.index,) if key.holds_samples else ()
                groups.setdefault((shape.slice_index, *own), []).append(shape)
        for members in groups.values():
            place, loops = members[0].slice_index, [shape.loop for shape in members]
            if place is not None and self._is_bad(key, place, loops):
                bad |= {shape.index for shape in members}
        return bad

    def _is_bad(self, key: LayerKey, index: int, loops: list[Array]) -> bool:
        if same_loops(loops, self.session.loops(key, index)):
            return bool(self.session.drawing.problem(key, index))
        if not _compat.is_drawing(self.layers[key]):
            return bool(problem_of(loops))
        # A path in the making is not bad for being short.
        enough = all(len(loop) >= MINIMAL_POINTS for loop in loops)
        return enough and first_crossing(loops) is not None

    def refresh(self) -> None:
        """Write the overlays again, after a level was said."""
        self._write_overlays()

    def close(self) -> None:
        """Take the layers out of the viewer; the session keeps what was drawn."""
        self.pointer.close()
        self.sync()
        self._remember_soon.stop()
        self.viewer.dims.events.current_step.disconnect(self._stepped)
        self.viewer.layers.selection.events.active.disconnect(self._activated)
        self.viewer.layers.events.removed.disconnect(self._removed)
        with _compat.swapping_layers(self.viewer):
            for key, layer in self.layers.items():
                self._disconnect(key, layer)
                if layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)
        self.layers.clear()
        for name in ("slice", "warnings", "right", "left", "lock"):
            _compat.set_text(self.viewer, name, "", "top_left")


def _kind(loop: Array) -> str:
    return "polygon" if len(loop) >= MINIMAL_POINTS else "line"


def _single_shot(after_ms: int, act: Callable[[], None]) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(after_ms)
    timer.timeout.connect(act)
    return timer


def _rgba(colour: str) -> tuple[float, ...]:
    return (*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)
