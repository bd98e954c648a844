"""Fat infiltration: how much of a muscle's pixels is fat, by named methods.

All methods are deterministic, and their boundary is monotone: a pixel brighter than the threshold
is fat. Pixels count by how much of them lies inside the outline.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.errors import ProtocolError
from multifidus.flag import Flag
from multifidus.protocol import FatMethod, MeasurementProtocol

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

OTSU_LEVELS = 4096
"""Grey levels of the histogram in which Otsu's cut is sought; exact for 12-bit images."""

NAN = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Pixel values and how much each counts; both of shape (n,), weights positive."""

    values: Array
    weights: Array

    @classmethod
    def of(cls, values: ArrayLike, weights: ArrayLike | None = None) -> Sample:
        """Take values and weights of any one shape; drop pixels of no weight or no value (NaN)."""
        flat = np.asarray(values, dtype=np.float64).ravel()
        share = np.ones_like(flat) if weights is None else np.asarray(weights, np.float64).ravel()
        counts = (share > 0) & np.isfinite(flat)
        return cls(flat[counts], share[counts])

    @property
    def total(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    @property
    def mean(self) -> float:
        """Weighted mean; NaN where nothing counts."""
        return float(self.weights @ self.values) / self.total if len(self.values) else NAN

    @property
    def variance(self) -> float:
        """Weighted variance about the mean; NaN where nothing counts."""
        if not len(self.values):
            return NAN
        return float(self.weights @ (self.values - self.mean) ** 2) / self.total

    def scaled_to(self, total: float) -> Sample:
        """Return the same values with weights that sum to ``total``."""
        return Sample.of(self.values, self.weights * (total / self.total))

    def where(self, chosen: NDArray[np.bool_]) -> Sample:
        """Return the pixels chosen by a mask of shape (n,)."""
        return Sample(self.values[chosen], self.weights[chosen])


@dataclass(frozen=True, slots=True)
class FatResult:
    """What a fat method says about one muscle.

    Parameters
    ----------
    value_pct
        Fat infiltration, 0 to 100; NaN where undefined, with a flag that says why.
    threshold
        Signal above which a pixel is fat; NaN where there is none.
    flags
        Doubts.
    """

    value_pct: float
    threshold: float = NAN
    flags: tuple[Flag, ...] = ()


def pool(samples: Sequence[Sample]) -> Sample:
    """Put samples together as one."""
    if not samples:
        return Sample(np.empty(0), np.empty(0))
    return Sample(
        np.concatenate([sample.values for sample in samples]),
        np.concatenate([sample.weights for sample in samples]),
    )


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


def separation(dark: Sample, bright: Sample) -> float:
    """Distance between two classes' means in units of their pooled standard deviation.

    Ashman et al. 1994 (doi:10.1086/117048): ``sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2)``. NaN where a
    class is empty, infinite where both are constant and differ.
    """
    apart = abs(bright.mean - dark.mean)
    spread = math.sqrt((dark.variance + bright.variance) / 2)
    if spread == 0:
        return math.inf if apart > 0 else 0.0
    return apart / spread


def above_threshold_pct(sample: Sample, threshold: float) -> float:
    """Share of a sample that is brighter than a threshold, 0 to 100; NaN where undefined."""
    if not len(sample.values) or math.isnan(threshold):
        return NAN
    return 100 * float(sample.weights[sample.values > threshold].sum()) / sample.total


def by_otsu(sample: Sample, protocol: MeasurementProtocol) -> FatResult:
    """Part one outline's pixels by Otsu; ``undetectable`` where its classes are not separate."""
    threshold = otsu_threshold(sample)
    if math.isnan(threshold):
        return FatResult(NAN, flags=(Flag.UNDETECTABLE,))
    fat = sample.values > threshold
    if separation(sample.where(~fat), sample.where(fat)) < protocol.minimal_separation:
        return FatResult(NAN, threshold, (Flag.UNDETECTABLE,))
    return FatResult(above_threshold_pct(sample, threshold), threshold)


