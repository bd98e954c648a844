"""Fat infiltration: how much of a muscle's pixels is fat, by named methods.

All methods are deterministic, and their boundary is monotone: a pixel brighter than the threshold
is fat. Pixels count by how much of them lies inside the outline.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.numeric_input import plain_numbers
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.errors import ProtocolError, StatisticsError
from multifidus.measuring.fat.clusters import Clusters, kmeans, mixture
from multifidus.measuring.fat.references import FATAL, References, linear_mixing
from multifidus.measuring.fat.separation import outline_doubts
from multifidus.measuring.fat.thresholds import otsu_threshold
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FatResult:
    """What a fat method says about one muscle.

    Parameters
    ----------
    value_pct
        Fat infiltration, 0 to 100; NaN where undefined, with a flag that says why. ``linear`` is
        not clipped and may lie outside.
    threshold
        Signal above which a pixel is fat; NaN where there is none.
    flags
        Doubts.
    parameters
        Further values that the method found or used.
    """

    value_pct: float
    threshold: float = NAN
    flags: tuple[Flag, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def above_threshold_pct(sample: WeightedPixels, threshold: float) -> float:
    """Share of a sample that is brighter than a threshold, 0 to 100; NaN where undefined."""
    return 100 * sample.share_above(threshold)


# --- thresholds of an exam -----------------------------------------------------------------------

_LEAN_ONLY = frozenset({FatMethod.CIRCLE_MAX, FatMethod.MEAN_KSD})

EXAM_METHODS = frozenset({FatMethod.POOLED_OTSU, FatMethod.MIDPOINT, *_LEAN_ONLY})
"""Methods that give one threshold for all muscles that share references."""


def exam_threshold(
    method: FatMethod, muscle: WeightedPixels, references: References, protocol: MeasurementProtocol
) -> tuple[float, tuple[Flag, ...]]:
    """Find one threshold for all muscle outlines that share references.

    ``pooled_otsu``: Otsu's cut of the muscles and both references together; each reference weighs
    ``reference_weight`` times as much as all muscles, however large it was drawn. ``midpoint``:
    the middle between the medians of the references. ``circle_max``: the brightest pixel at least
    half inside a lean sample. ``mean_ksd``: the lean mean plus ``lean_sd_multiple`` standard
    deviations.

    Parameters
    ----------
    method
        One of ``EXAM_METHODS``.
    muscle
        All these muscle outlines, pooled.
    references
        Their references.

    Returns
    -------
    tuple
        The threshold (NaN where undefined) and the flags that say why.
    """
    lean_only = method in _LEAN_ONLY
    flags = references.lean_doubts(protocol) if lean_only else references.doubts(protocol)
    if FATAL.intersection(flags):
        return NAN, flags
    if not len(muscle.values):
        return NAN, (Flag.UNDETECTABLE, *flags)
    threshold = _exam_threshold(method, muscle, references, protocol)
    return threshold, (Flag.UNDETECTABLE, *flags) if math.isnan(threshold) else flags


def _exam_threshold(
    method: FatMethod, muscle: WeightedPixels, references: References, protocol: MeasurementProtocol
) -> float:
    if method is FatMethod.POOLED_OTSU:
        return otsu_threshold(references.pooled_otsu(muscle, protocol.reference_weight))
    if method is FatMethod.MIDPOINT:
        return references.midpoint
    if method is FatMethod.CIRCLE_MAX:
        return references.lean_maximum
    return references.lean_mean_plus(protocol.lean_sd_multiple)


# --- thresholds of an outline --------------------------------------------------------------------

_CLUSTERS: Mapping[FatMethod, Callable[[WeightedPixels], Clusters]] = {
    FatMethod.OTSU: partial(kmeans, count=2),
    FatMethod.CLAHE_OTSU: partial(kmeans, count=2),
    FatMethod.KMEANS2: partial(kmeans, count=2),
    FatMethod.KMEANS3: partial(kmeans, count=3),
    FatMethod.GMM2: partial(mixture, count=2),
    FatMethod.GMM3: partial(mixture, count=3),
}

OUTLINE_METHODS = frozenset(_CLUSTERS)
"""Methods that find the threshold in each outline alone."""


def outline_fat(
    method: FatMethod,
    sample: WeightedPixels,
    protocol: MeasurementProtocol,
    *,
    contrast: float = NAN,
    equalised: WeightedPixels | None = None,
) -> FatResult:
    """Measure fat by a method that finds its threshold in the outline alone.

    Fat is the brightest of its classes. Of three, the middle one is undefined: it counts as a
    part of the muscle that is not fat, and its share stands among the parameters.

    Parameters
    ----------
    method
        One of ``OUTLINE_METHODS``.
    sample
        The outline's pixels.
    contrast
        Distance between the signals of the references; NaN without references.
    equalised
        The same pixels after equalisation; ``clahe_otsu`` parts these.

    Returns
    -------
    FatResult
        NaN and ``undetectable`` where the outline's classes are not separate; with
        ``classes_unclear`` where the method's boundary runs through a class.
    """
    parted = sample if equalised is None else equalised
    found = _CLUSTERS[method](parted)
    share = parted.share_above(found.threshold)
    flags = outline_doubts(sample, share, contrast, protocol)
    value = NAN if FATAL.intersection(flags) else 100 * share
    parameters = _named(found, parted)
    if equalised is not None:
        # The slice is equalised as it is: to level shading is what equalisation does.
        parameters["bias_correction"] = "none"
    return FatResult(value, found.threshold, flags, MappingProxyType(parameters))


def _named(found: Clusters, sample: WeightedPixels) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "threshold": found.threshold,
        "basis": "outline",
        "n_pixels_muscle": len(sample.values),
        "class_means": list(found.means),
        "class_shares": list(found.shares),
    }
    if len(found.boundaries) > 1:
        brighter = sample.share_above(found.boundaries[0]) - sample.share_above(found.threshold)
        parameters["undefined_pct"] = 100 * brighter
    return parameters


# --- one muscle ----------------------------------------------------------------------------------


def linear_fat(
    sample: WeightedPixels, references: References, protocol: MeasurementProtocol
) -> FatResult:
    """Measure the fat fraction by linear mixing, unclipped; clipped among the parameters."""
    flags = references.doubts(protocol)
    if FATAL.intersection(flags) or not len(sample.values):
        clipped, mean = NAN, NAN
    else:
        mean, clipped = linear_mixing(sample, references)
    parameters = {
        "basis": "exam",
        "clipped_pct": clipped,
        "median_lean": references.lean.median,
        "median_fat": references.fat.median,
        "n_pixels_lean": len(references.lean.values),
        "n_pixels_fat": len(references.fat.values),
        **references.notes,
    }
    return FatResult(mean, NAN, flags, MappingProxyType(parameters))


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
        Pixel signal, and how much of each pixel lies inside the muscle (0 to 1); of one shape,
        whatever it is. A pixel whose signal is NaN or masked does not count; a masked weight is 0.
    method
        Name of a method, see :class:`multifidus.data.protocol.FatMethod`.
    lean, fat
        Pixel signal in the lean-muscle and fat references. ``pooled_otsu``, ``midpoint`` and
        ``linear`` need both, ``circle_max`` and ``mean_ksd`` the lean one; methods that need none
        are judged by them as well.
    threshold
        The threshold of ``fixed``.

    Returns
    -------
    FatResult
        NaN with a flag where the method has no answer. ``n_undefined`` among its parameters is the
        number of pixels that have a weight and no signal, and were left out.

    Raises
    ------
    ProtocolError
        If the method is unknown, ``fixed`` has no threshold, or the method needs more than pixels.
    StatisticsError
        If values and weights differ in shape, a weight is negative or NaN, or what was given is
        no number.

    Examples
    --------
    >>> fat_fraction([10, 11, 12, 50], [1, 1, 1, 0.5], "fixed", threshold=30).value_pct
    14.285714285714286
    """
    protocol = MeasurementProtocol(fat_methods=(method,), fixed_threshold=threshold)  # type: ignore[arg-type]
    (chosen,) = protocol.fat_methods
    _check_pixels_do(chosen)
    signal, share = _checked_pixels(values, weights)
    sample = WeightedPixels.of(signal, share)
    if not len(sample.values):
        msg = "No pixel has a positive weight."
        raise ProtocolError(msg)
    given = {"lean": lean, "fat": fat}
    lean_sample, fat_sample = (
        WeightedPixels.of(
            plain_numbers([] if ref is None else ref, f"the {kind} samples", StatisticsError)
        )
        for kind, ref in given.items()
    )
    result = _fat_of(chosen, sample, References(lean_sample, fat_sample), protocol)
    counted = {"n_undefined": int(np.count_nonzero(share)) - len(sample.values)}
    return replace(result, parameters=MappingProxyType({**result.parameters, **counted}))


