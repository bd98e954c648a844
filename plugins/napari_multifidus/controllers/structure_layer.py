"""The Shapes layer of one structure: what a session holds is shown in it, and read from it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon import MINIMAL_POINTS, first_crossing
from napari_multifidus import _compat
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.half_drawn import MINIMAL_PATH, POLYGON, HalfDrawn
from napari_multifidus.models.shapes import (
    AXES,
    EDGE_WIDTH,
    PROBLEM_COLOUR,
    PROBLEM_FACTOR,
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

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.image import Series
    from napari_multifidus.models.drawing import DrawingState
    from napari_multifidus.models.session import Session

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]

PAN_ZOOM = "pan_zoom"
"""napari's name of the mode in which nothing is drawn."""

LEFT_BUTTON = 1

_CORNER_MODES = {"add_polygon", "add_polyline"}
"""napari's modes that set a corner at every click."""

_PATH_MODES = _CORNER_MODES | {"add_polygon_lasso", "add_path"}
"""napari's modes that begin a path, which is closed or ended later."""

_PATHS = {"path", "polygon"}
"""napari's names of what these draw; a rectangle or an ellipse is closed from the beginning."""

_COMMITS = {"added", "changed", "removed"}


@contextlib.contextmanager
def adding_layer(viewer: Any) -> Iterator[None]:
    """Add a layer, and let the one that is active stay so.

    napari would make it the active one, and show it in its panels: a quarter of the time.
    """
    selection = viewer.layers.selection
    active = selection.active
    with selection.events.blocker_all():
        yield
        selection.active = active


def add_shapes(viewer: Any, series: Series, data: Any = None, **style: Any) -> Any:
    """Add a Shapes layer on the grid of a series."""
    scale = (1.0, *spacing_mm(series))
    return viewer.add_shapes(data, ndim=3, scale=scale, units=UNITS, axis_labels=AXES, **style)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """All shapes of a layer at one moment, to tell whether they have changed."""

    vertices: Array
    lengths: tuple[int, ...]
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, layer: Any) -> Content:
        """Note what a layer shows now."""
        data = layer.data
        vertices = np.concatenate(data) if data else np.empty((0, len(AXES)))
        return cls(vertices, tuple(map(len, data)), tuple(layer.shape_type))

    def is_same(self, other: Content) -> bool:
        """Whether shapes are the same, vertex by vertex."""
        return (
            self.lengths == other.lengths
            and self.kinds == other.kinds
            and np.array_equal(self.vertices, other.vertices)
        )


@dataclass(frozen=True, slots=True)
class LayerCallbacks:
    """What the layer of a structure calls.

    Attributes
    ----------
    moved, committed
        Called with the structure while the mouse moves, and once a change is made; then with
        ``added`` as well, whether a shape was added.
    left
        Called when another mode of napari's was chosen before an outline was closed.
    resumed
        Called with the structure, and where on the canvas, when a click goes on with an outline
        that waits.
    """

    moved: Callable[[LayerKey], None]
    committed: Callable[..., None]
    left: Callable[[], None]
    resumed: Callable[[LayerKey, tuple[float, float]], None]


