"""Drawing where an outline is already: replace it, add a piece, or repair a stretch of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.polygon import MINIMAL_POINTS, area, first_crossing, signed_area
from multifidus.data.polygon_sets import region_of
from multifidus.editing.strokes import closed
from multifidus.errors import RoiError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Paths = Sequence[Array]

REACH_MM = 3.0
"""A stroke begins or ends at a border if it does so this near to it."""

OPEN_SHARE = 0.25
"""A stroke is open if its ends lie further apart than this share of its length: of a circle of
five clicks they do not."""

_SAME_MM = 1e-9
"""Points nearer than this are one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Border:
    """One closed path, measured along its length, in millimetres.

    Attributes
    ----------
    loop
        Its vertices, (n, 2).
    line
        The same as a closed line of shapely's.
    """

    loop: Array
    line: Any

    @classmethod
    def of(cls, loop: Array) -> _Border:
        """Take a closed path."""
        import shapely

        return cls(loop, shapely.LinearRing(loop))

    def at(self, point: ArrayLike) -> float:
        """Return where along the border the point nearest to a place lies."""
        import shapely

        return float(shapely.line_locate_point(self.line, shapely.Point(np.asarray(point))))

    def away(self, point: ArrayLike) -> float:
        """Return how far a place is from the border."""
        import shapely

        return float(shapely.distance(self.line, shapely.Point(np.asarray(point))))

    def stretch(self, start: float, end: float) -> Array:
        """Return the border from one place along it to another, going forward; both included."""
        import shapely

        steps = np.hypot(*(np.roll(self.loop, -1, axis=0) - self.loop).T)
        along = np.concatenate(([0.0], steps.cumsum()))[:-1]
        length = float(steps.sum())
        ahead = (along - start) % length
        span = (end - start) % length
        inside = np.nonzero((ahead > 0) & (ahead < span))[0]
        middle = self.loop[inside[np.argsort(ahead[inside])]]
        ends = (shapely.line_interpolate_point(self.line, place) for place in (start, end))
        first, last = (np.array([[point.x, point.y]]) for point in ends)
        return np.concatenate((first, middle, last))


def is_open(stroke: ArrayLike, spacing_mm: ArrayLike) -> bool:
    """Whether the ends of a stroke, (n, 2) pixels, are too far apart to be meant as closed."""
    way = np.asarray(stroke, dtype=np.float64).reshape(-1, 2) * np.asarray(spacing_mm)
    length = float(np.hypot(*np.diff(way, axis=0).T).sum())
    return bool(np.hypot(*(way[-1] - way[0])) > OPEN_SHARE * length)


def meets(paths: Paths, loop: Array) -> bool:
    """Whether what a closed path encloses and what paths enclose have an area in common."""
    return bool(region_of(paths).intersection(region_of([loop])).area > 0)


def repaired(paths: Paths, stroke: ArrayLike, spacing_mm: ArrayLike) -> tuple[Array, ...] | None:
    """Replace the stretch of a border that an open stroke runs beside, from its begin to its end.

    Of the two stretches between the ends of the stroke, that one goes whose replacement changes
    the enclosed area less. All other points stay as they are.

    Parameters
    ----------
    paths
        The outline, each path (n, 2): row, column. They do not cross.
    stroke
        As drawn, (n, 2): row, column.
    spacing_mm
        Between rows and between columns.

    Returns
    -------
    tuple of ndarray
        The outline with the stretch replaced; None where the stroke is closed, an end of it
        lies further than ``REACH_MM`` from the border, or nothing would be left.

    Raises
    ------
    RoiError
        If the new outline would cross itself.
    """
    spacing = np.asarray(spacing_mm, dtype=np.float64)
    way = closed(stroke) * spacing
    if len(way) < MINIMAL_POINTS - 1 or not is_open(stroke, spacing):
        return None
    loops = [np.asarray(path, dtype=np.float64) * spacing for path in paths]
    borders = [_Border.of(loop) for loop in loops]
    far = [max(border.away(way[0]), border.away(way[-1])) for border in borders]
    if not far or min(far) > REACH_MM:
        return None
    place = int(np.argmin(far))
    new = _with_stretch(borders[place], way)
    if len(new) < MINIMAL_POINTS:
        return None
    done = tuple(
        new / spacing if n == place else np.asarray(path, dtype=np.float64)
        for n, path in enumerate(paths)
    )
    if first_crossing(done) is not None or area(done) == 0:
        msg = "With this stretch the outline would cross itself."
        raise RoiError(msg, remedy="Draw the stretch again: begin and end at the border.")
    return done


def _with_stretch(border: _Border, way: Array) -> Array:
    """Return a border with a way instead of the stretch beside it."""
    way = _trimmed(border, _trimmed(border, way)[::-1])[::-1]
    start, end = border.at(way[0]), border.at(way[-1])
    stretches = border.stretch(start, end), border.stretch(end, start)
    forward, back = stretches
    changes = [_between(way, forward), _between(way, back[::-1])]
    kept = back if changes[0] <= changes[1] else forward[::-1]
    # What is kept begins where the way ends, and ends where the way begins.
    whole = np.concatenate((kept, way))
    apart = np.hypot(*(whole - np.roll(whole, 1, axis=0)).T) > _SAME_MM
    return np.asarray(whole[apart])


def _trimmed(border: _Border, way: Array) -> Array:
    """Let a way begin where it crosses the border within reach of its first point."""
    import shapely

    steps = np.hypot(*np.diff(way, axis=0).T)
    along = np.concatenate(([0.0], steps.cumsum()))
    head = int(np.searchsorted(along, min(REACH_MM, along[-1] / 4), side="right"))
    for n in range(min(head, len(steps)) - 1, -1, -1):
        met = shapely.intersection(border.line, shapely.LineString(way[n : n + 2].tolist()))
        places = shapely.get_coordinates(met)
        if len(places):
            last = places[np.argmax(np.hypot(*(places - way[n]).T))]
            return np.concatenate((last[None], way[n + 1 :]))
    return way


def _between(way: Array, stretch: Array) -> float:
    """Return the area between a way and a stretch that have their ends in common."""
    return abs(signed_area(np.concatenate((way, stretch[::-1]))))
