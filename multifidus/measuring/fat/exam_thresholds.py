"""Fat methods that find one threshold an exam, from its references and muscles."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.fat.clusters import Histogram, otsu_cut
from multifidus.measuring.fat.estimator import (
    FatBasis,
    FatEstimator,
    FatResult,
    Need,
    SharedThreshold,
)
from multifidus.measuring.fat.references import FATAL, References
from multifidus.measuring.uncertainty.resampling import (
    in_order,
    median_sd,
    otsu_threshold_sd,
    resamples,
)
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAN = frozenset({Need.LEAN_REFERENCE})
BOTH = frozenset({Need.LEAN_REFERENCE, Need.FAT_REFERENCE})


@dataclass(frozen=True, slots=True)
class ExamThreshold(FatEstimator):
    """A method that gives one threshold for all muscles that share references.

    Parameters
    ----------
    name, needs
        As :class:`multifidus.measuring.fat.estimator.FatEstimator` has them.
    cut
        Finds the threshold: of all muscles and their references.
    deviation
        Finds its standard deviation over resamples of the references.
    settings
        What else the threshold depends on, for the rows.
    """

    name: FatMethod
    needs: frozenset[Need]
    cut: Callable[[Sequence[WeightedPixels], References, MeasurementProtocol], float]
    deviation: Callable[[Sequence[WeightedPixels], References, MeasurementProtocol], float]
    settings: Callable[[References, MeasurementProtocol], dict[str, float]] = lambda *_: {}

    def shared_threshold(
        self,
        muscles: Sequence[WeightedPixels],
        references: References,
        protocol: MeasurementProtocol,
    ) -> SharedThreshold:
        """Find the threshold; NaN with a flag where it is undefined."""
        value, flags = self._judged(muscles, references, protocol)
        lean, fat = references.lean, references.fat
        parameters = {
            "threshold": value,
            "basis": "exam",
            "n_pixels_muscle": sum(len(muscle.values) for muscle in muscles),
            "n_pixels_lean": len(lean.values),
            "n_pixels_fat": len(fat.values),
            "mean_lean": lean.mean,
            "mean_fat": fat.mean,
            **self.settings(references, protocol),
        }
        return SharedThreshold(value, flags, FrozenDict(parameters))

    def _judged(
        self,
        muscles: Sequence[WeightedPixels],
        references: References,
        protocol: MeasurementProtocol,
    ) -> tuple[float, tuple[Flag, ...]]:
        lean_only = Need.FAT_REFERENCE not in self.needs
        flags = references.lean_flags(protocol) if lean_only else references.pair_flags(protocol)
        if FATAL.intersection(flags):
            return NAN, flags
        some = any(len(muscle.values) for muscle in muscles)
        value = self.cut(muscles, references, protocol) if some else NAN
        return value, (Flag.UNDETECTABLE, *flags) if math.isnan(value) else flags

    def threshold_sd(
        self,
        muscles: Sequence[WeightedPixels],
        references: References,
        protocol: MeasurementProtocol,
    ) -> float:
        """Return the standard deviation of the threshold over resamples of references."""
        return self.deviation(muscles, references, protocol)

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Return the share of pixels above the exam's threshold."""
        del equalised
        found = basis.threshold
        if found is None:
            found = self.shared_threshold([muscle], basis.references, basis.protocol)
        value = 100 * muscle.share_above(found.value)
        return FatResult(value, found.value, found.flags, found.parameters)


def _resampled_lean(references: References, protocol: MeasurementProtocol) -> Array:
    ordered = in_order(references.lean)
    return np.asarray(ordered.values[resamples(ordered, protocol.threshold_resamples)])


# --- pooled_otsu ---------------------------------------------------------------------------------
# Otsu's cut of muscles and references together. Each reference weighs reference_weight times as
# much as all muscles, however large it was drawn. Fat of another depot would pull the cut to its
# own signal: it enters with that of fat in muscle, where that is known.


def _pooled_otsu(
    muscles: Sequence[WeightedPixels], references: References, protocol: MeasurementProtocol
) -> float:
    pooled = references.beside(muscles, protocol.reference_weight)
    return otsu_cut(Histogram.of_all(pooled))


def _pooled_otsu_sd(
    muscles: Sequence[WeightedPixels], references: References, protocol: MeasurementProtocol
) -> float:
    pair = references.lean, references.muscle_fat
    return otsu_threshold_sd(muscles, pair, protocol.reference_weight, protocol.threshold_resamples)


POOLED_OTSU = ExamThreshold(
    FatMethod.POOLED_OTSU,
    BOTH,
    _pooled_otsu,
    _pooled_otsu_sd,
    lambda references, how: {
        "reference_weight": how.reference_weight,
        **({} if references.fat_in_muscle == 1 else {"fat_in_muscle": references.fat_in_muscle}),
        **references.notes,
    },
)


# --- midpoint: the middle between the medians of the references ----------------------------------


def _midpoint_sd(
    _: Sequence[WeightedPixels], references: References, protocol: MeasurementProtocol
) -> float:
    count = protocol.threshold_resamples
    parts = references.lean, references.fat
    return math.hypot(*(median_sd(part, count) for part in parts)) / 2


MIDPOINT = ExamThreshold(
    FatMethod.MIDPOINT,
    BOTH,
    lambda _, references, __: references.midpoint,
    _midpoint_sd,
    lambda references, _: {
        "median_lean": references.lean.median,
        "median_fat": references.fat.median,
        **references.notes,
    },
)


# --- circle_max: the brightest pixel at least half inside a lean sample --------------------------


def _circle_max_sd(
    _: Sequence[WeightedPixels], references: References, protocol: MeasurementProtocol
) -> float:
    return float(_resampled_lean(references, protocol).max(axis=1).std(ddof=1))


CIRCLE_MAX = ExamThreshold(
    FatMethod.CIRCLE_MAX, LEAN, lambda _, references, __: references.lean_maximum, _circle_max_sd
)


# --- mean_ksd: the lean mean plus lean_sd_multiple standard deviations ---------------------------


def _mean_ksd_sd(
    _: Sequence[WeightedPixels], references: References, protocol: MeasurementProtocol
) -> float:
    drawn = _resampled_lean(references, protocol)
    found = drawn.mean(axis=1) + protocol.lean_sd_multiple * drawn.std(axis=1)
    return float(found.std(ddof=1))


MEAN_KSD = ExamThreshold(
    FatMethod.MEAN_KSD,
    LEAN,
    lambda _, references, how: references.lean_mean_plus(how.lean_sd_multiple),
    _mean_ksd_sd,
    lambda references, how: {
        "sd_lean": float(np.sqrt(references.lean.variance)),
        "lean_sd_multiple": how.lean_sd_multiple,
    },
)

METHODS: tuple[FatEstimator, ...] = (POOLED_OTSU, MIDPOINT, MEAN_KSD, CIRCLE_MAX)
