"""Regions of an outline: parts of a given share of its area, cut off along a direction.

Everything is exact for the polygon: areas agree to rounding, and no pixel belongs to one region
alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.polygon import clip_beyond

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LEVEL = 1e-100
"""Edges that run along by less enclose nothing, and their slopes overflow."""


def cut_at_share(loops: Sequence[Array], along: Array, share: float) -> float:
    """Find how far along a direction an outline holds a given share of its area.

    Parameters
    ----------
    loops
        Simple loops, each (n, 2), turned so that their signed areas sum to the area
        (:func:`multifidus.data.polygon.oriented_loops`).
    along
        Direction in the same plane, shape (2,), of any length but 0.
    share
        Between 0 and 1.

    Returns
    -------
    float
        The bound: points with ``point @ along`` below it enclose the share.
    """
    start, end = _edges(loops, along)
    stations = np.unique(start[:, 0])
    wanted = share * float(_areas_below(start, end, stations[-1:])[0])
    low, high = 0, len(stations) - 1
    while high - low > 1:
        middle = (low + high) // 2
        below = float(_areas_below(start, end, stations[middle : middle + 1])[0]) < wanted
        low, high = (middle, high) if below else (low, middle)
    # Between two stations no edge begins or ends, so the area is a parabola: three values tell it.
    first, last = stations[low], stations[high]
    at = _areas_below(start, end, np.array((first, (first + last) / 2, last))) - wanted
    return float(first + (last - first) * _root(*at))


def _edges(loops: Sequence[Array], along: Array) -> tuple[Array, Array]:
    """Return the two ends of all edges as (place along, place across), area preserved."""
    length2 = float(along @ along)
    turned = np.stack((along, np.array((-along[1], along[0])) / length2), axis=1)
    ends = [loop @ turned for loop in loops]
    return np.concatenate(ends), np.concatenate([np.roll(loop, -1, axis=0) for loop in ends])


def _areas_below(start: Array, end: Array, bounds: Array) -> Array:
    """Area enclosed where the place along is below each bound: Green's theorem, edge by edge."""
    (t0, s0), (t1, s1) = start.T, end.T
    is_level = np.abs(t1 - t0) < _LEVEL
    slope = np.where(is_level, 0.0, (s1 - s0) / np.where(is_level, 1.0, t1 - t0))
    from_t = np.minimum(t0, bounds[:, None])
    to_t = np.minimum(t1, bounds[:, None])
    mean_s = s0 + slope * ((from_t + to_t) / 2 - t0)
    return np.asarray(-((to_t - from_t) * mean_s).sum(axis=1))


def _root(at_0: float, at_half: float, at_1: float) -> float:
    """Find where a rising parabola through three values at 0, 1/2 and 1 is 0, within 0 to 1."""
    bend = 2 * (at_0 + at_1) - 4 * at_half
    rise = at_1 - at_0 - bend
    turn = max(rise * rise - 4 * bend * at_0, 0.0)
    # This form loses no digits where the parabola is nearly straight.
    below = rise + float(np.sqrt(turn))
    return float(np.clip(-2 * at_0 / below if below else 0.5, 0.0, 1.0))


def between(loops: Sequence[Array], along: Array, low: float, high: float) -> list[Array]:
    """Keep what lies between two bounds along a direction; turned as given.

    Parameters
    ----------
    loops
        As for :func:`cut_at_share`.
    along
        The direction, shape (2,).
    low, high
        Bounds of ``point @ along``; infinite where there is none.
    """
    kept = [clip_beyond(clip_beyond(loop, along, low), -along, -high) for loop in loops]
    return [loop for loop in kept if len(loop)]
