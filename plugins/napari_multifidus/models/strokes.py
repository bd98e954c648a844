"""What a hand draws with the plugin's own tools, point by point, until it is an outline.

A stroke is told of the mouse, in pixels (row, column) of one slice, and says what to show on the
way and what comes of it. It knows neither napari nor Qt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.polygon import MINIMAL_POINTS, area, first_crossing
from multifidus.data.polygon_sets import cut, joined
from multifidus.editing.livewire import Edges, LiveWire
from multifidus.editing.mend import mended
from multifidus.editing.strokes import closed, stroke, without_tails
from multifidus.errors import RoiError
from napari_multifidus.models.shapes import problem_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Loops = tuple[Array, ...]

GAP_MM = 5.0
"""An unbroken stroke that leaves out more than this somewhere, its end to its beginning included,
is not closed by itself. On a muscle of 20 mm radius such a chord is 0.2 mm off the border."""

MENDED_SHARE = 0.02
"""A livewire that crosses itself is cut there, if that changes its area by no more than this."""

SAME_PIXELS = 1e-4
"""Points nearer than this are one; napari's precision is a tenth of it."""

CLICK_PIXELS = 2.0
"""A mouse that moved less than this between press and release has clicked, not drawn."""


class Tool(StrEnum):
    """The plugin's own tools; polygons are napari's."""

    FREEHAND = "freehand"
    LIVEWIRE = "livewire"
    HOLE = "hole"
    ISLAND = "island"
    BRUSH = "brush"
    ERASER = "eraser"


PAINTING = frozenset({Tool.BRUSH, Tool.ERASER})
"""Tools that change an outline wherever they have been; the others make a path to be closed."""


@dataclass(frozen=True, slots=True, eq=False)
class StrokeContext:
    """What a stroke is drawn on.

    Attributes
    ----------
    before
        The structure's paths on the slice, in pixels.
    spacing_mm
        Between rows and between columns.
    radius_mm
        Of the brush.
    edges
        Returns the edges of the slice's image.
    """

    before: Loops
    spacing_mm: tuple[float, float]
    radius_mm: float
    edges: Callable[[], Edges]


class Stroke:
    """A path by one unbroken stroke, or by clicks, or by both.

    Parameters
    ----------
    context
        What it is drawn on.
    combine
        Makes the outline of what was there and the new path.
    """

    def __init__(self, context: StrokeContext, combine: Callable[[Loops, Array], Loops]) -> None:
        self.context = context
        self._spacing_mm = np.array(context.spacing_mm)
        self._combine = combine
        self._points: list[Array] = []
        self._presses: list[int] = []
        self._cursor: Array | None = None

    def press(self, at: Array) -> None:
        """Begin, or set a corner."""
        self._presses.append(len(self._points))
        self._points.append(at)

    def drag(self, *way: Array) -> None:
        """Go on with the button down, from one place to the next."""
        self._points.extend(way)

    def hover(self, at: Array) -> None:
        """Go on with the button up."""
        self._cursor = at

    def release(self) -> bool:
        """Lift the button; returns whether that was all."""
        drawn = np.array(self._points[self._presses[-1] :])
        if np.hypot(*(drawn - drawn[0]).T).max() < CLICK_PIXELS:
            del self._points[self._presses[-1] + 1 :]
            return False
        return self._is_by_hand and not self.gap_words

    @property
    def _drawn(self) -> Array:
        """Say of every point whether a stroke drew it; else it is a corner that was clicked."""
        drawn = np.zeros(len(self._points), dtype=bool)
        for start, end in pairwise([*self._presses, len(self._points)]):
            part = (np.array(self._points[start:end]) - self._points[start]) * self._spacing_mm
            drawn[start:end] = np.hypot(*part.T).max() > GAP_MM
        return drawn

    @property
    def _is_by_hand(self) -> bool:
        """Whether nothing but strokes was drawn, one or several."""
        return len(self._presses) == 1 or bool(self._drawn.all())

    @property
    def gap_words(self) -> str:
        """Say what strokes leave out, if that is much; else nothing.

        Between corners that were clicked, and from these to strokes, nothing is left out.
        """
        if len(self._points) < MINIMAL_POINTS:
            return ""
        if self._is_by_hand:
            loop = without_tails(self._points)
            drawn = np.ones(len(loop), dtype=bool)
        else:
            loop, drawn = np.array(self._points), self._drawn
        steps = np.hypot(*((np.roll(loop, -1, axis=0) - loop) * self._spacing_mm).T)
        steps[~(drawn & np.roll(drawn, -1))] = 0
        widest = int(steps.argmax())
        if steps[widest] <= GAP_MM:
            return ""
        where = "between its end and its beginning" if widest == len(loop) - 1 else "on its way"
        return f"The stroke leaves out {steps[widest]:.0f} mm {where}, more than {GAP_MM:g} mm."

    def undo_corner(self) -> bool:
        """Undo the last corner; returns whether anything is left."""
        if self._presses:
            del self._points[self._presses.pop() :]
        return bool(self._points)

    @property
    def has_begun(self) -> bool:
        """Whether a point stands."""
        return bool(self._points)

    @property
    def points(self) -> Array:
        """Where the hand set something, (n, 2): pressed again, these draw the same."""
        return np.array(self._points).reshape(-1, 2)

    @property
    def presses(self) -> tuple[int, ...]:
        """At which of the points the button was pressed."""
        return tuple(self._presses)

    @property
    def corners(self) -> Loops:
        """What stands already, as one open path; empty before the first point."""
        return (np.array(self._points),) if self._points else ()

    @property
    def trace(self) -> Loops:
        """What to show: open paths."""
        points = [*self._points, *([] if self._cursor is None else [self._cursor])]
        return (np.array(points),) if self._points else ()

    def outcome(self) -> Loops | None:
        """Return the outline as it would be now; None while there is too little for one.

        Raises
        ------
        RoiError
            If it cannot be combined with what is there.
        """
        path = (without_tails if self._is_by_hand else closed)(self._points)
        # A hand that ends where it began leaves that point twice, but for the rounding of numbers.
        loops = _apart((path,))
        return self._combine(self.context.before, loops[0]) if loops else None


