"""Standard uncertainties: how far a number may lie from the truth, part by part.

Tracing is modelled as a displacement of the outline at right angles to itself, normally
distributed, with a part that changes smoothly along the outline and a part that the whole outline
has in common. What follows for areas and fat is worked out to first order, from the pixels at the
outline's rim. The formulas are this software's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.metrics.samples import Sample
from multifidus.sums import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLED_LEVELS = 1024
"""Grey levels in which the threshold of each resample is sought."""

CELL_MM, BLOCK_MM = 1.5, 4.5
"""Squares over which fat is averaged: to see how fast its pattern changes, and how much of the
pattern remains."""

LEVEL_ROUNDS = 8
"""Rounds in which the level of lean signal is sought."""

_SEED = 20170


@dataclass(frozen=True, slots=True)
class Tracing:
    """How a careful tracing departs from the true boundary.

    The displacement d at right angles to the boundary is normal with covariance
    ``sd^2 exp(-s^2 / (2 correlation^2)) + offset^2`` between places s apart, closed around each
    loop.

    Parameters
    ----------
    sd_mm, correlation_mm
        Standard deviation of the part that changes along the outline, and how far it stays alike.
    offset_mm
        Standard deviation of the part that is the same everywhere.
    """

    sd_mm: float
    correlation_mm: float
    offset_mm: float


@dataclass(frozen=True, slots=True)
class Moved:
    """Second moments of what displacements move across an outline.

    Parameters
    ----------
    area, fat
        Variance of the area (mm4), and of the fat in it.
    both
        Their covariance.
    leaning
        Mean change of the fat area (mm2): what lies outside and what lies inside a border differ,
        so that displacements outwards and inwards do not cancel.
    """

    area: float
    fat: float
    both: float
    leaning: float

    @property
    def fat_square(self) -> float:
        """Mean square error of the fat area, mm4."""
        return self.fat + self.leaning**2

    @property
    def lean_square(self) -> float:
        """Mean square error of the area that is not fat, mm4."""
        return max(self.area - 2 * self.both + self.fat, 0.0) + self.leaning**2

    def share_square(self, fraction: float) -> float:
        """Mean square error of fat over area, times the area squared."""
        variance = self.fat - 2 * fraction * self.both + fraction**2 * self.area
        return max(variance, 0.0) + self.leaning**2


def area_variance(lengths_mm: Sequence[float], tracing: Tracing) -> float:
    """Variance of an area by tracing, mm4.

    To first order the area changes by the integral of d along the boundary, whose variance is the
    double integral of d's covariance: ``sd^2 L correlation sqrt(2 pi)`` for a loop much longer than
    the correlation, and ``(offset L)^2``.

    Examples
    --------
    >>> round(area_variance([100.0], Tracing(0.0, 5.0, 0.25)) ** 0.5, 9)
    25.0
    """
    local = math.fsum(
        tracing.sd_mm**2 * _powers(length, 1, tracing)[0] * length**2 for length in lengths_mm
    )
    return float(local + (tracing.offset_mm * math.fsum(lengths_mm)) ** 2)


def moved(
    lengths_mm: Sequence[float], counts: Sequence[int], fatness: Array, tracing: Tracing
) -> Moved:
    """Second moments of the area and of the fat that tracing moves.

    Parameters
    ----------
    lengths_mm, counts
        Length of each loop and number of evenly spaced places along it.
    fatness
        How much of what lies at each place is fat, (rings, places of all loops): inside, on and
        outside the outline.
    """
    inside, _, outside = fatness
    mean = fatness.mean(axis=0)
    area = fat = both = 0.0
    all_length = all_fat = one_sided = 0.0
    first = 0
    for length, count in zip(lengths_mm, counts, strict=True):
        powers = _powers(length, count // 2, tracing)
        step = length / count
        waves = np.fft.rfft(mean[first : first + count])[: len(powers)] * step
        one_sided += float((outside - inside)[first : first + count].sum()) * step
        first += count
        energy = powers * (waves.real**2 + waves.imag**2)
        # Every wave but the constant one comes with its mirror image.
        local_fat = float(2 * energy.sum() - energy[0])
        amount = float(waves[0].real)
        area += float(powers[0]) * length**2
        both += float(powers[0]) * length * amount
        fat += local_fat
        all_length += length
        all_fat += amount
    local, common = tracing.sd_mm**2, tracing.offset_mm**2
    return Moved(
        local * area + common * all_length**2,
        local * fat + common * all_fat**2,
        local * both + common * all_length * all_fat,
        # Half of the mean absolute displacement.
        math.sqrt((local + common) / (2 * math.pi)) * one_sided,
    )


def counting_variance(length_mm: float, spacing_mm: tuple[float, float]) -> float:
    """Variance of an area found by counting pixel centres, mm4.

    ``0.0724 x perimeter x step^3`` for a square grid that lies anyhow to a smooth outline, as the
    tests find by simulation; of oblong pixels the root of their area is the step, which may be a
    third off.
    """
    return 0.0724 * length_mm * math.pow(spacing_mm[0] * spacing_mm[1], 1.5)


def _powers(length_mm: float, count: int, tracing: Tracing) -> Array:
    """Share of the displacement's variance in each wave around a loop: 0, 1, 2, ... per turn."""
    ratio = 2 * math.pi * tracing.correlation_mm / length_mm
    return np.asarray(np.exp(-0.5 * (ratio * np.arange(count)) ** 2) / _all_waves(ratio))


