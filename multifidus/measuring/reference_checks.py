"""Quality flags of references: how they were drawn, and what the bias field leaves in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import Enum

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.roi import Source
from multifidus.measuring.bias_field.correction import SHADED, BiasField
from multifidus.measuring.dixon_pairs import dixon_fat_fraction
from multifidus.measuring.fat.references import REFERENCES
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.plausibility import shared_pixels
from multifidus.measuring.weighted_pixels import WeightedPixels

KNOWN_FAT = (Structure.FAT_REFERENCE, Structure.SUBCUTANEOUS_FAT)

FEWEST_PIXELS = 30
"""References of fewer pixels in all are flagged; of 30 and more, how many there are moves the
answer by less than half a point."""

MOST_CONTRAST = 16.0
"""References by rule whose fat is more than this many times as bright as their lean muscle lie in
different shading: fat is 2 to 8 times as bright."""

FARTHEST_MM, MOST_UNKNOWN = 10.0, 0.05
"""Fat references are flagged that lie farther than this outside the region in which the bias
field was fitted, or nearer where the field may change by more than this share on the way. On the
phantom with 15 to 60 % of plane shading they lie up to 9 mm outside where every back muscle is
outlined, and cost less than a point; with a surface coil's, 12 points of linear mixing at 26 mm."""

OVERLAP_SHARE = 0.1
"""Share of a fat reference that may lie on another outline: borders that touch."""


class WaterFatSwap(Enum):
    """Whether water and fat images are taken for each other."""

    NO = "no"
    PERHAPS = "perhaps"
    SURELY = "surely"


def water_fat_swap(members: Sequence[OutlinePixels]) -> WaterFatSwap:
    """Hold a Dixon pair against tissue that is known; without any, muscle is mostly water."""
    lean = _is_fatty(of_structure(members, Structure.LEAN_REFERENCE))
    bright = _is_fatty([item for item in members if item.roi.key.structure in KNOWN_FAT])
    if lean or bright is False:
        return WaterFatSwap.SURELY
    known = lean is not None or bright is not None
    muscles = [item for item in members if item.is_muscle]
    return WaterFatSwap.PERHAPS if not known and _is_fatty(muscles) else WaterFatSwap.NO


def _is_fatty(members: Iterable[OutlinePixels]) -> bool | None:
    """Whether outlines hold more fat than water by their Dixon pair; None where nothing says it."""
    found = [
        dixon_fat_fraction(item.dixon.fat, item.dixon.water, item.footprint.coverage.weights)
        for item in members
        if item.dixon is not None
    ]
    fat = math.fsum(one.fat_sum for one in found)
    water = math.fsum(one.total_sum for one in found) - fat
    return None if fat == water else fat > water


def of_structure(members: Iterable[OutlinePixels], structure: Structure) -> list[OutlinePixels]:
    """Return the outlines of one structure."""
    return [item for item in members if item.roi.key.structure is structure]


def is_reference(item: OutlinePixels) -> bool:
    """Whether an outline is a lean or a fat reference."""
    return item.roi.key.structure in REFERENCES


def drawing_flags(members: Sequence[OutlinePixels]) -> tuple[Flag, ...]:
    """Flag where references lie, and what the image holds there."""
    lean, bright = (of_structure(members, structure) for structure in REFERENCES)
    others = [
        item
        for item in members
        if item.is_muscle or item.roi.key.structure is Structure.LEAN_REFERENCE
    ]
    on_slice: dict[str, list[OutlinePixels]] = {}
    for item in others:
        on_slice.setdefault(item.placed.slice.uid, []).append(item)
    overlaps = any(
        _overlap(one, other) > OVERLAP_SHARE
        for one in bright
        for other in on_slice.get(one.placed.slice.uid, ())
    )
    # All of the fat at one value, in an image whose lean muscle shows noise, is cut off as well.
    flat = bool(bright) and all(item.quality.is_flat for item in bright)
    noise = any(not item.quality.is_flat for item in lean if len(item.pixels.values) > 1)
    saturated = (flat and noise) or any(item.quality.is_saturated for item in bright)
    proposed = any(item.roi.source is Source.DRAFT for item in members if is_reference(item))
    # A kind of which there is none is missing, not small.
    sizes = [sum(item.pixels.total for item in kind) for kind in (lean, bright)]
    found = {
        Flag.REFERENCE_SMALL: any(size and round(size) < FEWEST_PIXELS for size in sizes),
        Flag.REFERENCE_OVERLAPS_MUSCLE: overlaps,
        Flag.REFERENCE_SATURATED: saturated,
        Flag.REFERENCE_PROPOSED: proposed,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def shading_flags(
    members: Sequence[OutlinePixels], lean: WeightedPixels, fat: WeightedPixels, field: BiasField
) -> tuple[Flag, ...]:
    """Flag what the bias field, or what it leaves, does to references."""
    by_rule = any(item.roi.source is Source.DRAFT for item in members if is_reference(item))
    too_bright = len(lean.values) and fat.median > MOST_CONTRAST * lean.median
    is_shaded = members[0].placed.series.weighting in SHADED
    bad = is_shaded and (
        too_bright or bool({*field.flags} & {Flag.SHADING_STRONG, Flag.SHADING_UNCLEAR})
    )
    distance, change = field.beyond
    found = {
        Flag.REFERENCE_INCONSISTENT: by_rule and bad,
        Flag.REFERENCE_OUTSIDE_FIELD: distance > FARTHEST_MM or change > MOST_UNKNOWN,
    }
    return tuple(flag for flag, raised in found.items() if raised)


def _overlap(one: OutlinePixels, other: OutlinePixels) -> float:
    """Share of an outline that surely lies on another one of its slice, pixel by pixel."""
    if not one.pixels.total:
        return 0.0
    return shared_pixels(one.footprint.coverage, other.footprint.coverage) / one.pixels.total