class StructureLayer:
    """A structure of a session, and the Shapes layer that shows it.

    Parameters
    ----------
    viewer, session, key
        Where, and what is shown.
    calls
        What to call.
    layer
        A layer of the same structure that another session has left; a new one is added if None.

    Attributes
    ----------
    layer
        napari's.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        key: LayerKey,
        calls: LayerCallbacks,
        *,
        layer: Any = None,
    ) -> None:
        self.session, self.key, self._calls = session, key, calls
        self.corner_count = 0
        self._is_pushing = False
        self._seen: tuple[int, Loops] | None = None
        self._moving: tuple[LayerShape, ...] = ()
        self._settled: tuple[Content, DrawingState] | None = None
        self._width = EDGE_WIDTH
        self.layer = _new_layer(viewer, session.series, key) if layer is None else layer
        if layer is not None:
            _clear(layer, session.series)
        self.layer.editable = not session.locked
        self.layer.events.editable.connect(self._keep_lock)
        self.layer.events.mode.connect(self._mode_changed)
        # Before napari's own, which sets the corner.
        self.layer.mouse_drag_callbacks.insert(0, self._press)
        self.layer.events.set_data.connect(self._moved)
        self.layer.events.data.connect(self._committed)
        self.push()

    def disconnect(self) -> None:
        """Let go of the layer."""
        if self._press in self.layer.mouse_drag_callbacks:
            self.layer.mouse_drag_callbacks.remove(self._press)
        self.layer.events.editable.disconnect(self._keep_lock)
        self.layer.events.mode.disconnect(self._mode_changed)
        self.layer.events.set_data.disconnect(self._moved)
        self.layer.events.data.disconnect(self._committed)

    def _press(self, layer: Any, event: Any) -> None:
        """Let a corner be set where the button is pressed, also of an outline that waits."""
        if event.button != LEFT_BUTTON:
            return
        if self.is_drawing:
            if layer.mode in _CORNER_MODES:
                _compat.move_corner(layer, event.position)
        elif layer.mode in _PATH_MODES:
            self._calls.resumed(self.key, tuple(event.pos))

    def _mode_changed(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        """Let what is not closed wait: napari is about to close it."""
        if self.leave():
            self._calls.left()
        if self.layer.mode in _CORNER_MODES:
            # Escape discards a polygon, as it discards what our own tools draw.
            self.layer.bind_key("Escape", _compat.give_up_shape, overwrite=True)

    def _moved(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        if not self._is_pushing:
            self._calls.moved(self.key)

    def _committed(self, event: Any) -> None:
        if not self._is_pushing and str(event.action) in _COMMITS:
            self._calls.committed(self.key, added=str(event.action) == "added")

    def _keep_lock(self, event: Any) -> None:
        """Lock a layer again that napari's own buttons, or another view, have unlocked."""
        if self.session.locked and event.source.editable:
            event.source.editable = False

    # --- between session and layer -------------------------------------------------------------

    def push(self) -> None:
        """Show what the session holds; what is not closed waits for that."""
        if self._keep_unfinished():
            self._calls.left()
        self._show()

    def _show(self) -> None:
        shapes = [
            (vertices_of(loop, index), "polygon" if len(loop) >= MINIMAL_POINTS else "line")
            for index in self.session.drawing.slices_of(self.key)
            for loop in self.session.drawing.loops(self.key, index)
            if len(loop) > 1
        ]
        layer = self.layer
        self._seen = None
        self._is_pushing = True
        try:
            if shapes or layer.nshapes:
                with _compat.refreshed_once(layer):
                    self._set(shapes)
        finally:
            self._is_pushing = False

    def _set(self, shapes: list[tuple[Array, str]]) -> None:
        """Let the layer hold shapes, in their colours."""
        layer, mode = self.layer, self.layer.mode
        if self.is_drawing or len(layer.edge_color) != layer.nshapes:
            # A polygon that was given up leaves its colour behind, as does one of two
            # corners, which napari gives up here; it would paint all shapes white.
            layer.data = []
        layer.data = shapes
        layer.mode = mode
        self.mark_problems(self.read())

    @property
    def _slice_count(self) -> int:
        return len(self.session.series.slices)

    def read(self) -> tuple[LayerShape, ...]:
        """Read every shape of the layer."""
        return read_shapes(self.layer.data, self.layer.shape_type, self._slice_count)

    def read_slice(self, index: int) -> tuple[LayerShape, ...]:
        """Read the shapes on one slice: all there is time for while the mouse moves."""
        data, kinds = self.layer.data, self.layer.shape_type
        here = [n for n, vertices in enumerate(data) if round(float(vertices[0][0])) == index]
        found = read_shapes([data[n] for n in here], [kinds[n] for n in here], self._slice_count)
        return tuple(replace(shape, index=n) for shape, n in zip(found, here, strict=True))

    def shows_session(self, drawn: tuple[LayerShape, ...]) -> bool:
        """Whether shapes of the layer are what the session holds."""
        is_shown = self.session.drawing.is_shown(self.key, by_slice(drawn))
        return is_shown and not any(shape.problem for shape in drawn)

    def settle(self) -> None:
        """Note that layer and session hold the same now."""
        self._settled = Content.of(self.layer), self.session.drawing

    @property
    def is_settled(self) -> bool:
        """Whether neither layer nor session has changed since they held the same.

        Reading a layer takes ten times as long as this, and is done whenever a slice is left.
        """
        if self._settled is None:
            return False
        content, drawing = self._settled
        kept = self.session.drawing.is_same_of(self.key, drawing)
        return kept and content.is_same(Content.of(self.layer))

    @property
    def has_other_kinds(self) -> bool:
        """Whether the layer shows ellipses or open paths, which are kept as polygons."""
        return any(str(kind) not in ("polygon", "line") for kind in self.layer.shape_type)

    # --- what is being drawn -------------------------------------------------------------------

    @property
    def is_drawing(self) -> bool:
        """Whether a polygon is begun and not finished."""
        return _compat.is_drawing(self.layer)

    def unfinished(self) -> tuple[LayerKey, int, HalfDrawn] | None:
        """Return structure, slice and corners of a polygon that is not finished; else None."""
        if not self.is_drawing or str(self.layer.shape_type[-1]) not in _PATHS:
            return None
        shape = self.read()[-1]
        # The last corner follows the mouse.
        corners = shape.loop[: self._corners_set()]
        half = HalfDrawn(POLYGON, corners, corners)
        return None if shape.slice_index is None else (self.key, shape.slice_index, half)

    def leave(self) -> bool:
        """Let a polygon that is not finished wait for that; returns whether there was one."""
        if not self._keep_unfinished():
            return False
        # napari would close it where it stands.
        self._show()
        return True

    def _keep_unfinished(self) -> bool:
        begun = self.unfinished()
        if begun is None or len(begun[2].path) < MINIMAL_PATH:
            return False
        _, index, half = begun
        return self.session.change(with_half_drawn(self.session.drawing, (self.key, index), half))

    def _corners_set(self) -> int:
        return max(len(self.layer.data[-1]) - 1, 1) if self.is_drawing else 0

    def takes_corner(self) -> bool:
        """Note how many corners are set; returns whether the number has changed."""
        before, self.corner_count = self.corner_count, self._corners_set()
        return before != self.corner_count

    def moved_on(self, index: int) -> Loops | None:
        """Read the paths that moved on a slice; None where they are as seen last, or at rest."""
        drawn = self.read_slice(index)
        loops = tuple(by_slice(drawn).get(index, ()))
        before, self._seen = self._seen, (index, loops)
        if before is not None and before[0] == index and same_loops(before[1], loops):
            return None
        # Moved back to where it was, it is no longer as seen last.
        was_elsewhere = before is not None and before[0] == index
        if not was_elsewhere and same_loops(loops, self.session.drawing.loops(self.key, index)):
            return None
        self._moving = drawn
        return loops

    def mark_moved(self, *, good: bool) -> None:
        """Mark what moved; ``good`` says that it is known to be an outline."""
        if self._moving:
            self._colour(self._moving, set() if good else self._bad_shapes(self._moving))

    # --- how it looks --------------------------------------------------------------------------

    def show_lines(self, width: float, opacity: float) -> None:
        """Draw lines of a width, in pixels of the image, so opaque."""
        if self.layer.opacity != opacity:
            self.layer.opacity = opacity
        if width == self._width:
            return
        self._width = width
        # What is selected would take this width as well; it gets its own just below.
        self.layer.current_edge_width = width
        self.mark_problems(self.read())

    def mark_problems(self, drawn: tuple[LayerShape, ...]) -> None:
        """Colour shapes that are no outline red and thick, all others as their layer is."""
        if drawn:
            self._colour(drawn, self._bad_shapes(drawn))

    def _colour(self, drawn: tuple[LayerShape, ...], bad: set[int]) -> None:
        layer = self.layer
        colours, widths = layer.edge_color.copy(), np.array(layer.edge_width, dtype=np.float64)
        usual, wrong = (
            np.array(_rgba(colour), np.float32) for colour in (colour_of(self.key), PROBLEM_COLOUR)
        )
        for shape in drawn:
            colours[shape.index] = wrong if shape.index in bad else usual
            widths[shape.index] = self._width * (PROBLEM_FACTOR if shape.index in bad else 1)
        # napari takes half a millisecond for each, whether anything changes or not.
        if not np.allclose(layer.edge_color, colours, atol=1e-3):
            layer.edge_color = colours
        if not np.allclose(layer.edge_width, widths):
            layer.edge_width = widths.tolist()

    def _bad_shapes(self, drawn: tuple[LayerShape, ...]) -> set[int]:
        bad = {shape.index for shape in drawn if shape.problem}
        groups: dict[tuple[int, ...], list[LayerShape]] = {}
        for shape in drawn:
            if shape.slice_index is not None:
                own = (shape.index,) if self.key.holds_samples else ()
                groups.setdefault((shape.slice_index, *own), []).append(shape)
        for (index, *_), members in groups.items():
            if self._is_bad(index, [shape.loop for shape in members]):
                bad |= {shape.index for shape in members}
        return bad

    def _is_bad(self, index: int, loops: list[Array]) -> bool:
        if same_loops(loops, self.session.drawing.loops(self.key, index)):
            return bool(self.session.drawing.problem(self.key, index))
        if not self.is_drawing:
            return bool(problem_of(loops))
        # An unfinished path is not bad for being short, and may be drawn over another.
        begun = loops[-1:]
        return len(begun[0]) >= MINIMAL_POINTS and first_crossing(begun) is not None


def _new_layer(viewer: Any, series: Series, key: LayerKey) -> Any:
    return add_shapes(
        viewer,
        series,
        name=key.title,
        edge_width=EDGE_WIDTH,
        edge_color=colour_of(key),
        face_color=face_of(key),
        opacity=1.0,
        metadata={_compat.PLUGIN: key},
    )


def _clear(layer: Any, series: Series) -> None:
    """Make a layer as empty as a new one: to add one takes a sixth of a second."""
    layer.mode = PAN_ZOOM
    layer.selected_data = set()
    if layer.nshapes:
        layer.data = []
    if not layer.visible:
        layer.visible = True
    layer.scale = (1.0, *spacing_mm(series))


def _rgba(colour: str) -> tuple[float, ...]:
    return (*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)), 1.0)