def _all_waves(ratio: float) -> float:
    """Sum ``exp(-(ratio k)^2 / 2)`` over all whole k, by whichever of its two forms is short."""
    if ratio > 1:
        return 1 + 2 * math.fsum(math.exp(-0.5 * (ratio * k) ** 2) for k in range(1, 10))
    mirrored = (2 * math.fsum(math.exp(-2 * (math.pi * k / ratio) ** 2) for k in range(1, 4))) + 1
    return math.sqrt(2 * math.pi) / ratio * mirrored


# --- fat -----------------------------------------------------------------------------------------


def mixed_pixels_pct(
    sample: Sample, threshold: float, lean_signal: float, fat_signal: float, *, known: bool
) -> float:
    """Uncertainty of a thresholded fat percentage by pixels that hold both tissues, in points.

    A pixel that is part fat counts as all or nothing. How much of it is fat follows from its
    signal between those of lean muscle and of fat; the errors of single pixels are taken as
    independent, and the error of their sum as uniform between none and all of it.

    Parameters
    ----------
    threshold
        Signal above which a pixel was taken for fat.
    lean_signal, fat_signal
        Signal of pure tissue.
    known
        Whether these come from references. Without them they are means of what was told apart by
        the threshold itself, which cannot say how wrong their sum is.
    """
    mixed = (sample.values - lean_signal) / (fat_signal - lean_signal)
    above = sample.values > threshold
    errors = above - mixed
    together = dot(sample.weights, errors) / sample.total if known else 0.0
    alone = sample.weights * (above - np.minimum(np.maximum(mixed, 0), 1))
    return 100 * math.sqrt(together**2 / 3 + dot(alone, alone) / sample.total**2)


