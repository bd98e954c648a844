"""Resamples of an exam's references: how far its thresholds and their medians might lie elsewhere.

The draws are the same in every run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLED_LEVELS = 1024
"""Grey levels in which the threshold of each resample is sought."""

_SEED = 20170


def resamples(sample: WeightedPixels, count: int) -> NDArray[np.intp]:
    """Draw places in a sample with replacement, always the same ones, (count, n)."""
    return np.stack(list(_resamples(len(sample.values), count)))


def _resamples(size: int, count: int) -> Iterator[NDArray[np.intp]]:
    """Yield each resample of a sample of that size: places drawn with replacement."""
    generator = np.random.default_rng([_SEED, size])
    for _ in range(count):
        draws = generator.random(size)
        draws *= size
        yield draws.astype(np.intp)


# Of each of an exam's two references, by its median and by each threshold in turn.
@lru_cache(maxsize=2)
def _times_drawn(size: int, count: int) -> tuple[NDArray[np.unsignedinteger], ...]:
    """Count how often each resample draws each place of a sample of that size, (size,) each."""
    times = (np.bincount(drawn, minlength=size) for drawn in _resamples(size, count))
    # Kept for an exam's whole measurement, so small numbers are kept small.
    return tuple(each.astype(np.min_scalar_type(each.max(initial=0))) for each in times)


# An exam's two references are asked for in order by each method that rests on them.
@lru_cache(maxsize=2)
def in_order(sample: WeightedPixels) -> WeightedPixels:
    """Sort a sample by value, so that resampling does not depend on the order of outlines."""
    order = np.lexsort((sample.weights, sample.values))
    return WeightedPixels(sample.values.take(order), sample.weights.take(order))


def otsu_threshold_sd(
    muscles: Sequence[WeightedPixels],
    references: tuple[WeightedPixels, WeightedPixels],
    weight: float,
    count: int,
) -> float:
    """Find the standard deviation of ``pooled_otsu``'s threshold over resamples of references.

    Parameters
    ----------
    muscles, references
        What the threshold was found in.
    weight
        Weight of each reference, as a multiple of the muscles'.
    count
        Number of resamples; their draws are the same in every run.
    """
    ordered = [in_order(part) for part in references]
    parts = [part for part in (*muscles, *ordered) if len(part.values)]
    low = min(float(part.values.min()) for part in parts)
    high = max(float(part.values.max()) for part in parts)
    scale = (RESAMPLED_LEVELS - 1) / (high - low)
    of_muscle = np.sum([_histogram(muscle, low, scale) for muscle in muscles], axis=0)
    histogram = np.tile(of_muscle, (count, 1))
    for part in ordered:
        level = np.rint((part.values - low) * scale).astype(np.intp)
        for row, times in zip(histogram, _times_drawn(len(level), count), strict=True):
            found = np.bincount(level, part.weights * times, RESAMPLED_LEVELS)
            row[:] += found * (weight * float(of_muscle.sum()) / found.sum())
    return float(_otsu_cuts(histogram).std(ddof=1)) / scale


def _histogram(sample: WeightedPixels, low: float, scale: float) -> Array:
    level = np.rint((sample.values - low) * scale).astype(np.intp)
    return np.asarray(np.bincount(level, sample.weights, RESAMPLED_LEVELS), np.float64)


def _otsu_cuts(histograms: Array) -> Array:
    """Otsu's cut of each row of weights, in levels; midway in a gap between filled levels."""
    level = np.arange(RESAMPLED_LEVELS)
    below = histograms.cumsum(axis=1)
    dark = (histograms * level).cumsum(axis=1)
    total, signal = below[:, -1:], dark[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = (dark * total - below * signal) ** 2 / (below * (total - below))
    apart = np.where((below > 0) & (below < total), apart, 0.0)
    # Within a gap the criterion stays the same: its middle is taken.
    first = apart.argmax(axis=1)
    last = RESAMPLED_LEVELS - 1 - apart[:, ::-1].argmax(axis=1)
    return np.asarray((first + last + 1) / 2)


# Asked for by the references' own uncertainty, and by thresholds that are made of medians.
@lru_cache(maxsize=2)
def median_sd(sample: WeightedPixels, count: int) -> float:
    """Find the standard deviation of a sample's median over resamples, always the same ones."""
    ordered = in_order(sample)
    size = len(ordered.values)
    # Sorted values are in the order of their places: the median's are where half is drawn.
    middle = np.array([(size - 1) // 2, size // 2])
    places = np.array(
        [times.cumsum().searchsorted(middle, side="right") for times in _times_drawn(size, count)]
    )
    medians = ordered.values[places].mean(axis=1)
    return float(medians.std(ddof=1))
