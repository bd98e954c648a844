"""Standard uncertainties: how far a number may lie from the truth, part by part.

Tracing is modelled as a displacement of the outline at right angles to itself, normally
distributed, with a part that changes smoothly along the outline and a part that the whole outline
has in common. What follows for areas and fat is worked out to first order, from the pixels at the
outline's boundary band. The formulas are this software's own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

CELL_MM, BLOCK_MM = 1.5, 4.5
"""Squares over which fat is averaged: to see how fast its pattern changes, and how much of the
pattern remains."""

LEVEL_ROUNDS = 8
"""Rounds in which the level of lean signal is sought."""

LEVEL_ERROR = 2.24
"""Standard error of that level over that of a mean, of normal noise and many pixels.

Values within one standard deviation pull the level to their mean. To first order it comes to rest
where their mean is, off by ``m / (P - 2 p)``: m has variance ``(P - 2 p) / n``, P = 0.683 is the
share of values within one standard deviation, and p = 0.242 the normal density at its end. That is
``1 / sqrt(P - 2 p)`` of a standard deviation over ``sqrt(n)``."""


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
    area
        Variance of the area, mm4.
    fat, both
        Variance of the fat in it, and the covariance of both, of each way to call pixels fat:
        shape (...).
    leaning
        Mean change of the fat area (mm2): what lies outside and what lies inside a border differ,
        so that displacements outwards and inwards do not cancel. Shape (...).
    """

    area: float
    fat: Array
    both: Array
    leaning: Array

    @property
    def fat_square(self) -> Array:
        """Mean square error of the fat area, mm4."""
        return self.fat + self.leaning**2

    @property
    def lean_square(self) -> Array:
        """Mean square error of the area that is not fat, mm4."""
        return np.maximum(self.area - 2 * self.both + self.fat, 0.0) + self.leaning**2

    def share_square(self, fraction: ArrayLike) -> Array:
        """Mean square error of fat over area, (...), times the area squared."""
        share = np.asarray(fraction)
        variance = self.fat - 2 * share * self.both + share**2 * self.area
        return np.asarray(np.maximum(variance, 0.0) + self.leaning**2)


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
        How much of what lies at each place is fat, (..., rings, places of all loops): inside, on
        and outside the outline; for every way to call pixels fat.
    """
    mean = fatness.mean(axis=-2)
    excess = fatness[..., 2, :] - fatness[..., 0, :]
    fat, both, all_fat, one_sided = np.zeros((4, *mean.shape[:-1]))
    area, first = 0.0, 0
    for length, count in zip(lengths_mm, counts, strict=True):
        powers = _powers(length, count // 2, tracing)
        step = length / count
        places = slice(first, first + count)
        waves = np.fft.rfft(mean[..., places])[..., : len(powers)] * step
        one_sided += excess[..., places].sum(axis=-1) * step
        first += count
        energy = powers * (waves.real**2 + waves.imag**2)
        amount = waves[..., 0].real
        # Every wave but the constant one comes with its mirror image.
        fat += 2 * energy.sum(axis=-1) - energy[..., 0]
        both += float(powers[0]) * length * amount
        area += float(powers[0]) * length**2
        all_fat += amount
    local, common = tracing.sd_mm**2, tracing.offset_mm**2
    around = math.fsum(lengths_mm)
    return Moved(
        local * area + common * around**2,
        local * fat + common * all_fat**2,
        local * both + common * around * all_fat,
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
    sample: WeightedPixels,
    threshold: ArrayLike,
    lean_signal: ArrayLike,
    fat_signal: ArrayLike,
    *,
    known: bool,
) -> Array:
    """Uncertainty of thresholded fat percentages by pixels that hold both tissues, in points.

    A pixel that is part fat counts as all or nothing. How much of it is fat follows from its
    signal between those of lean muscle and of fat; the errors of single pixels are taken as
    independent, and the error of their sum as uniform between none and all of it.

    Parameters
    ----------
    threshold
        Signal above which a pixel was taken for fat, of any number of methods: shape (...).
    lean_signal, fat_signal
        Signal of pure tissue, one for all or one each.
    known
        Whether these come from references. Without them they are means of what was told apart by
        the threshold itself, which cannot say how wrong their sum is.
    """
    lean, fat, cut = (np.asarray(each)[..., None] for each in (lean_signal, fat_signal, threshold))
    mixed = (sample.values - lean) / (fat - lean)
    above = sample.values > cut
    alone = sample.weights * (above - np.minimum(np.maximum(mixed, 0), 1))
    square = np.add.reduce(alone * alone, axis=-1)
    if known:
        square = square + np.add.reduce(sample.weights * (above - mixed), axis=-1) ** 2 / 3
    return np.asarray(100 * np.sqrt(square) / sample.total)


def placement_pct(
    fatness: Array,
    weights: Array,
    pixels: Sequence[NDArray[np.signedinteger]],
    *,
    spacing_mm: tuple[float, float],
    sd_mm: float,
) -> Array:
    """Uncertainty of fat percentages by where along the spine the slice lies, in points.

    A slice a little higher or lower cuts other streaks. Their pattern is taken to change along
    the spine as fast as it does across it: how far it decorrelates over the displacement is read
    from neighbouring cells of ``CELL_MM``, which average out noise, and how much of it does not
    average out over the muscle from neighbouring blocks of about ``BLOCK_MM``.

    Parameters
    ----------
    fatness
        How fat each of n pixels is, for each of m ways to call pixels fat: (m, n).
    weights
        How much of each pixel counts, (n,).
    pixels
        Their rows and their columns, from 0 on, (n,) each.
    spacing_mm
        Distance between rows and between columns.
    sd_mm
        Standard deviation of the slice's displacement.

    Returns
    -------
    ndarray
        Shape (m,).
    """
    if not len(weights):
        return np.zeros(len(fatness))
    step = math.sqrt(spacing_mm[0] * spacing_mm[1])
    size = max(1, round(CELL_MM / step))
    times = max(2, round(BLOCK_MM / (size * step)))
    cells, fat = _in_cells(fatness, weights, pixels, (size, times))
    rough, spread = _roughness(cells, fat, size**2)
    side = size * times
    blocks, _ = _roughness(_joined(cells, times)[0], _joined(fat, times), side**2)
    total = float(np.add.reduce(weights))
    if math.isnan(blocks[0]):
        # Too small for two blocks side by side: all of it changes together.
        blocks, side = spread, math.ceil(math.sqrt(total))
    distance = math.sqrt(2 / math.pi) * sd_mm / (size * step)
    # Where cells do not differ nothing changes; where none are neighbours all may.
    some = np.where(spread > 0, spread, 1.0)
    changed = np.where(np.isnan(rough), 1.0, np.minimum(1.0, rough / some * distance))
    return np.asarray(100 * np.sqrt(2 * changed * blocks * side**2 / total) * (spread > 0))


def _in_cells(
    fatness: Array,
    weights: Array,
    pixels: Sequence[NDArray[np.signedinteger]],
    sizes: tuple[int, int],
) -> tuple[Array, Array]:
    """Sum weights, (1, rows, columns), and fat, (m, rows, columns), over squares of pixels.

    There are as many squares as fill whole blocks.
    """
    size, times = sizes
    down, across = (places // size for places in pixels)
    rows, columns = ((int(each.max()) // times + 1) * times for each in (down, across))
    place, many = down * columns + across, len(fatness)
    each = place + rows * columns * np.arange(many)[:, None]
    fat = np.bincount(each.ravel(), (weights * fatness).ravel(), many * rows * columns)
    inside = np.bincount(place, weights, rows * columns)
    return (
        np.asarray(inside.reshape(1, rows, columns), np.float64),
        np.asarray(fat.reshape(many, rows, columns), np.float64),
    )


def _joined(cells: Array, times: int) -> Array:
    """Sum over squares of cells."""
    many, rows, columns = cells.shape
    parted = cells.reshape(many, rows // times, times, columns // times, times)
    return np.asarray(parted.sum(axis=(2, 4)))


def _roughness(inside: Array, fat: Array, full: int) -> tuple[Array, Array]:
    """Half the mean square difference of neighbours, and the variance, of squares' fatness: (m,).

    Squares count that lie at least half inside; NaN where no two of them are neighbours.
    """
    counts = inside.reshape(fat.shape[1:]) > full / 2
    many, within = len(fat), counts.ravel()
    mean = np.divide(fat, inside, out=np.zeros_like(fat), where=counts)
    pairs_of = (
        (mean[:, 1:] - mean[:, :-1], counts[1:] & counts[:-1]),
        (mean[:, :, 1:] - mean[:, :, :-1], counts[:, 1:] & counts[:, :-1]),
    )
    # Laid out row by row, so that a sum is rounded alike however many ways are seen at once.
    apart = np.concatenate(
        [steps.reshape(many, -1).compress(both.ravel(), axis=1) for steps, both in pairs_of],
        axis=1,
    )
    own = np.ascontiguousarray(mean.reshape(many, -1).compress(within, axis=1))
    if not own.shape[1]:
        return np.full(many, math.nan), np.zeros(many)
    spread = np.add.reduce((own - own.mean(axis=1, keepdims=True)) ** 2, axis=1) / own.shape[1]
    pairs = apart.shape[1]
    rough = np.add.reduce(apart * apart, axis=1) / (2 * pairs) if pairs else np.full(many, math.nan)
    return np.asarray(rough), np.asarray(spread)


def shifted_pct(sample: WeightedPixels, threshold: float, by: float) -> float:
    """Uncertainty of a fat percentage whose threshold is uncertain by ``by``, in points."""
    if not by > 0:
        return 0.0
    between = (sample.values > threshold - by) & (sample.values <= threshold + by)
    return 50 * float(sample.weights.compress(between).sum()) / sample.total


def lean_level(values: Array, *, in_order: bool = False) -> tuple[float, float]:
    """Find where the signal of lean muscle is densest, in pixels of which some are part fat.

    The mean within one standard deviation, which is taken from the darker side alone; repeated
    until it stays in place.

    Parameters
    ----------
    values
        Signal of the pixels, (n,).
    in_order
        Whether they ascend: ranges of them are then found without looking at every one.

    Returns
    -------
    tuple
        The level, and its standard error by the pixels' noise.
    """
    level, spread = _middle(values, in_order=in_order), 0.0
    for _ in range(LEVEL_ROUNDS):
        middle = values.searchsorted(level) if in_order else 0
        apart = (values[:middle] if in_order else values) - level
        darker = apart if in_order else apart.compress(apart < 0)
        spread = math.sqrt(dot(darker, darker) / len(darker)) if len(darker) else 0.0
        if in_order:
            # Rounding puts none of the others within one spread.
            brighter = values[middle : values.searchsorted(level + 2 * spread, side="right")]
            last_near = middle + (brighter - level).searchsorted(spread, side="right")
            near = values[darker.searchsorted(-spread) : last_near]
        else:
            near = values.compress(np.abs(apart) <= spread)
        if not len(near):  # of values all alike the mean may be off by rounding
            break
        last, level = level, float(np.add.reduce(near)) / len(near)
        if level == last:  # it stays in place
            break
    return level, LEVEL_ERROR * spread / math.sqrt(len(values))


def _middle(values: Array, *, in_order: bool = False) -> float:
    """Return the median of values that are all numbers; numpy's own looks for NaN first."""
    half, is_odd = divmod(len(values), 2)
    parted = values if in_order else np.partition(values, half)
    upper = float(parted[half])
    if is_odd:
        return upper
    return (float(parted[half - 1] if in_order else parted[:half].max()) + upper) / 2
