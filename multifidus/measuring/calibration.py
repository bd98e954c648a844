"""On what a muscle's fat rests: the references and the threshold that its exam gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Weighting
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Source
from multifidus.measuring.dixon import dixon_fat_fraction
from multifidus.measuring.fat.methods import (
    EXAM_METHODS,
    OUTLINE_METHODS,
    FatResult,
    above_threshold_pct,
    exam_threshold,
    given_fat,
    linear_fat,
    outline_fat,
)
from multifidus.measuring.fat.references import References
from multifidus.measuring.fat.voids import darkest_muscle
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.overlapping_muscles import shared_pixels
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels, pool

REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)

SHADED = frozenset({Weighting.T1, Weighting.T2, Weighting.PD, Weighting.UNKNOWN})
"""Images in which lean muscle is darker than fat and brighter than nothing, and is shaded by the
coil. Of a Dixon pair that is so of water and fat together."""

KNOWN_FAT = (Structure.FAT_REFERENCE, Structure.SUBCUTANEOUS_FAT)

FEWEST_PIXELS = 30
"""References of fewer pixels in all are flagged; of 30 and more, how many there are moves the
answer by less than half a point."""

MOST_CONTRAST = 16.0
"""References by rule whose fat is more than this many times as bright as their lean muscle lie in
different shading: fat is 2 to 8 times as bright."""

FARTHEST_MM, MOST_UNKNOWN = 10.0, 0.05
"""Fat references are flagged that lie farther than this outside the region in which shading was
fitted, or nearer where the shading may change by more than this share on the way. On the phantom
with 15 to 60 % of plane shading they lie up to 9 mm outside where every back muscle is outlined,
and cost less than a point; with a surface coil's, 12 points of linear mixing at 26 mm."""

OVERLAP_SHARE = 0.1
"""Share of a fat reference that may lie on another outline: borders that touch."""


class Swapped(Enum):
    """Whether water and fat images are taken for each other."""

    NO = "no"
    PERHAPS = "perhaps"
    SURELY = "surely"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One threshold for all muscles that share references, and what it rests on."""

    value: float
    flags: tuple[Flag, ...]
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class ThresholdBasis:
    """What all muscles that share references share.

    Parameters
    ----------
    references
        Their references.
    thresholds
        The threshold of every method that gives one an exam.
    swapped
        Whether their water and fat images may be swapped, by what the outlines hold.
    darkest
        Signal below which a pixel is neither lean muscle nor fat, of a Dixon pair of both images
        together; NaN where it cannot be told.
    """

    references: References
    thresholds: Mapping[FatMethod, Threshold]
    swapped: Swapped
    darkest: float = NAN


BasisKey = tuple[object, ...]


def basis_key(item: OutlinePixels) -> BasisKey:
    """Return what outlines share that share a threshold: their reading and its signal's scale."""
    series = item.placed.series
    return (item.roi.key.reading, series.signal_group or series.uid)


def threshold_bases(
    sampled: Sequence[OutlinePixels], protocol: MeasurementProtocol
) -> dict[BasisKey, ThresholdBasis]:
    """Find the exam's thresholds from all its muscles and references together."""
    groups: dict[BasisKey, list[OutlinePixels]] = {}
    for item in sampled:
        groups.setdefault(basis_key(item), []).append(item)
    referred = {_reading(item) for item in sampled if _is_reference(item)}
    return {key: _basis(members, protocol, referred) for key, members in groups.items()}


def _reading(item: OutlinePixels) -> object:
    return item.roi.key.reading


def _is_reference(item: OutlinePixels) -> bool:
    return item.roi.key.structure in REFERENCES


