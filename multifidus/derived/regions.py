"""Fat by regions of a muscle: quarters from medial to lateral, and the deepest part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.anatomy import Side
from multifidus.flag import Flag
from multifidus.geometry import Orientation
from multifidus.measurement import Measurement, Quantity
from multifidus.metrics.fat import above_threshold_pct
from multifidus.metrics.regions import between, cut_at_share
from multifidus.metrics.samples import Sample
from multifidus.polygon import oriented_loops
from multifidus.raster import Region
from multifidus.sampling import Sampled

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
    """A region's pixels, and how it was cut."""

    quantity: Quantity
    sample: Sample
    parameters: Mapping[str, Any]


def regional_rows(item: Sampled, rows: Iterable[Measurement]) -> Iterator[Measurement]:
    """Yield the fat of every region of a muscle, by the methods that part it by one threshold.

    Parameters
    ----------
    item
        The muscle's outline with its pixels; on axial slices, as others have no lateral or no
        anterior side.
    rows
        The numbers about it. Methods are those whose ``fi_pct`` is the share of pixels above the
        ``threshold`` on its row.
    """
    fat = [row for row in rows if row.quantity is Quantity.FI_PCT and _is_binary(item, row)]
    plane = item.placed.slice.plane
    if not fat or plane.orientation is not Orientation.AXIAL:
        return
    for part in _parts(item):
        for row in fat:
            value = above_threshold_pct(part.sample, row.parameters["threshold"])
            # How sure the whole muscle's number is does not hold for a part of it.
            used = {name: of for name, of in row.parameters.items() if not name.startswith("u_")}
            yield Measurement(
                row.key,
                part.quantity,
                value,
                row.provenance,
                len(part.sample.values),
                row.method,
                MappingProxyType({**used, **part.parameters}),
                row.flags if len(part.sample.values) else (*row.flags, Flag.UNDETECTABLE),
            )


def _is_binary(item: Sampled, row: Measurement) -> bool:
    """Whether a method's answer is the share of this very signal above a threshold."""
    threshold = row.parameters.get("threshold")
    if threshold is None:
        return False
    value = above_threshold_pct(item.sample, threshold)
    return bool(np.isclose(value, row.value, rtol=0, atol=1e-9, equal_nan=True))


def _parts(item: Sampled) -> Iterator[_Part]:
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


def _along(item: Sampled, axis: int) -> Array:
    """Direction in (row, column) along which a patient coordinate grows, millimetres a pixel."""
    plane = item.placed.slice.plane
    return np.array((plane.row_step_mm[axis], plane.column_step_mm[axis]))


def _part(item: Sampled, quantity: Quantity, along: Array, bounds: tuple[float, float]) -> _Part:
    kept = between(item.visible, along, *bounds)
    cover = Region(tuple(kept)).coverage(item.placed.slice.shape)
    row, column = (item.pixels - (cover.top, cover.left)).T
    rows, columns = cover.weights.shape
    inside = (row >= 0) & (row < rows) & (column >= 0) & (column < columns)
    weights = np.zeros(len(item.pixels))
    weights[inside] = cover.weights[row[inside], column[inside]]
    return _Part(quantity, Sample.of(item.sample.values, weights), _described(item, along, bounds))


def _described(item: Sampled, along: Array, bounds: Sequence[float]) -> dict[str, Any]:
    """Say where a region was cut, in patient millimetres."""
    plane = item.placed.slice.plane
    deep = bool((along == _along(item, _Y)).all())
    axis, sign = (_Y, 1.0) if deep else (_X, _LATERAL[item.roi.key.side])
    cuts = [float(plane.origin_mm[axis] + sign * bound) for bound in bounds if np.isfinite(bound)]
    return {"axis": "patient_y" if deep else "patient_x", "cuts_mm": cuts}
