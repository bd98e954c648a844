"""The coil's shading taken out of what fat is measured in, as the protocol says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.anatomy import Structure
from multifidus.fat_basis import BasisKey, basis_key
from multifidus.flag import Flag
from multifidus.image import Slice, Weighting
from multifidus.metrics.samples import Sample
from multifidus.preprocessing.low_order import MOST_PIXELS, LowOrderField, low_order_field
from multifidus.preprocessing.n4 import n4_field
from multifidus.protocol import BiasCorrection, MeasurementProtocol
from multifidus.sampling import Sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SHADED = frozenset({Weighting.T1, Weighting.T2, Weighting.PD, Weighting.UNKNOWN})
"""Images whose signal is corrected: lean muscle is darker than fat and brighter than nothing.
Fat fractions need no correction, because shading cancels in them."""


@dataclass(frozen=True, slots=True, eq=False)
class Correction:
    """How the outlines that share a threshold are corrected.

    Parameters
    ----------
    method
        What was done.
    reason
        Why it is not what the protocol asks for; empty where it is.
    low_order
        The field of ``low_order``.
    maps
        The field of ``n4``, (rows, columns) by slice UID.
    """

    method: BiasCorrection
    reason: str = ""
    low_order: LowOrderField | None = None
    maps: Mapping[str, Array] = field(default_factory=dict)

    def gain(self, item: Slice) -> Array:
        """Return the field on a whole slice, (rows, columns)."""
        if self.low_order is not None:
            pixels = np.indices(item.shape).reshape(2, -1).T
            return self.low_order.at(item.plane.to_patient(pixels)).reshape(item.shape)
        return self.maps.get(item.uid, np.ones(item.shape))

    def at(self, item: Slice, pixels: NDArray[np.generic]) -> Array:
        """Return the field at pixels of a slice, (n, 2) of whole (row, column)."""
        if self.low_order is not None:
            return self.low_order.at(item.plane.to_patient(pixels))
        row, column = np.asarray(pixels, dtype=np.intp).T
        return np.asarray(self.maps[item.uid][row, column])

    def apply(self, item: Sampled) -> Sampled:
        """Divide an outline's signal by the field, and say so."""
        found = {"bias_correction": self.method.value}
        flags = (Flag.BIAS_NOT_CORRECTED,) if self.reason else ()
        if self.method is BiasCorrection.NONE:
            return replace(item, fat_parameters=MappingProxyType(found), fat_flags=flags)
        image = item.placed.slice
        gains = self.at(image, item.pixels)
        rim = item.rim.divided(lambda pixels: self.at(image, pixels))
        level = Sample(gains, item.sample.weights).mean if len(gains) else float("nan")
        return replace(
            item,
            sample=Sample(item.sample.values / gains, item.sample.weights),
            rim=rim,
            fat_parameters=MappingProxyType({**found, "bias_gain": level}),
            untouched=replace(item, fat_parameters=_AS_IT_IS),
        )


_UNCHANGED = Correction(BiasCorrection.NONE)
_AS_IT_IS = MappingProxyType({"bias_correction": BiasCorrection.NONE.value})


def corrections(
    sampled: Sequence[Sampled], protocol: MeasurementProtocol
) -> dict[BasisKey, Correction]:
    """Find the field of each group of outlines that share a threshold.

    Raises
    ------
    ReadError
        If N4 is asked for and SimpleITK is not installed.
    """
    groups: dict[BasisKey, list[Sampled]] = {}
    for item in sampled:
        groups.setdefault(basis_key(item), []).append(item)
    return {key: _correction(members, protocol) for key, members in groups.items()}


def _correction(members: Sequence[Sampled], protocol: MeasurementProtocol) -> Correction:
    wanted = protocol.bias_correction
    fat_is_measured = any(item.roi.key.structure.is_muscle for item in members)
    if (
        wanted is BiasCorrection.NONE
        or not protocol.fat_methods
        or not fat_is_measured
        or members[0].placed.series.weighting not in SHADED
    ):
        return _UNCHANGED
    return _low_order(members) if wanted is BiasCorrection.LOW_ORDER else _n4(members)


def _of(members: Sequence[Sampled], *structures: Structure) -> list[Sampled]:
    return [item for item in members if item.roi.key.structure in structures]


def _low_order(members: Sequence[Sampled]) -> Correction:
    lean = _of(members, Structure.LEAN_REFERENCE)
    fat = _of(members, Structure.FAT_REFERENCE)
    muscles = [item for item in members if item.roi.key.structure.is_muscle]
    if not any(len(item.sample.values) for item in lean):
        return Correction(BiasCorrection.NONE, "there is no lean reference")
    used = [item for item in (*muscles, *lean) if len(item.sample.values)]
    counts = [len(item.sample.values) for item in used]
    # Thinned before places are worked out: the fit needs no more, and exams hold a million pixels.
    step = max(1, sum(counts) // MOST_PIXELS)
    found, reason = low_order_field(
        np.concatenate([i.placed.slice.plane.to_patient(i.pixels[::step]) for i in used]),
        np.concatenate([item.sample.values[::step] for item in used]),
        np.concatenate([item.sample.weights[::step] for item in used]),
        outline=np.repeat(np.arange(len(used)), [-(-count // step) for count in counts]),
        reference=np.concatenate(
            [
                np.full(-(-count // step), not item.roi.key.structure.is_muscle)
                for item, count in zip(used, counts, strict=True)
            ]
        ),
        lean_signal=_median(lean),
        fat_signal=_median(fat),
    )
    if found is None:
        return Correction(BiasCorrection.NONE, reason)
    return Correction(BiasCorrection.LOW_ORDER, low_order=found)


def _median(members: Sequence[Sampled]) -> float:
    values = [item.sample.values for item in members if len(item.sample.values)]
    return float(np.median(np.concatenate(values))) if values else float("nan")


def _n4(members: Sequence[Sampled]) -> Correction:
    """Correct each stack by itself; what differs between stacks is left as it is."""
    by_stack: dict[int, tuple[Any, list[Sampled]]] = {}
    for item in members:
        stack = item.placed.series.stack_at(item.placed.index)
        by_stack.setdefault(id(stack), (stack, []))[1].append(item)
    maps: dict[str, Array] = {}
    for stack, outlined in by_stack.values():
        gains = dict(zip((s.uid for s in stack.slices), n4_field(stack.slices), strict=True))
        muscles = [item for item in outlined if item.roi.key.structure.is_muscle] or outlined
        logs = [np.log(gains[item.placed.slice.uid][tuple(item.pixels.T)]) for item in muscles]
        level = float(np.exp(np.concatenate(logs).mean())) if logs else 1.0
        maps |= {item.uid: gains[item.uid].astype(np.float64) / level for item in stack.slices}
    return Correction(BiasCorrection.N4, maps=maps)
