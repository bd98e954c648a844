"""The bias field of the outlines that share a calibration, fitted as the protocol says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.image import Slice, Weighting
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.data.roi import Source
from multifidus.measuring.bias_field.joint import JointGain
from multifidus.measuring.bias_field.low_order import (
    MOST_PIXELS,
    LowOrderField,
    Refusal,
    low_order_field,
)
from multifidus.measuring.bias_field.n4 import n4_field
from multifidus.measuring.fat.references import REFERENCES
from multifidus.measuring.outline_pixels import OutlinePixels, OutlineSignal
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


SHADED = frozenset({Weighting.T1, Weighting.T2, Weighting.PD, Weighting.UNKNOWN})
"""Images in which lean muscle is darker than fat and brighter than nothing, and which the coil
shades. Of a Dixon pair that is so of water and fat together."""

REFUSAL_FLAGS: Mapping[Refusal, Flag] = {
    Refusal.STRONG: Flag.SHADING_STRONG,
    Refusal.UNEQUAL: Flag.LEAN_REFERENCES_UNEQUAL,
    Refusal.MOVES_FAT: Flag.SHADING_UNCLEAR,
}
"""What a refusal says beyond that nothing was corrected; the others are too little lean muscle."""

MOST_LEFT = 2.0
"""Lean muscle whose signal differs by more than this factor over the outlines, and is left so,
gives no reference by rule: the rule takes the darkest, and fat where it is brightest."""


@dataclass(frozen=True, slots=True, eq=False)
class BiasField:
    """The field by which the signal of outlines that share a calibration is divided.

    Parameters
    ----------
    method
        What was done.
    reason
        Why it is not what the protocol asks for; empty where it is.
    low_order
        The field of ``low_order``.
    joint
        The field of ``joint``.
    joint_refusal
        Why it is not that of ``joint``, where the protocol asks for that; else empty.
    maps
        The field of ``n4``, (rows, columns) by slice UID.
    flags
        Quality flags of the inhomogeneity that is left.
    beyond
        How far the outlines of fat references lie outside the region in which ``low_order`` was
        fitted, in millimetres, and how much the logarithm of its gain may change on the way; means
        over their points.
    """

    method: BiasCorrection
    reason: str = ""
    low_order: LowOrderField | None = None
    joint: JointGain | None = None
    joint_refusal: str = ""
    maps: Mapping[str, Array] = field(default_factory=dict)
    flags: tuple[Flag, ...] = ()
    beyond: tuple[float, float] = (0.0, 0.0)

    @property
    def signal_flags(self) -> tuple[Flag, ...]:
        """Quality flags of all that rests on the corrected signal."""
        return (*((Flag.BIAS_NOT_CORRECTED,) if self.reason else ()), *self.flags)

    def gain(self, item: Slice) -> Array:
        """Return the field on a whole slice, (rows, columns)."""
        if self.low_order is not None or self.joint is not None:
            return self.at(item, np.indices(item.shape).reshape(2, -1).T).reshape(item.shape)
        return self.maps.get(item.uid, np.ones(item.shape))

    def at(self, item: Slice, pixels: NDArray[np.generic]) -> Array:
        """Return the field at pixels of a slice, (n, 2) of whole (row, column)."""
        if self.joint is not None:
            return self.joint.at(item, pixels)
        if self.low_order is not None:
            return self.low_order.at_axes(item.plane.axes_mm(pixels))
        row, column = np.asarray(pixels, dtype=np.intp).T
        return np.asarray(self.maps[item.uid][row, column])

    def correct(self, item: OutlinePixels) -> OutlinePixels:
        """Divide an outline's signal by the field, and say so."""
        found: dict[str, Any] = {"bias_correction": self.method.value}
        if self.reason:
            found["bias_refusal"] = str(self.reason)
        if self.joint_refusal:
            found["joint_refusal"] = self.joint_refusal
        if self.method is BiasCorrection.NONE:
            signal = replace(item.raw, parameters=FrozenDict(found), flags=self.signal_flags)
            return replace(item, raw=signal, corrected=signal)
        image, raw = item.placed.slice, item.raw
        pixels, band, along = item.footprint.pixels, item.band.pixels, raw.along
        if along is None or band is None:
            gains = self.at(image, pixels)
        else:
            both = self.at(image, np.concatenate((pixels, band)))
            gains, along = both[: len(pixels)], along / both[len(pixels) :]
        weights = raw.inside.weights
        found["bias_gain"] = WeightedPixels(gains, weights).mean if len(gains) else NAN
        corrected = OutlineSignal(
            WeightedPixels(raw.inside.values / gains, weights),
            along,
            FrozenDict(found),
            self.signal_flags,
            (float(gains.min()), float(gains.max())) if len(gains) else (1.0, 1.0),
        )
        return replace(item, raw=replace(raw, parameters=_AS_IT_IS), corrected=corrected)


_UNCHANGED = BiasField(BiasCorrection.NONE)
_AS_IT_IS = FrozenDict({"bias_correction": BiasCorrection.NONE.value})