def placement_pct(
    fatness: Array, weights: Array, spacing_mm: tuple[float, float], sd_mm: float
) -> float:
    """Uncertainty of a fat percentage by where along the spine the slice lies, in points.

    A slice a little higher or lower cuts other streaks. Their pattern is taken to change along
    the spine as fast as it does across it: how far it decorrelates over the displacement is read
    from neighbouring cells of ``CELL_MM``, which average out noise, and how much of it does not
    average out over the muscle from neighbouring blocks of about ``BLOCK_MM``.

    Parameters
    ----------
    fatness, weights
        How fat each pixel is and how much of it counts, (rows, columns).
    spacing_mm
        Distance between rows and between columns.
    sd_mm
        Standard deviation of the slice's displacement.
    """
    return Placing.of(weights, spacing_mm).pct(fatness, sd_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Placing:
    """What :func:`placement_pct` needs to know of an outline, whatever calls its pixels fat.

    Parameters
    ----------
    weights
        How much of each pixel counts, (rows, columns).
    step_mm
        Root of a pixel's area.
    size, times
        Pixels along a cell's side, and cells along a block's.
    cells, blocks
        Sums of the weights over them.
    """

    weights: Array
    step_mm: float
    size: int
    times: int
    cells: Array
    blocks: Array

    @classmethod
    def of(cls, weights: Array, spacing_mm: tuple[float, float]) -> Placing:
        """Part an outline into cells and blocks."""
        step = math.sqrt(spacing_mm[0] * spacing_mm[1])
        size = max(1, round(CELL_MM / step))
        times = max(2, round(BLOCK_MM / (size * step)))
        cells = _summed(weights, size)
        return cls(weights, step, size, times, cells, _summed(cells, times))

    def pct(self, fatness: Array, sd_mm: float) -> float:
        """See :func:`placement_pct`."""
        size, side = self.size, self.size * self.times
        total = float(self.weights.sum())
        fat = _summed(self.weights * fatness, size)
        if not self.cells.sum() > 0:
            return 0.0
        rough, spread = _roughness(self.cells, fat, size**2)
        if spread == 0:
            return 0.0
        blocks, _ = _roughness(self.blocks, _summed(fat, self.times), side**2)
        if math.isnan(blocks):
            # Too small for two blocks side by side: all of it changes together.
            blocks, side = spread, math.ceil(math.sqrt(total))
        distance = math.sqrt(2 / math.pi) * sd_mm / (size * self.step_mm)
        changed = 1.0 if math.isnan(rough) else min(1.0, rough / spread * distance)
        return 100 * math.sqrt(2 * changed * blocks * side**2 / total)


def _summed(values: Array, size: int) -> Array:
    """Sum over squares of pixels; what does not fill one at the last rows and columns is left."""
    rows, columns = (count // size * size for count in values.shape)
    # A few sums of whole columns and rows are many times faster than one of small squares.
    across = values[:rows, 0:columns:size].copy()
    for k in range(1, size):
        across += values[:rows, k:columns:size]
    down = across[0::size].copy()
    for k in range(1, size):
        down += across[k::size]
    return down


def _roughness(inside: Array, fat: Array, full: int) -> tuple[float, float]:
    """Half the mean square difference of neighbours, and the variance, of squares' fatness.

    Squares count that lie at least half inside; NaN where no two of them are neighbours.
    """
    counts = inside > full / 2
    if not counts.any():
        return math.nan, 0.0
    mean = np.divide(fat, inside, out=np.zeros_like(fat), where=counts)
    down = (mean[1:] - mean[:-1])[counts[1:] & counts[:-1]]
    across = (mean[:, 1:] - mean[:, :-1])[counts[:, 1:] & counts[:, :-1]]
    pairs = len(down) + len(across)
    rough = (dot(down, down) + dot(across, across)) / (2 * pairs) if pairs else math.nan
    return rough, float(mean[counts].var())


def shifted_pct(sample: Sample, threshold: float, by: float) -> float:
    """Uncertainty of a fat percentage whose threshold is uncertain by ``by``, in points."""
    if not by > 0:
        return 0.0
    between = (sample.values > threshold - by) & (sample.values <= threshold + by)
    return 50 * float(sample.weights.compress(between).sum()) / sample.total


def resamples(sample: Sample, count: int) -> Array:
    """Draw places in a sample with replacement, always the same ones, (count, n)."""
    draws = np.random.default_rng([_SEED, len(sample.values)]).random((count, len(sample.values)))
    return (draws * len(sample.values)).astype(np.intp)


def in_order(sample: Sample) -> Sample:
    """Sort a sample by value, so that resampling does not depend on the order of outlines."""
    order = np.lexsort((sample.weights, sample.values))
    return Sample(sample.values.take(order), sample.weights.take(order))


def otsu_spread(
    muscles: Sequence[Sample], references: tuple[Sample, Sample], weight: float, count: int
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
        drawn = resamples(part, count)
        level = np.rint((part.values - low) * scale).astype(np.intp)
        place = level[drawn] + np.arange(count)[:, None] * RESAMPLED_LEVELS
        found = np.bincount(
            place.ravel(), part.weights[drawn].ravel(), count * RESAMPLED_LEVELS
        ).reshape(count, RESAMPLED_LEVELS)
        histogram += found * (weight * float(of_muscle.sum()) / found.sum(axis=1, keepdims=True))
    return float(_otsu_cuts(histogram).std(ddof=1)) / scale


def _histogram(sample: Sample, low: float, scale: float) -> Array:
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


def median_spread(sample: Sample, count: int) -> float:
    """Find the standard deviation of a sample's median over resamples, always the same ones."""
    ordered = in_order(sample)
    # Sorted values are in the order of their places, and small whole numbers part fastest.
    drawn = resamples(ordered, count).astype(np.min_scalar_type(len(ordered.values)))
    middle = [(drawn.shape[1] - 1) // 2, drawn.shape[1] // 2]
    places = np.partition(drawn, middle, axis=1)[:, middle]
    medians = ordered.values[places].mean(axis=1)
    return float(medians.std(ddof=1))


def lean_level(values: Array) -> float:
    """Find where the signal of lean muscle is densest, in pixels of which some are part fat.

    The mean within one standard deviation, which is taken from the darker side alone; repeated
    until it stays in place.
    """
    level = float(np.median(values))
    for _ in range(LEVEL_ROUNDS):
        darker = values[values < level]
        spread = math.sqrt(float(((darker - level) ** 2).mean())) if len(darker) else 0.0
        near = values[np.abs(values - level) <= spread]
        level = float(near.mean())
    return level