def _checked_pixels(values: ArrayLike, weights: ArrayLike) -> tuple[Array, Array]:
    signal = plain_numbers(values, "the pixel values", StatisticsError)
    share = plain_numbers(weights, "the weights", StatisticsError, masked=0.0)
    if signal.shape != share.shape:
        msg = f"Pixel values have shape {signal.shape}, their weights {share.shape}."
        remedy = "Give every pixel its own weight, in the same place; numpy.ones_like if whole."
        raise StatisticsError(msg, remedy=remedy)
    wrong = share[~((share >= 0) & np.isfinite(share))]
    if wrong.size:
        msg = f"{wrong.size} weights are negative or no finite number, such as {wrong[0]:g}."
        remedy = "A weight says how much of a pixel lies inside, 0 to 1; 0 leaves it out."
        raise StatisticsError(msg, remedy=remedy)
    return signal, share


def _fat_of(
    chosen: FatMethod, sample: WeightedPixels, references: References, protocol: MeasurementProtocol
) -> FatResult:
    if chosen is FatMethod.LINEAR:
        return linear_fat(sample, references, protocol)
    if chosen in OUTLINE_METHODS:
        return outline_fat(chosen, sample, protocol, contrast=references.contrast)
    if chosen is FatMethod.FIXED:
        return given_fat(sample, protocol)
    found, flags = exam_threshold(chosen, sample, references, protocol)
    return FatResult(above_threshold_pct(sample, found), found, flags)


def given_fat(sample: WeightedPixels, protocol: MeasurementProtocol) -> FatResult:
    """Measure fat by the threshold that the protocol gives."""
    threshold = float(protocol.fixed_threshold or 0.0)
    parameters = MappingProxyType({"threshold": threshold, "basis": "given"})
    return FatResult(above_threshold_pct(sample, threshold), threshold, (), parameters)


def _check_pixels_do(method: FatMethod) -> None:
    needs = {
        FatMethod.CLAHE_OTSU: "the image around the muscle, which it equalises",
        FatMethod.DIXON: "a pair of fat and water images",
    }.get(method)
    if needs is not None:
        msg = f"The fat method {method.value!r} needs {needs}; pixel values alone do not do."
        raise ProtocolError(msg, remedy="Measure outlines on an exam: multifidus.measure.")