class LivewireStroke(Stroke):
    """A path that snaps to edges between the places clicked."""

    def __init__(self, context: StrokeContext, combine: Callable[[Loops, Array], Loops]) -> None:
        super().__init__(context, combine)
        self._wire: LiveWire | None = None
        self._ways: list[Array] = []
        self._ahead: Array | None = None

    def press(self, at: Array) -> None:
        """Set an anchor."""
        if self._wire is not None:
            self._ways.append(self._wire.to(at))
        self._points.append(at)
        self._wire = LiveWire(self.context.edges(), at)
        self._ahead = None

    def drag(self, *way: Array) -> None:
        """Look ahead, as without the button."""
        self.hover(way[-1])

    def hover(self, at: Array) -> None:
        """Look ahead: where the path would run."""
        if self._wire is not None:
            self._ahead = self._wire.to(at)

    def release(self) -> bool:
        """Go on; only a double click or Enter ends it."""
        return False

    def undo_corner(self) -> bool:
        """Undo the last anchor."""
        self._points = self._points[:-1]
        self._ways = self._ways[:-1]
        self._wire = LiveWire(self.context.edges(), self._points[-1]) if self._points else None
        self._ahead = None
        return bool(self._points)

    @property
    def corners(self) -> Loops:
        """What stands already."""
        return (np.concatenate(self._ways),) if self._ways else ()

    @property
    def trace(self) -> Loops:
        """What stands, and the way ahead."""
        ways = [*self._ways, *([] if self._ahead is None else [self._ahead])]
        return (np.concatenate(ways),) if ways else ()

    def outcome(self) -> Loops | None:
        """Return the outline, closed along the edges."""
        if self._wire is None or len(self._ways) < MINIMAL_POINTS - 1:
            return None
        loop = closed(np.concatenate([*self._ways, self._wire.to(self._points[0])]))
        return self._combine(self.context.before, _uncrossed(loop))


