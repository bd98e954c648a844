"""Pixels of a region, and how much each counts by how much of it lies inside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

NAN = float("nan")

_HALF = 1e-12
"""Sums of weights this near to half of the total are half of it."""

_BINS = 4096
"""Bins of equal width in which a median is sought; it is exact whatever their number."""


@dataclass(frozen=True, slots=True, eq=False)
class WeightedPixels:
    """Pixel values and how much each counts; both of shape (n,), weights positive.

    Attributes
    ----------
    total
        Sum of the weights.
    """

    values: Array
    weights: Array
    total: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", float(np.add.reduce(self.weights)))

    @classmethod
    def of(cls, values: ArrayLike, weights: ArrayLike | None = None) -> WeightedPixels:
        """Take values and weights of any one shape; drop pixels of no weight or no value (NaN)."""
        flat = np.asarray(values, dtype=np.float64).ravel()
        share = np.ones_like(flat) if weights is None else np.asarray(weights, np.float64).ravel()
        counts = (share > 0) & np.isfinite(flat)
        return cls(flat[counts], share[counts])

    @property
    def mean(self) -> float:
        """Weighted mean; NaN where nothing counts."""
        return dot(self.weights, self.values) / self.total if len(self.values) else NAN

    @property
    def variance(self) -> float:
        """Weighted variance about the mean; NaN where nothing counts."""
        if not len(self.values):
            return NAN
        return dot(self.weights, (self.values - self.mean) ** 2) / self.total

    @property
    def is_flat(self) -> bool:
        """Whether there are pixels, and all of one value."""
        return len(self.values) > 0 and bool((self.values == self.values[0]).all())

    @property
    def median(self) -> float:
        """Weighted median: the middle between the values on both sides of half the weight."""
        return _median(self)

    def share_above(self, threshold: float) -> float:
        """Share of the weight that is brighter than a threshold, 0 to 1; NaN where undefined."""
        if not len(self.values) or math.isnan(threshold):
            return NAN
        return float(np.add.reduce(self.weights.compress(self.values > threshold))) / self.total

    def scaled_to(self, total: float) -> WeightedPixels:
        """Return the same values with weights that sum to ``total``."""
        return WeightedPixels.of(self.values, self.weights * (total / self.total))

    def where(self, chosen: NDArray[np.bool_]) -> WeightedPixels:
        """Return the pixels chosen by a mask of shape (n,)."""
        return WeightedPixels(self.values.compress(chosen), self.weights.compress(chosen))


# An exam's two references, by one bias field or by two, are asked for theirs by every muscle.
@lru_cache(maxsize=4)
def _median(sample: WeightedPixels) -> float:
    if not len(sample.values):
        return NAN
    low, high = float(sample.values.min()), float(sample.values.max())
    if low == high:
        return low
    # Sorting a million pixels takes a hundred times as long as finding the bin of the median.
    place = ((sample.values - low) * (_BINS / (high - low))).astype(np.intp)
    below = np.append(0.0, np.bincount(place, sample.weights).cumsum()) / sample.total
    halves = 0.5 - _HALF, 0.5 + _HALF
    first, last = (int(np.searchsorted(below, half)) - 1 for half in halves)
    last = min(last, len(below) - 2)
    near = np.flatnonzero((place >= first) & (place <= last))
    values, weights = sample.values.take(near), sample.weights.take(near)
    order = np.argsort(values, kind="stable")
    share = below[first] + weights.take(order).cumsum() / sample.total
    middle = [min(int(np.searchsorted(share, half)), len(order) - 1) for half in halves]
    return float(values[order[middle[0]]] + values[order[middle[1]]]) / 2


def pool(samples: Sequence[WeightedPixels]) -> WeightedPixels:
    """Put samples together as one."""
    if not samples:
        return WeightedPixels(np.empty(0), np.empty(0))
    return WeightedPixels(
        np.concatenate([sample.values for sample in samples]),
        np.concatenate([sample.weights for sample in samples]),
    )
