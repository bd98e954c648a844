"""Whether an outline can be what it is said to be: by its area, paths, points and neighbours.

Limits are wide: what lies outside them is looked at, never refused. They are this software's own,
set around what is typical for adults so that severe atrophy and large men stay inside: less than a
fifth of the smaller and more than twice the larger typical area (``docs/how-to/measure.md``).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.anatomy import Level, Structure
from multifidus.data.polygon import signed_area
from multifidus.data.roi import Roi, RoiKey, Source
from multifidus.measuring.coverage import Coverage
from multifidus.measuring.outline_pixels import OutlinePixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

AREA_LIMITS_MM2: Mapping[Structure, Mapping[Level, tuple[float, float]]] = {
    Structure.MULTIFIDUS: {
        Level.L1_L2: (30.0, 1200.0),
        Level.L2_L3: (40.0, 1600.0),
        Level.L3_L4: (60.0, 2000.0),
        Level.L4_L5: (80.0, 2600.0),
        Level.S1: (80.0, 3000.0),
    },
    Structure.ERECTOR_SPINAE: {
        Level.L1_L2: (200.0, 5000.0),
        Level.L3_L4: (300.0, 5000.0),
        Level.L4_L5: (200.0, 5000.0),
        Level.S1: (50.0, 4000.0),
    },
    Structure.AUTOCHTHONOUS: {Level.L4_L5: (300.0, 8000.0), Level.S1: (200.0, 8000.0)},
    Structure.PSOAS: {
        Level.L1_L2: (20.0, 2500.0),
        Level.L2_L3: (60.0, 4000.0),
        Level.S1: (100.0, 5500.0),
    },
    Structure.QUADRATUS_LUMBORUM: {Level.S1: (20.0, 3000.0)},
    Structure.VERTEBRAL_BODY: {Level.S1: (400.0, 3600.0)},
    Structure.DISC: {Level.S1: (400.0, 3600.0)},
    Structure.CSF: {Level.S1: (5.0, 900.0)},
}
"""Least and largest area of a structure, of one side of a paired one: from cranial to caudal, each
down to the level that is named. Of a slice without a level, any level's."""

SAMPLES = frozenset({Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.SUBCUTANEOUS_FAT})
LEAST_SAMPLE_PIXELS = 4
"""Samples of a tissue may be of any size from this number of pixels on."""

SLIVER_SHARE = 0.005
"""A path that encloses less than this share of its outline's area is a sliver."""

STRAIGHT = 1e-6
"""Lengths and areas below this many pixels are rounding, such as how far an edge leaves its row."""

ON_BORDER = 0.05
"""Points nearer than this many pixels to the border between two lie on it."""

MAY_BE_LABELS = frozenset({Source.IMPORTED, Source.DRAFT, Source.DRAFT_EDITED})
"""Sources of outlines that may have been made of a label map; no label map is drawn by hand."""

MOST_SHARED = 0.05
"""Muscles drawn side by side may share this much of the smaller one: a border drawn twice."""

PARTS_OF = {Structure.AUTOCHTHONOUS: {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}}
"""Structures that are parts of another, and lie on it as they should."""


def area_limits_mm2(structure: Structure, level: Level | None) -> tuple[float, float]:
    """Return the least and the largest plausible area of a structure at a level.

    Examples
    --------
    >>> area_limits_mm2(Structure.MULTIFIDUS, Level.L4_L5)
    (80.0, 2600.0)
    """
    limits = AREA_LIMITS_MM2.get(structure)
    if limits is None:
        return 0.0, math.inf
    if level is not None:
        for last, found in limits.items():
            if level.rank <= last.rank:
                return found
    return min(low for low, _ in limits.values()), max(high for _, high in limits.values())


def implausible(roi: Roi, area_mm2: float, level: Level | None) -> Mapping[str, Any]:
    """Say what is implausible about an outline's area.

    Parameters
    ----------
    roi, area_mm2
        The outline and its exact area.
    level
        Of its slice; None where nobody said it.

    Returns
    -------
    mapping
        What its area was held against: ``plausible_mm2``, the two limits that it is outside of,
        and ``smallest_path_mm2``, the area of a sliver. Empty where nothing is implausible.
    """
    found: dict[str, Any] = {}
    structure, pixel_mm2 = roi.key.structure, roi.plane.pixel_area_mm2
    low, high = area_limits_mm2(structure, level)
    if structure in SAMPLES:
        low = LEAST_SAMPLE_PIXELS * pixel_mm2 * (1 - STRAIGHT)
    if not low <= area_mm2 <= high:
        found["plausible_mm2"] = [low, None if math.isinf(high) else high]
    if len(roi.paths_mm) > 1:
        smallest = min(abs(signed_area(path)) for path in roi.paths) * pixel_mm2
        if smallest < SLIVER_SHARE * area_mm2:
            found["smallest_path_mm2"] = smallest
    return found


def is_sparse(roi: Roi, paths: Sequence[Array], least: int) -> bool:
    """Whether an outline has fewer points than asked for.

    An outline of a label map is exact with any number of them: its edges run between pixels, and
    nobody drew it. Four clicks that happen to lie square are no label map.

    Parameters
    ----------
    paths
        The outline's, in (row, column).
    """
    if roi.n_points >= least:
        return False
    return roi.source not in MAY_BE_LABELS or not _between_pixels(paths)


def _between_pixels(paths: Sequence[Array]) -> bool:
    points = np.concatenate(paths) - 0.5
    steps = np.concatenate([np.roll(path, -1, axis=0) - path for path in paths])
    along = bool((np.abs(steps).min(axis=1) < STRAIGHT).all())
    return along and bool((np.abs(points - np.rint(points)) < ON_BORDER).all())


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
