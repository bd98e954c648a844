"""Fat infiltration: how much of a muscle's pixels is fat, by named methods.

All methods are deterministic, and their boundary is monotone: a pixel brighter than the threshold
is fat. Pixels count by how much of them lies inside the outline.

To add a method, write it as a :class:`multifidus.measuring.fat.estimator.FatEstimator` in the file
of its family, ``exam_thresholds``, ``outline_thresholds`` or ``other_methods``, and list it in that
file's ``METHODS``; then give it a name in :class:`multifidus.data.protocol.FatMethod`. Nothing else
names methods: what they need, their rows and their uncertainty follow from the estimator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.numeric_input import plain_numbers
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.errors import ProtocolError, StatisticsError
from multifidus.measuring.fat import exam_thresholds, other_methods, outline_thresholds
from multifidus.measuring.fat.estimator import FatBasis, FatEstimator, FatResult, Need
from multifidus.measuring.fat.references import References
from multifidus.measuring.weighted_pixels import WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

METHODS: Mapping[str, FatEstimator] = FrozenDict(
    {
        method.name: method
        for family in (exam_thresholds, outline_thresholds, other_methods)
        for method in family.METHODS
    }
)
"""Every fat method by its name."""


def fat_by(
    method: FatMethod,
    muscle: WeightedPixels,
    references: References,
    protocol: MeasurementProtocol,
    *,
    equalised: WeightedPixels | None = None,
) -> FatResult:
    """Measure the fat of a muscle that shares its references with no other muscle.

    Parameters
    ----------
    equalised
        The muscle's pixels on the equalised slice, for methods that need it.
    """
    return METHODS[method].fat(muscle, FatBasis(references, protocol), equalised)


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
    _check_pixels_suffice(chosen)
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
    result = fat_by(chosen, sample, References(lean_sample, fat_sample), protocol)
    counted = {"n_undefined": int(np.count_nonzero(share)) - len(sample.values)}
    return replace(result, parameters=FrozenDict({**result.parameters, **counted}))


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


def _check_pixels_suffice(method: FatMethod) -> None:
    lacking = METHODS[method].needs & {
        Need.EQUALISED_SLICE,
        Need.SURROUNDINGS,
        Need.DIXON_PAIR,
    }
    for need in lacking:
        msg = f"The fat method {method.value!r} needs {need}; pixel values alone do not do."
        raise ProtocolError(msg, remedy="Measure outlines on an exam: multifidus.measure.")
