"""Outlines of two muscles that lie on each other, so that pixels are counted in both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.roi import RoiKey
from multifidus.measuring.coverage import Coverage
from multifidus.measuring.outline_pixels import OutlinePixels

MOST_SHARED = 0.05
"""Muscles drawn side by side may share this much of the smaller one: a border drawn twice."""

PARTS_OF = {Structure.AUTOCHTHONOUS: {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}}
"""Structures that are parts of another, and lie on it as they should."""


def overlapping(sampled: Iterable[OutlinePixels]) -> frozenset[RoiKey]:
    """Return the muscle outlines that lie on another one of the same reading and slice.

    Two are told where they share more than ``MOST_SHARED`` of the smaller one, be it two muscles,
    two sides or one muscle outlined twice. A muscle and the group it is a part of may.
    """
    together: dict[tuple[object, ...], list[OutlinePixels]] = defaultdict(list)
    for item in sampled:
        if item.is_muscle:
            key = (item.roi.key.reading, item.placed.series.uid, item.placed.index)
            together[key].append(item)
    return frozenset(
        item.roi.key
        for members in together.values()
        for pair in combinations(members, 2)
        if _are_apart_by_name(*pair) and _share_too_much(*pair)
        for item in pair
    )


def _are_apart_by_name(one: OutlinePixels, other: OutlinePixels) -> bool:
    first, second = one.roi.key.structure, other.roi.key.structure
    return second not in PARTS_OF.get(first, ()) and first not in PARTS_OF.get(second, ())


def _share_too_much(one: OutlinePixels, other: OutlinePixels) -> bool:
    smaller = min(one.areas.valid_pixels, other.areas.valid_pixels)
    return shared_pixels(one.footprint.coverage, other.footprint.coverage) > MOST_SHARED * smaller


def shared_pixels(one: Coverage, other: Coverage) -> float:
    """Return how many pixels of one slice surely lie under both outlines, pixel by pixel."""
    top, left = max(one.top, other.top), max(one.left, other.left)
    bottom, right = (min(ends) for ends in zip(_ends(one), _ends(other), strict=True))
    if bottom <= top or right <= left:
        return 0.0
    shared = [
        cover.weights[top - cover.top : bottom - cover.top, left - cover.left : right - cover.left]
        for cover in (one, other)
    ]
    # Two parts of a pixel overlap by at least what is more than one pixel of them together.
    return float(np.maximum(shared[0] + shared[1] - 1, 0).sum())


def _ends(cover: Coverage) -> tuple[int, int]:
    rows, columns = cover.weights.shape
    return cover.top + rows, cover.left + columns
