"""The vendor's fat-fraction map of a slice, where the exam has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.measuring.fat.map_scale import MapScale, map_scale


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
