"""Fat methods that seek no threshold: linear mixing, a threshold given, Dixon fractions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.protocol import FatMethod
from multifidus.measuring.fat.estimator import (
    FatBasis,
    FatEstimator,
    FatResult,
    Need,
)
from multifidus.measuring.fat.references import FATAL, linear_mixing
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels


@dataclass(frozen=True, slots=True)
class LinearMixing(FatEstimator):
    """Fat fraction by linear mixing of two signals, unclipped; clipped among the parameters."""

    is_fraction: ClassVar[bool] = True

    name: FatMethod = FatMethod.LINEAR
    needs: frozenset[Need] = frozenset({Need.LEAN_REFERENCE, Need.FAT_REFERENCE, Need.LEAN_FIELD})

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Measure the mean fraction of the muscle's pixels."""
        del equalised
        references = basis.references
        flags = references.pair_flags(basis.protocol)
        if FATAL.intersection(flags) or not len(muscle.values):
            clipped, mean = NAN, NAN
        else:
            mean, clipped = linear_mixing(muscle, references)
        parameters = {
            "basis": "exam",
            "clipped_pct": clipped,
            "median_lean": references.lean.median,
            "median_fat": references.fat.median,
            "n_pixels_lean": len(references.lean.values),
            "n_pixels_fat": len(references.fat.values),
            **references.notes,
        }
        return FatResult(mean, NAN, flags, FrozenDict(parameters))


@dataclass(frozen=True, slots=True)
class FixedThreshold(FatEstimator):
    """The threshold that the protocol gives, on the image as it is."""

    name: FatMethod = FatMethod.FIXED
    needs: frozenset[Need] = frozenset({Need.UNCORRECTED_SIGNAL})

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Return the share of pixels above the threshold."""
        del equalised
        threshold = float(basis.protocol.fixed_threshold or 0.0)
        parameters = FrozenDict({"threshold": threshold, "basis": "given"})
        return FatResult(100 * muscle.share_above(threshold), threshold, (), parameters)


@dataclass(frozen=True, slots=True)
class DixonFraction(FatEstimator):
    """Fat over fat and water of a Dixon pair.

    It is measured on every pair, whether the protocol names it or not, from both images
    (:func:`multifidus.measuring.dixon_pairs.dixon_fat_fraction`); one image's pixels give nothing.
    """

    is_fraction: ClassVar[bool] = True

    name: FatMethod = FatMethod.DIXON
    needs: frozenset[Need] = frozenset({Need.DIXON_PAIR})

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Return NaN: the pixels of one image hold no fraction."""
        del muscle, basis, equalised
        return FatResult(NAN)


@dataclass(frozen=True, slots=True)
class SignalMixing(FatEstimator):
    """The fat signal fraction: mixing of two levels that are fitted to the whole exam.

    It is measured by the calibration of an exam
    (:class:`multifidus.measuring.fat.signal.calibration.SignalCalibration`); a muscle's own pixels
    give nothing.
    """

    is_fraction: ClassVar[bool] = True

    name: FatMethod = FatMethod.SIGNAL
    needs: frozenset[Need] = frozenset(
        {
            Need.LEAN_REFERENCE,
            Need.FAT_REFERENCE,
            Need.SURROUNDINGS,
            Need.UNCORRECTED_SIGNAL,
        }
    )

    def fat(
        self, muscle: WeightedPixels, basis: FatBasis, equalised: WeightedPixels | None = None
    ) -> FatResult:
        """Return NaN: the pixels of one muscle hold no calibration."""
        del muscle, basis, equalised
        return FatResult(NAN)


METHODS: tuple[FatEstimator, ...] = (
    LinearMixing(),
    SignalMixing(),
    FixedThreshold(),
    DixonFraction(),
)
