"""Grey levels of a sample, and the threshold that parts them into two classes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GREY_LEVELS = 4096
"""Grey levels of the histogram in which classes are sought; exact for 12-bit images."""


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """The grey levels that a sample fills, ascending: their mean values and their weights.

    Parameters
    ----------
    levels, weights
        Shape (n,).
    step
        Width of a level.
    """

    levels: Array
    weights: Array
    step: float

    @classmethod
    # Each method asks for it in turn, and the guard: of a muscle and of its equalised pixels.
    @lru_cache(maxsize=2)
    def of(cls, sample: WeightedPixels) -> Histogram | None:
        """Sort a sample into levels of one width; None where all its pixels are equal."""
        if len(sample.values) == 0:
            return None
        low, high = float(sample.values.min()), float(sample.values.max())
        if low == high:
            return None
        level = np.rint((sample.values - low) * ((GREY_LEVELS - 1) / (high - low))).astype(np.intp)
        weight = np.bincount(level, sample.weights, GREY_LEVELS)
        signal = np.bincount(level, sample.weights * sample.values, GREY_LEVELS)
        filled = np.flatnonzero(weight > 0)
        step = (high - low) / (GREY_LEVELS - 1)
        weights = np.asarray(weight.take(filled), dtype=np.float64)
        return cls(signal.take(filled) / weights, weights, step)

    def between(self, level: int) -> float:
        """Return the value midway between a level and the next one."""
        return float(self.levels[level] + self.levels[level + 1]) / 2


def otsu_threshold(sample: WeightedPixels) -> float:
    """Find the threshold that parts a sample into the two most separate classes.

    Otsu 1979 (doi:10.1109/TSMC.1979.4310076) on weighted pixels; the threshold lies midway
    between the two grey levels it separates. The same cut has the least sum of squares within
    both classes, so that it is the exact answer of 2-means as well. NaN where all pixels are equal.

    Examples
    --------
    >>> otsu_threshold(WeightedPixels.of([1, 1, 2, 9, 9]))
    5.5
    """
    histogram = Histogram.of(sample)
    if histogram is None:
        return NAN
    weight, signal = histogram.weights, histogram.weights * histogram.levels
    below, dark = weight.cumsum()[:-1], signal.cumsum()[:-1]
    above, bright = weight.sum() - below, signal.sum() - dark
    cut = int(np.argmax(below * above * (dark / below - bright / above) ** 2))
    return histogram.between(cut)
