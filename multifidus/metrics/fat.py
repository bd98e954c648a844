"""Fat infiltration: how much of a muscle's pixels is fat, by named methods.

All methods are deterministic, and their boundary is monotone: a pixel brighter than the threshold
is fat. Pixels count by how much of them lies inside the outline.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multifidus.errors import ProtocolError
from multifidus.flag import Flag
from multifidus.metrics.guard import separation
from multifidus.metrics.samples import NAN, Sample, pool
from multifidus.metrics.thresholds import otsu_threshold
from multifidus.protocol import FatMethod, MeasurementProtocol

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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
