"""Fat by regions of a muscle: quarters from medial to lateral, and the deepest part.

Regions are parts of a given share of the outline's area, cut off along a direction. Everything is
exact for the polygon: areas agree to rounding, and no pixel belongs to one region alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Side
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.geometry import Orientation
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.polygon import clip_beyond, oriented_loops
from multifidus.measuring.coverage import Region
from multifidus.measuring.dixon_pairs import dixon_fat_fraction
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

QUARTERS = (Quantity.FI_Q1_PCT, Quantity.FI_Q2_PCT, Quantity.FI_Q3_PCT, Quantity.FI_Q4_PCT)
"""From medial to lateral."""

DEEP_SHARE = 0.15
"""Share of the area that is the deep part."""

_X, _Y = 0, 1

_LATERAL = {Side.LEFT: 1.0, Side.RIGHT: -1.0}
"""Which way along patient x is lateral; x grows to the patient's left."""

_LEVEL = 1e-100
"""Edges that run along by less enclose nothing, and their slopes overflow."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A region: how much of each pixel of the image lies in it, and how it was cut."""

    quantity: Quantity
    weights: Array
    parameters: Mapping[str, Any]


def regional_rows(item: OutlinePixels, rows: Iterable[Measurement]) -> Iterator[Measurement]:
    """Yield the fat of every region of a muscle, by one threshold or from a Dixon pair.

    Parameters
    ----------
    item
        The muscle's outline with its pixels; on axial slices, as others have no lateral or no
        anterior side.
    rows
        The numbers about it. Methods are those whose ``fi_pct`` is the share of pixels above the
        ``threshold`` on its row, and Dixon's mean of F / (F + W). Regions state no uncertainty:
        that of the whole muscle does not hold for a part of it.
    """
    fat = [row for row in rows if _is_binary(row) or _is_dixon(item, row)]
    plane = item.placed.slice.plane
    if not fat or plane.orientation is not Orientation.AXIAL:
        return
    for part in _parts(item):
        for row in fat:
            is_dixon = row.quantity is Quantity.DIXON_FF_MEAN_PCT
            value, n, used = (_dixon if is_dixon else _binary)(item, row, part)
            flags = row.flags if n else tuple(dict.fromkeys((*row.flags, Flag.UNDETECTABLE)))
            yield Measurement(
                row.key,
                part.quantity,
                value,
                row.provenance,
                n,
                row.method,
                FrozenDict({**used, **part.parameters}),
                flags,
            )


_Fat = tuple[float, int, Mapping[str, Any]]
"""Fat in percent, of how many pixels, and the values that were used."""


def _binary(item: OutlinePixels, row: Measurement, part: _Part) -> _Fat:
    row_column = tuple(item.footprint.pixels.T)
    own = item.signal_for(row.method).inside
    sample = WeightedPixels.of(own.values, part.weights[row_column])
    # How sure the whole muscle's number is does not hold for a part of it.
    used = {name: value for name, value in row.parameters.items() if not name.startswith("u_")}
    # What is undefined of the whole muscle is undefined of a part of it.
    value = NAN if math.isnan(row.value) else 100 * sample.share_above(used["threshold"])
    return value, len(sample.values), used


def _dixon(item: OutlinePixels, row: Measurement, part: _Part) -> _Fat:
    assert item.dixon is not None  # noqa: S101 - narrows the type; _is_dixon saw to it
    result = dixon_fat_fraction(
        item.dixon.fat, item.dixon.water, item.footprint.coverage.of(part.weights)
    )
    value = NAN if math.isnan(row.value) else result.mean_pct
    return value, result.n_pixels, {"basis": "signal", "form": "mean"}


def _is_dixon(item: OutlinePixels, row: Measurement) -> bool:
    return row.quantity is Quantity.DIXON_FF_MEAN_PCT and item.dixon is not None


def _is_binary(row: Measurement) -> bool:
    """Whether a method's answer is the share of the muscle's own signal above a threshold."""
    return row.quantity is Quantity.FI_PCT and Need.EQUALISED_SLICE not in METHODS[row.method].needs


def _parts(item: OutlinePixels) -> Iterator[_Part]:
    loops = oriented_loops(item.roi.paths)
    along = _along(item, _Y)
    bound = cut_at_share(loops, along, DEEP_SHARE)
    yield _part(item, Quantity.FI_DEEP_PCT, along, (-np.inf, bound))
    lateral = _LATERAL.get(item.roi.key.side)
    if lateral is None:
        return
    along = lateral * _along(item, _X)
    shares = [number / len(QUARTERS) for number in range(1, len(QUARTERS))]
    bounds = [-np.inf, *(cut_at_share(loops, along, share) for share in shares), np.inf]
    for quantity, between_two in zip(QUARTERS, pairwise(bounds), strict=True):
        yield _part(item, quantity, along, between_two)


def _along(item: OutlinePixels, axis: int) -> Array:
    """Direction in (row, column) along which a patient coordinate grows, millimetres a pixel."""
    plane = item.placed.slice.plane
    return np.array((plane.row_step_mm[axis], plane.column_step_mm[axis]))


def _part(
    item: OutlinePixels, quantity: Quantity, along: Array, bounds: tuple[float, float]
) -> _Part:
    cover = Region(tuple(between(item.footprint.loops, along, *bounds))).coverage(
        item.placed.slice.shape
    )
    weights = cover.full(item.placed.slice.shape)
    return _Part(quantity, weights, _described(item, along, bounds))


def _described(item: OutlinePixels, along: Array, bounds: Sequence[float]) -> dict[str, Any]:
    """Say where a region was cut, in patient millimetres."""
    plane = item.placed.slice.plane
    deep = bool((along == _along(item, _Y)).all())
    axis, sign = (_Y, 1.0) if deep else (_X, _LATERAL[item.roi.key.side])
    cuts = [float(plane.origin_mm[axis] + sign * bound) for bound in bounds if np.isfinite(bound)]
    return {"axis": "patient_y" if deep else "patient_x", "cuts_mm": cuts}


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