def fit_bias_field(members: Sequence[OutlinePixels], protocol: MeasurementProtocol) -> BiasField:
    """Fit the field of outlines that share a calibration.

    References by rule are held against the shading that is left.

    Raises
    ------
    ReadError
        If N4 is asked for and SimpleITK is not installed.
    """
    found = _wanted(members, protocol)
    by_rule = any(
        item.roi.source is Source.DRAFT and item.roi.key.structure in REFERENCES for item in members
    )
    if not by_rule or found.method is BiasCorrection.LOW_ORDER or found.flags:
        return found
    return replace(found, flags=_left_in([found.correct(item) for item in members]))


def _left_in(members: Sequence[OutlinePixels]) -> tuple[Flag, ...]:
    """Say whether shading that is left in lean muscle is strong, where that can be told."""
    muscles = [item for item in members if item.is_muscle]
    if not muscles or members[0].placed.series.weighting not in SHADED:
        return ()
    left = _low_order(members)
    if left.low_order is None:
        return left.flags
    gains = np.concatenate([left.low_order.at(item.points_mm) for item in muscles])
    is_strong = len(gains) and gains.max() > MOST_LEFT * gains.min()
    return (Flag.SHADING_STRONG,) if is_strong else ()


def _wanted(members: Sequence[OutlinePixels], protocol: MeasurementProtocol) -> BiasField:
    wanted = protocol.bias_correction
    if wanted is BiasCorrection.NONE or not can_correct(members, protocol):
        return _UNCHANGED
    return _n4(members) if wanted is BiasCorrection.N4 else _low_order(members)


def can_correct(members: Sequence[OutlinePixels], protocol: MeasurementProtocol) -> bool:
    """Whether fat is measured on images that have a bias field."""
    fat_is_measured = bool(protocol.fat_methods) and any(item.is_muscle for item in members)
    return fat_is_measured and members[0].placed.series.weighting in SHADED


def _of(members: Sequence[OutlinePixels], *structures: Structure) -> list[OutlinePixels]:
    return [item for item in members if item.roi.key.structure in structures]


def _low_order(members: Sequence[OutlinePixels]) -> BiasField:
    lean = _of(members, Structure.LEAN_REFERENCE)
    fat = _of(members, Structure.FAT_REFERENCE)
    muscles = [item for item in members if item.is_muscle]
    if not any(len(item.pixels.values) for item in lean):
        return BiasField(BiasCorrection.NONE, Refusal.NO_REFERENCE)
    used = [item for item in (*muscles, *lean) if len(item.pixels.values)]
    counts = [len(item.pixels.values) for item in used]
    # Thinned before places are worked out: the fit needs no more, and exams hold a million pixels.
    step = max(1, sum(counts) // MOST_PIXELS)
    found, reason = low_order_field(
        np.concatenate([i.placed.slice.plane.to_patient(i.footprint.pixels[::step]) for i in used]),
        np.concatenate([item.pixels.values[::step] for item in used]),
        np.concatenate([item.pixels.weights[::step] for item in used]),
        outline=np.repeat(np.arange(len(used)), [-(-count // step) for count in counts]),
        reference=np.concatenate(
            [
                np.full(-(-count // step), not item.is_muscle)
                for item, count in zip(used, counts, strict=True)
            ]
        ),
        lean_signal=_median(lean),
        fat_signal=_median(fat),
    )
    if found is None:
        flags = () if reason is None or reason not in REFUSAL_FLAGS else (REFUSAL_FLAGS[reason],)
        return BiasField(BiasCorrection.NONE, reason or "", flags=flags)
    return BiasField(BiasCorrection.LOW_ORDER, low_order=found, beyond=_beyond(found, fat))


def _beyond(found: LowOrderField, fat: Sequence[OutlinePixels]) -> tuple[float, float]:
    if not fat:
        return 0.0, 0.0
    distance, change = found.beyond(np.concatenate([p for i in fat for p in i.roi.paths_mm]))
    return float(distance.mean()), float(change.mean())


def _median(members: Sequence[OutlinePixels]) -> float:
    values = [item.pixels.values for item in members if len(item.pixels.values)]
    return float(np.median(np.concatenate(values))) if values else float("nan")


def _n4(members: Sequence[OutlinePixels]) -> BiasField:
    """Correct each stack by itself; what differs between stacks is left as it is."""
    by_stack: dict[int, tuple[Any, list[OutlinePixels]]] = {}
    for item in members:
        stack = item.placed.series.stack_at(item.placed.index)
        by_stack.setdefault(id(stack), (stack, []))[1].append(item)
    maps: dict[str, Array] = {}
    for stack, outlined in by_stack.values():
        gains = dict(zip((s.uid for s in stack.slices), n4_field(stack.slices), strict=True))
        muscles = [item for item in outlined if item.is_muscle] or outlined
        logs = [
            np.log(gains[item.placed.slice.uid][tuple(item.footprint.pixels.T)]) for item in muscles
        ]
        level = float(np.exp(np.concatenate(logs).mean())) if logs else 1.0
        maps |= {item.uid: gains[item.uid].astype(np.float64) / level for item in stack.slices}
    return BiasField(BiasCorrection.N4, maps=maps)