def _basis(
    members: Sequence[OutlinePixels], protocol: MeasurementProtocol, referred: set[object]
) -> ThresholdBasis:
    lean, fat = (_pooled(_of(members, structure)) for structure in REFERENCES)
    here = len(lean.values) or len(fat.values)
    elsewhere = () if here or _reading(members[0]) not in referred else (Flag.REFERENCE_ELSEWHERE,)
    flags = (*elsewhere, *_drawn_badly(members), *_badly_shaded(members, lean, fat))
    references = References(lean, fat, flags, members[0].beyond_field[0])
    muscle = _pooled(item for item in members if item.roi.key.structure.is_muscle)
    wanted = [method for method in protocol.fat_methods if method in EXAM_METHODS]
    return ThresholdBasis(
        references,
        {method: _threshold(method, muscle, references, protocol) for method in wanted},
        _swapped(members),
        _darkest(members, muscle, references, references.doubts(protocol)),
    )


def _darkest(
    members: Sequence[OutlinePixels],
    muscle: WeightedPixels,
    references: References,
    doubts: Sequence[Flag],
) -> float:
    """Find the darkest signal of muscle and fat in images that show both."""
    if any(item.dixon is not None for item in members):
        return darkest_muscle(
            _pooled_total(_of(members, Structure.LEAN_REFERENCE)),
            _pooled_total(item for item in members if item.roi.key.structure.is_muscle),
        )
    lit = members[0].placed.series.weighting in SHADED and Flag.REFERENCE_INVERTED not in doubts
    return darkest_muscle(references.lean, muscle) if lit else NAN


def _pooled_total(members: Iterable[OutlinePixels]) -> WeightedPixels:
    """Pool water and fat together of outlines that lie on a Dixon pair."""
    return pool(
        [
            WeightedPixels.of(item.dixon[0] + item.dixon[1], item.cover.weights)
            for item in members
            if item.dixon is not None
        ]
    )


def _swapped(members: Sequence[OutlinePixels]) -> Swapped:
    """Hold a Dixon pair against tissue that is known; without any, muscle is mostly water."""
    lean = _is_fatty(_of(members, Structure.LEAN_REFERENCE))
    bright = _is_fatty([item for item in members if item.roi.key.structure in KNOWN_FAT])
    if lean or bright is False:
        return Swapped.SURELY
    known = lean is not None or bright is not None
    muscles = [item for item in members if item.roi.key.structure.is_muscle]
    return Swapped.PERHAPS if not known and _is_fatty(muscles) else Swapped.NO


def _is_fatty(members: Iterable[OutlinePixels]) -> bool | None:
    """Whether outlines hold more fat than water by their Dixon pair; None where nothing says it."""
    found = [
        dixon_fat_fraction(*item.dixon, item.cover.weights)
        for item in members
        if item.dixon is not None
    ]
    fat = math.fsum(one.fat_sum for one in found)
    water = math.fsum(one.total_sum for one in found) - fat
    return None if fat == water else fat > water


def _of(members: Iterable[OutlinePixels], structure: Structure) -> list[OutlinePixels]:
    return [item for item in members if item.roi.key.structure is structure]


def _pooled(members: Iterable[OutlinePixels]) -> WeightedPixels:
    return pool([item.sample for item in members])


