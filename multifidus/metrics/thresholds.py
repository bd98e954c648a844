"""Thresholds between muscle and fat, found in the pixels."""

from __future__ import annotations

import numpy as np

from multifidus.metrics.samples import NAN, Sample

OTSU_LEVELS = 4096
"""Grey levels of the histogram in which Otsu's cut is sought; exact for 12-bit images."""


def otsu_threshold(sample: Sample) -> float:
    """Find the threshold that parts a sample into the two most separate classes.

    Otsu 1979 (doi:10.1109/TSMC.1979.4310076) on weighted pixels; the threshold lies midway
    between the two grey levels it separates. NaN where all pixels are equal.

    Examples
    --------
    >>> otsu_threshold(Sample.of([1, 1, 2, 9, 9]))
    5.5
    """
    if len(sample.values) == 0 or sample.values.min() == sample.values.max():
        return NAN
    low, high = float(sample.values.min()), float(sample.values.max())
    level = np.rint((sample.values - low) * ((OTSU_LEVELS - 1) / (high - low))).astype(np.intp)
    weight = np.bincount(level, sample.weights, OTSU_LEVELS)
    signal = np.bincount(level, sample.weights * sample.values, OTSU_LEVELS)
    filled = np.flatnonzero(weight)
    weight, signal = weight[filled], signal[filled]
    below, dark = weight.cumsum()[:-1], signal.cumsum()[:-1]
    above, bright = weight.sum() - below, signal.sum() - dark
    cut = int(np.argmax(below * above * (dark / below - bright / above) ** 2))
    levels = signal / weight
    return float(levels[cut] + levels[cut + 1]) / 2
