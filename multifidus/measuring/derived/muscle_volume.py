"""The volume of a muscle in one stack of parallel slices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from multifidus.data.anatomy import Side
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Stack
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import RoiKey
from multifidus.measuring.derived.combine import NAN, Numbers, combined, shared

NO_VOLUME = frozenset({Flag.SLICES_MISSING, Flag.SLICES_UNEVEN})
"""Doubts about a stack that leave it without a volume."""

_OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}

_Place = tuple[RoiKey, str]
"""Whose volume: the outline's key without its slice, and the UID of the stack's first slice."""


def volume_rows(outlines: Mapping[RoiKey, Numbers], exam: Exam) -> Iterator[Measurement]:
    """Yield the volume of every muscle outlined on several slices of one stack, and of both sides.

    Slices of different stacks never make one volume. A row stands on its first slice; its
    parameters name all. One slice has an area and no volume, so it has no row. Sides that are
    outlined on different slices are flagged, and have no volume together.

    The errors of one rater's slices, and sides, are taken to go together, so that their
    uncertainties add up: rather too much than too little. What the muscle does between slices and
    beyond the outermost is not in it.
    """
    series = {item.uid: item for item in exam.series}
    stacks: dict[_Place, Stack] = {}
    runs: dict[_Place, list[Measurement]] = {}
    for key, numbers in outlines.items():
        if key.structure.is_muscle:
            area = numbers[Quantity.TCSA_MM2, ""]
            stack = series[area.provenance.series].stack_at(_index(area))
            place = (replace(key, slice_uid=""), stack.slices[0].uid)
            stacks[place] = stack
            runs.setdefault(place, []).append(area)
    volumes = {
        place: _volume(areas, stacks[place], _volume_flags(areas, runs.get(_across(place), ())))
        for place, areas in runs.items()
        if len(areas) > 1
    }
    yield from volumes.values()
    for (key, stack_uid), left in volumes.items():
        right = volumes.get((replace(key, side=Side.RIGHT), stack_uid))
        if key.side is Side.LEFT and right is not None:
            yield _both(right, left)


def _index(area: Measurement) -> int:
    index = area.provenance.slice_index
    assert index is not None  # noqa: S101 - narrows the type; an outline lies on a slice
    return index


def _across(place: _Place) -> _Place:
    """Return whose volume is that of the other side; of no side, its own."""
    key, stack_uid = place
    return replace(key, side=_OTHER.get(key.side, key.side)), stack_uid


def _volume_flags(areas: Sequence[Measurement], across: Sequence[Measurement]) -> tuple[Flag, ...]:
    """Flag a volume beside that of the other side where that is outlined on other slices."""
    differ = across and set(map(_index, areas)) != set(map(_index, across))
    return (Flag.SLICES_DIFFER,) if differ else ()


def _volume(
    areas: Sequence[Measurement], stack: Stack, beside: tuple[Flag, ...] = ()
) -> Measurement:
    ordered = sorted(areas, key=_index)
    indices = [_index(area) for area in ordered]
    step = stack.slice_step_mm or NAN
    flags = tuple(flag for flag in stack.flags if flag in NO_VOLUME)
    if not is_unbroken(indices):
        flags = (*flags, Flag.NOT_CONTIGUOUS)
    value = NAN if flags else volume_ml((area.value for area in ordered), step)
    used = {"slice_step_mm": step, "slice_indices": indices}
    at = (ordered[0].key, shared([area.provenance for area in ordered]))
    flags = (*flags, *beside)
    row = combined(at, Quantity.VOLUME_ML, value, ordered, parameters=used, flags=flags)
    u = NAN if math.isnan(value) else volume_ml((area.uncertainty for area in ordered), step)
    return row.with_uncertainty(u, {})


def _both(right: Measurement, left: Measurement) -> Measurement:
    first = min(right, left, key=_index)
    used = {"right": right.value, "left": left.value}
    pair = (first, left if first is right else right)
    at = (replace(first.key, side=Side.BOTH), shared([side.provenance for side in pair]))
    # A sum over slices that one side alone has would be of neither.
    differ = Flag.SLICES_DIFFER in right.flags
    value, u = (
        (NAN, NAN) if differ else (right.value + left.value, right.uncertainty + left.uncertainty)
    )
    flags = (Flag.SLICES_DIFFER,) if differ else ()
    row = combined(at, Quantity.VOLUME_ML, value, pair, parameters=used, flags=flags)
    return row.with_uncertainty(u, {})


def volume_ml(areas_mm2: Iterable[float], step_mm: float) -> float:
    """Sum areas times the step between their slices, millilitres (Cavalieri's rule).

    Examples
    --------
    >>> volume_ml([900.0, 1000.0, 1100.0], 4.0)
    12.0
    """
    return math.fsum(areas_mm2) * step_mm / 1000


def is_unbroken(indices: Sequence[int]) -> bool:
    """Whether distinct places of slices in their stack follow one another without a gap."""
    return max(indices) - min(indices) + 1 == len(indices)