class BrushStroke(Stroke):
    """A round brush that adds to an outline, or takes from it.

    Parameters
    ----------
    context
        What it is drawn on.
    paint
        Makes the outline of what was there and what the brush covers.
    """

    def __init__(self, context: StrokeContext, paint: Callable[[Loops, Loops], Loops]) -> None:
        super().__init__(context, _beside)
        self._paint = paint
        self._painted, self._swept = context.before, 0

    @property
    def gap_words(self) -> str:
        """Nothing: what lies between two positions is painted as well."""
        return ""

    def release(self) -> bool:
        """Lift the brush: that was all."""
        return True

    @property
    def trace(self) -> Loops:
        """The brush where it is now, and what comes of it, as closed paths."""
        at = self._points[-1] if self._points else self._cursor
        if at is None:
            return ()
        rest = (self.outcome() or ()) if self._points else ()
        return (
            *brush_outline(at, self.context.radius_mm, self.context.spacing_mm),
            *map(_ring, rest),
        )

    def outcome(self) -> Loops | None:
        """Return the outline with what the brush covered; empty where all was erased."""
        if not self._points:
            return None
        if self._swept < len(self._points):
            # What was covered before is painted already: a long stroke is no slower.
            way = _way(self._points[max(self._swept - 1, 0) :])
            covered = stroke(way, self.context.radius_mm, self.context.spacing_mm)
            self._painted = _apart(self._paint(self._painted, covered))
            self._swept = len(self._points)
        return self._painted


def brush_outline(at: Array, radius_mm: float, spacing_mm: tuple[float, float]) -> Loops:
    """Return the border of the brush at a place, as closed paths to show."""
    return tuple(map(_ring, stroke([at], radius_mm, spacing_mm)))


def _ring(loop: Array) -> Array:
    return np.concatenate((loop, loop[:1]))


def _way(points: Sequence[Array]) -> Array:
    """Return the way of a brush without places where it rested."""
    way = np.array(points)
    keep = np.append(True, (way[1:] != way[:-1]).any(axis=1))
    return np.asarray(way[keep])


def _apart(loops: Loops) -> Loops:
    """Drop points that fall on the one before: shown by napari and read back, they are gone."""
    steps = [np.abs(loop - np.roll(loop, 1, axis=0)).max(axis=1) for loop in loops]
    kept = [loop[step > SAME_PIXELS] for loop, step in zip(loops, steps, strict=True)]
    return tuple(loop for loop in kept if len(loop) >= MINIMAL_POINTS)


def _uncrossed(loop: Array) -> Array:
    """Cut off what a path encloses beside its largest piece, and its ways to and fro.

    Raises
    ------
    RoiError
        If that is much.
    """
    revisits = len(np.unique(loop, axis=0)) < len(loop)
    if not revisits and first_crossing([loop]) is None:
        return loop
    made = mended([loop])
    if made.lost + made.gained > MENDED_SHARE * area(made.paths):
        msg = "The livewire crosses itself."
        raise RoiError(msg, remedy="Take its last corners back with Ctrl+Z, and set others.")
    return made.paths[0]


def _beside(before: Loops, loop: Array) -> Loops:
    """Add a path as it is: inside another it is a hole, apart an island."""
    return (*before, loop)


def _without(before: Loops, loop: Array) -> Loops:
    _check(before, loop)
    left = cut(before, [loop])
    if not left:
        msg = "The hole would leave nothing of the outline."
        raise RoiError(msg, remedy="Delete the outline instead.")
    return _apart(left)


def _with(before: Loops, loop: Array) -> Loops:
    _check(before, loop)
    return _apart(joined(before, [loop]))


def _check(before: Loops, loop: Array) -> None:
    problem = problem_of([loop])
    if problem:
        msg = f"The new shape {problem}."
        raise RoiError(msg, remedy="Draw it again.")
    if not before:
        msg = "There is no outline yet to which it could belong."
        raise RoiError(msg, remedy="Draw the outline first.")


def new_stroke(tool: Tool, context: StrokeContext) -> Stroke:
    """Begin a stroke with a tool.

    Raises
    ------
    RoiError
        If the tool works on what is there, and that crosses itself.
    """
    adds = tool in {Tool.FREEHAND, Tool.LIVEWIRE}
    problem = "" if adds or not context.before else problem_of(context.before)
    if problem:
        msg = f"The outline {problem}."
        raise RoiError(msg, remedy="Correct it first, or undo the change.")
    if tool is Tool.LIVEWIRE:
        return LivewireStroke(context, _beside)
    if tool in PAINTING:
        return BrushStroke(context, joined if tool is Tool.BRUSH else cut)
    combine = {Tool.HOLE: _without, Tool.ISLAND: _with}.get(tool, _beside)
    return Stroke(context, combine)