def _drawn_badly(members: Sequence[OutlinePixels]) -> tuple[Flag, ...]:
    """Say what is doubtful about where references lie and what the image holds there."""
    lean, bright = (_of(members, structure) for structure in REFERENCES)
    others = [
        item
        for item in members
        if item.roi.key.structure.is_muscle or item.roi.key.structure is Structure.LEAN_REFERENCE
    ]
    overlaps = any(_overlap(one, other) > OVERLAP_SHARE for one in bright for other in others)
    # All of the fat at one value, in an image whose lean muscle shows noise, is cut off as well.
    flat = bool(bright) and all(item.flat for item in bright)
    noise = any(not item.flat for item in lean if len(item.sample.values) > 1)
    saturated = (flat and noise) or any(item.saturated for item in bright)
    proposed = any(item.roi.source is Source.DRAFT for item in members if _is_reference(item))
    # A kind of which there is none is missing, not small.
    sizes = [sum(item.sample.total for item in kind) for kind in (lean, bright)]
    found = {
        Flag.REFERENCE_SMALL: any(size and round(size) < FEWEST_PIXELS for size in sizes),
        Flag.REFERENCE_OVERLAPS_MUSCLE: overlaps,
        Flag.REFERENCE_SATURATED: saturated,
        Flag.REFERENCE_PROPOSED: proposed,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def _badly_shaded(
    members: Sequence[OutlinePixels], lean: WeightedPixels, fat: WeightedPixels
) -> tuple[Flag, ...]:
    """Say what shading makes doubtful about references."""
    by_rule = any(item.roi.source is Source.DRAFT for item in members if _is_reference(item))
    left = {flag for item in members for flag in item.fat_flags}
    too_bright = len(lean.values) and fat.median > MOST_CONTRAST * lean.median
    is_shaded = members[0].placed.series.weighting in SHADED
    bad = is_shaded and (too_bright or bool(left & {Flag.SHADING_STRONG, Flag.SHADING_UNCLEAR}))
    distance, change = members[0].beyond_field
    found = {
        Flag.REFERENCE_INCONSISTENT: by_rule and bad,
        Flag.REFERENCE_OUTSIDE_FIELD: distance > FARTHEST_MM or change > MOST_UNKNOWN,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def _overlap(one: OutlinePixels, other: OutlinePixels) -> float:
    """Share of an outline that surely lies on another one of its slice, pixel by pixel."""
    if one.placed.slice.uid != other.placed.slice.uid or not one.sample.total:
        return 0.0
    return shared_pixels(one.cover, other.cover) / one.sample.total


def _threshold(
    method: FatMethod, muscle: WeightedPixels, references: References, protocol: MeasurementProtocol
) -> Threshold:
    value, flags = exam_threshold(method, muscle, references, protocol)
    lean, fat = references.lean, references.fat
    parameters = {
        "threshold": value,
        "basis": "exam",
        "n_pixels_muscle": len(muscle.values),
        "n_pixels_lean": len(lean.values),
        "n_pixels_fat": len(fat.values),
        "mean_lean": lean.mean,
        "mean_fat": fat.mean,
        **_settings(method, references, protocol),
    }
    return Threshold(value, flags, MappingProxyType(parameters))


def _settings(
    method: FatMethod, references: References, protocol: MeasurementProtocol
) -> dict[str, float]:
    """Return what else this method's threshold depends on."""
    if method is FatMethod.POOLED_OTSU:
        return {"reference_weight": protocol.reference_weight, **references.notes}
    if method is FatMethod.MIDPOINT:
        medians = {"median_lean": references.lean.median, "median_fat": references.fat.median}
        return {**medians, **references.notes}
    if method is FatMethod.MEAN_KSD:
        sd = float(np.sqrt(references.lean.variance))
        return {"sd_lean": sd, "lean_sd_multiple": protocol.lean_sd_multiple}
    return {}


def fat_of(
    item: OutlinePixels,
    method: FatMethod,
    protocol: MeasurementProtocol,
    bases: Mapping[BasisKey, ThresholdBasis],
) -> FatResult:
    """Measure one muscle's fat by one method that is not ``dixon``."""
    basis = bases[basis_key(item)]
    if not len(item.sample.values):
        return FatResult(NAN, flags=(Flag.UNDETECTABLE,))
    if method in EXAM_METHODS:
        found = basis.thresholds[method]
        value = above_threshold_pct(item.sample, found.value)
        return FatResult(value, found.value, found.flags, found.parameters)
    if method is FatMethod.LINEAR:
        return linear_fat(item.sample, basis.references, protocol)
    if method in OUTLINE_METHODS:
        equalised = item.equalised if method is FatMethod.CLAHE_OTSU else None
        contrast = basis.references.contrast
        return outline_fat(method, item.sample, protocol, contrast=contrast, equalised=equalised)
    return given_fat(item.sample, protocol)