def pooled_otsu_threshold(
    muscle: Sample, lean: Sample, fat: Sample, protocol: MeasurementProtocol
) -> tuple[float, tuple[Flag, ...]]:
    """Find one threshold for all muscle outlines of an exam and its references together.

    The references enter with a fixed total weight each, so that the answer does not depend on how
    large they were drawn.

    Parameters
    ----------
    muscle
        All muscle outlines of the exam, pooled.
    lean, fat
        Pixels of the lean-muscle and of the fat references.

    Returns
    -------
    tuple
        The threshold (NaN where undefined) and the flags that say why.
    """
    if not len(lean.values) or not len(fat.values):
        return NAN, (Flag.NO_REFERENCE,)
    if not len(muscle.values):
        return NAN, (Flag.UNDETECTABLE,)
    bright_enough = fat.mean > lean.mean
    if not bright_enough or separation(lean, fat) < protocol.minimal_separation:
        return NAN, (Flag.UNDETECTABLE,)
    weight = protocol.reference_weight * muscle.total
    pooled = pool((muscle, lean.scaled_to(weight), fat.scaled_to(weight)))
    threshold = otsu_threshold(pooled)
    return threshold, (Flag.UNDETECTABLE,) if math.isnan(threshold) else ()


def fat_fraction(
    values: ArrayLike,
    weights: ArrayLike,
    method: FatMethod | str,
    *,
    lean: ArrayLike | None = None,
    fat: ArrayLike | None = None,
    threshold: float | None = None,
) -> FatResult:
    """Measure the fat infiltration of one muscle.

    Parameters
    ----------
    values, weights
        Pixel signal, and how much of each pixel lies inside the muscle (0 to 1); any one shape.
    method
        Name of a method, see :class:`multifidus.protocol.FatMethod`.
    lean, fat
        Pixel signal in the lean-muscle and fat references; ``pooled_otsu`` needs both.
    threshold
        The threshold of ``fixed``.

    Returns
    -------
    FatResult
        NaN with a flag where the method has no answer.

    Raises
    ------
    ProtocolError
        If the method is unknown, or ``fixed`` has no threshold.

    Examples
    --------
    >>> fat_fraction([10, 11, 12, 50], [1, 1, 1, 0.5], "fixed", threshold=30).value_pct
    14.285714285714286
    """
    if method == FatMethod.FIXED:
        protocol = MeasurementProtocol(fat_methods=(FatMethod.FIXED,), fixed_threshold=threshold)
    else:
        protocol = MeasurementProtocol(fat_methods=(method,), fixed_threshold=threshold)  # type: ignore[arg-type]
    sample = Sample.of(values, weights)
    if not len(sample.values):
        msg = "No pixel has a positive weight."
        raise ProtocolError(msg)
    if method == FatMethod.OTSU:
        return by_otsu(sample, protocol)
    if threshold is None:
        lean_sample, fat_sample = (Sample.of([] if ref is None else ref) for ref in (lean, fat))
        threshold, flags = pooled_otsu_threshold(sample, lean_sample, fat_sample, protocol)
        return FatResult(above_threshold_pct(sample, threshold), threshold, flags)
    return FatResult(above_threshold_pct(sample, threshold), float(threshold))


@dataclass(frozen=True, slots=True)
class DixonResult:
    """Signal fat fraction of a Dixon pair; percentages NaN where no pixel has F + W > 0.

    Parameters
    ----------
    mean_pct, ratio_pct
        100 x mean of F / (F + W), and 100 x sum of F / sum of (F + W).
    n_pixels
        Pixels with F + W > 0; others have no fat fraction and are left out, never taken for 0.
    weight, fat_sum, total_sum
        Their total weight, and the weighted sums of F and of F + W, from which outlines can be
        pooled.
    """

    mean_pct: float
    ratio_pct: float
    n_pixels: int
    weight: float
    fat_sum: float
    total_sum: float


def dixon_fat_fraction(fat: ArrayLike, water: ArrayLike, weights: ArrayLike) -> DixonResult:
    """Measure the Dixon signal fat fraction of one muscle.

    Negative pixels, which noise leaves behind in reconstructed images, are taken as they are: to
    clip them would bias the mean.

    Parameters
    ----------
    fat, water
        Fat and water signal, on one scale.
    weights
        How much of each pixel lies inside the muscle, 0 to 1; same shape.

    Examples
    --------
    >>> dixon_fat_fraction([1, 3, 0], [3, 1, 0], [1, 1, 1]).mean_pct
    50.0
    """
    f, w, share = (np.asarray(array, dtype=np.float64) for array in (fat, water, weights))
    total = f + w
    counts = (share > 0) & (total > 0)
    if not counts.any():
        return DixonResult(NAN, NAN, 0, 0.0, 0.0, 0.0)
    f, total, share = f[counts], total[counts], share[counts]
    weight, fat_sum, total_sum = float(share.sum()), float(share @ f), float(share @ total)
    mean = 100 * float(share @ (f / total)) / weight
    ratio = 100 * fat_sum / total_sum
    return DixonResult(mean, ratio, int(counts.sum()), weight, fat_sum, total_sum)
