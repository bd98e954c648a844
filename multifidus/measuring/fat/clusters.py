"""Classes of a sample's grey levels: Otsu's threshold, exact 3-means, mixtures of distributions.

All start from nothing random: the same pixels always give the same answer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

GREY_LEVELS = 4096
"""Grey levels of the histogram in which classes are sought; exact for 12-bit images."""

ROUNDS = 500
"""Most rounds of expectation and maximisation."""

ENOUGH = 1e-7
"""Gain of mean log likelihood a round below which a mixture has converged."""

_PLACES = 2049
"""Where between two means their densities are compared."""


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
        return cls.of_all([sample])

    @classmethod
    def of_all(cls, samples: Sequence[WeightedPixels]) -> Histogram | None:
        """Do the same with several samples as one, and make no copy of their pixels."""
        parts = [sample for sample in samples if len(sample.values)]
        if not parts:
            return None
        low = min(float(part.values.min()) for part in parts)
        high = max(float(part.values.max()) for part in parts)
        if low == high:
            return None
        scale = (GREY_LEVELS - 1) / (high - low)
        weight, signal = np.zeros((2, GREY_LEVELS))
        for part in parts:
            level = np.rint((part.values - low) * scale).astype(np.intp)
            np.add.at(weight, level, part.weights)
            np.add.at(signal, level, part.weights * part.values)
        filled = np.flatnonzero(weight > 0)
        step = (high - low) / (GREY_LEVELS - 1)
        found = weight.take(filled)
        return cls(signal.take(filled) / found, found, step)

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
    return otsu_cut(Histogram.of(sample))


def otsu_cut(histogram: Histogram | None) -> float:
    """Return the same threshold of a sample that is sorted into levels; NaN of None."""
    if histogram is None:
        return NAN
    weight, signal = histogram.weights, histogram.weights * histogram.levels
    below, dark = weight.cumsum()[:-1], signal.cumsum()[:-1]
    above, bright = weight.sum() - below, signal.sum() - dark
    cut = int(np.argmax(below * above * (dark / below - bright / above) ** 2))
    return histogram.between(cut)


@dataclass(frozen=True, slots=True)
class Clusters:
    """Classes of grey levels from dark to bright, and the boundaries between them.

    Parameters
    ----------
    boundaries
        Signal between each class and the next brighter one, ascending, one fewer than classes; NaN
        where two classes have no boundary, empty where the sample has too few grey levels.
    means, shares
        Mean signal and share of the weight of every class.
    """

    boundaries: tuple[float, ...]
    means: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()

    @property
    def threshold(self) -> float:
        """Boundary of the brightest class; NaN where there is none."""
        return self.boundaries[-1] if self.boundaries else NAN


NONE = Clusters(())


def kmeans(sample: WeightedPixels, count: int) -> Clusters:
    """Part a sample into 2 or 3 classes of the least sum of squares: the exact k-means.

    In one dimension classes are runs of grey levels, so that all of them can be tried (Fisher
    1958, doi:10.1080/01621459.1958.10501479).

    Examples
    --------
    >>> kmeans(WeightedPixels.of([1, 2, 5, 6, 9, 9]), 3).boundaries
    (3.5, 7.5)
    """
    histogram = Histogram.of(sample)
    if histogram is None or len(histogram.levels) < count:
        return NONE
    return _parted(histogram, _cuts(histogram, count))


# Clusters and mixtures of as many classes start from the same cuts.
@lru_cache(maxsize=4)
def _cuts(histogram: Histogram, count: int) -> tuple[int, ...]:
    """Return how many levels lie below each boundary."""
    # Centred, so that squares do not swamp the differences that decide.
    levels = histogram.levels - histogram.levels.mean()
    weight = np.append(0.0, histogram.weights.cumsum())
    signal = np.append(0.0, (histogram.weights * levels).cumsum())
    ends = np.arange(1, len(levels))
    below = signal[ends] ** 2 / weight[ends]
    above = (signal[-1] - signal[ends]) ** 2 / (weight[-1] - weight[ends])
    if count == 2:  # noqa: PLR2004 - of two classes
        return (int(ends[np.argmax(below + above)]),)

    def score(first: NDArray[np.intp], second: NDArray[np.intp]) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = (signal[second] - signal[first]) ** 2 / (weight[second] - weight[first])
        found = below[first - 1] + middle + above[second - 1]
        return np.where(first < second, found, -np.inf)

    # The best first cut never falls as the second one rises, so few second cuts bound it for the
    # others: every pair that can be the best is tried.
    coarse = np.append(ends[1 : -1 : math.isqrt(len(ends))], ends[-1])
    firsts = 1 + score(ends[:-1], coarse[:, None]).argmax(axis=1)
    others = np.ones(len(levels), dtype=bool)
    others[coarse] = False
    between = 3 + np.flatnonzero(others[3:])
    k = np.searchsorted(coarse, between)
    tries = firsts[k] - firsts[k - 1] + 1
    before = tries.cumsum() - tries
    first = np.arange(tries.sum()) + np.repeat(firsts[k - 1] - before, tries)
    first, second = np.append(firsts, first), np.append(coarse, np.repeat(between, tries))
    scores = score(first, second)
    best = np.flatnonzero(scores == scores.max())
    return min(zip(first[best].tolist(), second[best].tolist(), strict=True))


def _parted(histogram: Histogram, cuts: tuple[int, ...]) -> Clusters:
    runs = [slice(low, high) for low, high in zip((0, *cuts), (*cuts, None), strict=True)]
    weights = [float(histogram.weights[run].sum()) for run in runs]
    means = tuple(
        dot(histogram.weights[run], histogram.levels[run]) / weight
        for run, weight in zip(runs, weights, strict=True)
    )
    total = math.fsum(weights)
    return Clusters(
        tuple(histogram.between(cut - 1) for cut in cuts),
        means,
        tuple(weight / total for weight in weights),
    )


def mixture(sample: WeightedPixels, count: int) -> Clusters:
    """Fit a mixture of 2 or 3 normal distributions to a sample's grey levels.

    Expectation and maximisation (Dempster et al. 1977, doi:10.1111/j.2517-6161.1977.tb01600.x) on
    the histogram, started from the exact k-means. The boundary between a class and the next
    brighter one is the brightest signal between their means where a darker class is still as
    likely: pixels beyond it belong to the brighter class, even where the tail of a wider darker
    class takes over again. So the boundary is monotone. There is none where the brighter class is
    the less likely one even at its own mean.
    """
    histogram = Histogram.of(sample)
    if histogram is None or len(histogram.levels) < count:
        return NONE
    means, variances, shares = _fit(histogram, _cuts(histogram, count))
    order = np.argsort(means, kind="stable")
    means, variances, shares = means[order], variances[order], shares[order]
    boundaries = tuple(_boundary(means, variances, shares, k) for k in range(1, count))
    return Clusters(boundaries, tuple(means.tolist()), tuple(shares.tolist()))


def _fit(histogram: Histogram, cuts: tuple[int, ...]) -> tuple[Array, Array, Array]:
    """Return means, variances and shares of the classes."""
    x, weight = histogram.levels, histogram.weights / histogram.weights.sum()
    # No class is narrower than a grey level.
    floor = histogram.step**2 / 12
    member = np.zeros((len(cuts) + 1, len(x)))
    for k, (low, high) in enumerate(zip((0, *cuts), (*cuts, None), strict=True)):
        member[k, low:high] = 1.0
    last = -np.inf
    for _ in range(ROUNDS):
        counts = weight * member
        shares = counts.sum(axis=1)
        means = (counts * x).sum(axis=1) / shares
        square = (x - means[:, None]) ** 2
        variances = np.maximum((counts * square).sum(axis=1) / shares, floor)
        log = _log_density(square, variances, shares)
        highest = np.maximum.reduce(log)
        member = np.exp(log - highest)
        total = np.add.reduce(member)
        member /= total
        likelihood = dot(weight, highest + np.log(total))
        if likelihood - last < ENOUGH:
            break
        last = likelihood
    return means, variances, shares


def _log_density(square: Array, variances: Array, shares: Array) -> Array:
    """Logarithm of classes' densities at squared distances from their means, (classes, n)."""
    with np.errstate(divide="ignore"):
        level = np.log(shares) - np.log(variances) / 2
    return np.asarray(level[:, None] - square / (2 * variances[:, None]))


def _boundary(means: Array, variances: Array, shares: Array, k: int) -> float:
    """Find the last place between two means where a darker class is as likely as class k."""
    x = np.linspace(means[k - 1], means[k], _PLACES)
    log = _log_density((x - means[:, None]) ** 2, variances, shares)
    darker = log[:k].max(axis=0) - log[k]
    (at,) = np.nonzero(darker >= 0)
    if not len(at) or at[-1] == len(x) - 1:
        return NAN
    low = int(at[-1])
    part = darker[low] / (darker[low] - darker[low + 1])
    return float(x[low] + part * (x[low + 1] - x[low]))
