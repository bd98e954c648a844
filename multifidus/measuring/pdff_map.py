"""The vendor's fat-fraction map of a slice: where the exam has one, its scale, and its mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import TO_PCT, Exam, Series, Slice, Weighting
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

STORED_TO_PCT = (100.0, 1.0, 0.1, 0.01)
"""Factors of the scales that maps without a unit are stored in: 0 to 1, to 100, 1000 or 10000."""

TOP_PERCENTILE = 99.0
"""What stands for the map's largest value: single pixels of noise are no fat."""

TOP_PCT = (50.0, 120.0)
"""Where the top of a map is expected: every axial slice of a trunk shows fat under the skin. Scales
are ten times apart, so that a top between 50 and 120 % fits one of them at most."""

NO_FAT_PCT = 1.2
"""A map that stays below this by its declared unit holds no fat at all: it is stored as fractions,
whose largest values are 1 with their noise, and not in the unit that it declares."""

_FULL_PCT = 100.0


@dataclass(frozen=True, slots=True)
class MapScale:
    """What makes a map's values percentages.

    Parameters
    ----------
    to_pct
        The factor; NaN where the values fit no scale.
    basis
        ``declared`` by a unit, or told by the ``range`` of the values.
    top
        The map's 99th percentile as stored; NaN where it holds no number.
    """

    to_pct: float
    basis: str
    top: float


def map_scale(values: ArrayLike, unit: str = "") -> MapScale:
    """Find the scale of a fat-fraction map.

    A declared unit counts, unless the map's top exceeds 120 % by it, or the top of what is not
    background stays below ``NO_FAT_PCT``; without a unit, the one scale counts by which the top
    lies between 50 and 120 %.

    Parameters
    ----------
    values
        All values of the map; what is not finite is left out.
    unit
        The declared unit: ``%``, ``1`` or ``[ppth]``; anything else is none.

    Examples
    --------
    >>> map_scale([0, 40, 310, 960]).to_pct
    0.1
    """
    found = np.asarray(values, dtype=np.float64)
    found = found[np.isfinite(found)]
    top = float(np.percentile(found, TOP_PERCENTILE)) if found.size else NAN
    low, high = TOP_PCT
    if unit in TO_PCT:
        factor = TO_PCT[unit]
        filled = found[found > 0]
        most = float(np.percentile(filled, TOP_PERCENTILE)) if filled.size else NAN
        fits = top * factor <= high and most * factor > NO_FAT_PCT
        return MapScale(factor if fits else NAN, "declared", top)
    fitting = [factor for factor in STORED_TO_PCT if low <= top * factor <= high]
    return MapScale(fitting[0] if fitting else NAN, "range", top)


@dataclass(frozen=True, slots=True)
class MapResult:
    """Mean fat fraction of one outline on a map, and how many pixels were outside 0 to 100 %."""

    mean_pct: float
    n_pixels: int
    n_below: int
    n_above: int


def map_fat_fraction(sample: WeightedPixels, to_pct: float) -> MapResult:
    """Average a map over an outline.

    Values outside 0 to 100 % are kept, and counted: noise makes them, and to leave them out would
    bias the mean.

    Parameters
    ----------
    sample
        The map's pixels under the outline, as stored.
    to_pct
        What makes them percentages; NaN gives NaN.
    """
    percent = sample.values * to_pct
    below, above = int((percent < 0).sum()), int((percent > _FULL_PCT).sum())
    return MapResult(sample.mean * to_pct, len(percent), below, above)


@dataclass(frozen=True, slots=True, eq=False)
class PdffMap:
    """The slice of a map that lies on a slice's very own pixel grid, and the map's scale."""

    series: Series
    item: Slice
    scale: MapScale


class FatMaps:
    """The maps of an exam that are declared to be of the proton-density fat fraction.

    The scale of a map is told by all its values, which are read when it is first needed.
    """

    __slots__ = ("_maps", "_scales")

    def __init__(self, exam: Exam) -> None:
        self._maps = [series for series in exam.series if series.weighting is Weighting.PDFF]
        self._scales: dict[str, MapScale] = {}

    def at(self, item: Slice) -> PdffMap | None:
        """Return the one map of a slice; None where there is none, or where several differ.

        Raises
        ------
        ReadError
            If the pixels of the map cannot be read.
        """
        found = [
            (series, other)
            for series in self._maps
            for other in series.slices
            if other.shape == item.shape and other.plane.is_same(item.plane, item.shape)
        ]
        if len(found) != 1:
            return None
        ((series, other),) = found
        if series.uid not in self._scales:
            values = np.concatenate([each.pixels.ravel() for each in series.slices])
            self._scales[series.uid] = map_scale(values, series.unit)
        return PdffMap(series, other, self._scales[series.uid])
