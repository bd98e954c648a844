"""Fat by regions of a muscle: quarters from medial to lateral, and the deepest part."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Side
from multifidus.data.flags import Flag
from multifidus.data.geometry import Orientation
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.polygon import oriented_loops
from multifidus.measuring.coverage import Region
from multifidus.measuring.derived.region_paths import between, cut_at_share
from multifidus.measuring.dixon import dixon_fat_fraction
from multifidus.measuring.fat.estimator import Need, above_threshold_pct
from multifidus.measuring.fat.methods import needs_of
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
                MappingProxyType({**used, **part.parameters}),
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
    value = NAN if math.isnan(row.value) else above_threshold_pct(sample, used["threshold"])
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
    return row.quantity is Quantity.FI_PCT and Need.EQUALISED_SLICE not in needs_of(row.method)


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
