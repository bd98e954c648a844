"""How uncertain the references of a calibration are, and the thresholds that rest on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.measuring.fat.estimator import SharedThreshold
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.fat.references import References
from multifidus.measuring.outline_pixels import OutlinePixels
from multifidus.measuring.uncertainty.components import lean_level, median_spread
from multifidus.measuring.weighted_pixels import NAN

LEAST_OUTLINES = 2
"""Fewer outlines say nothing about how shading differs from one to the next."""

TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal errors."""

LEAST_LEAN_PIXELS = 30
"""An outline with fewer pixels below the threshold says nothing about lean signal."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceUncertainty:
    """How uncertain is what muscles that share a calibration have in common.

    Parameters
    ----------
    lean_signal, fat_signal
        Medians of the references that they share; NaN where there are none.
    threshold
        Standard deviation of each method's threshold over resamples of the references.
    lean, fat
        The same of the references' medians; NaN where there are none.
    shading
        Relative standard deviation of lean signal from outline to outline; NaN where there are no
        references to tell lean by.
    """

    lean_signal: float
    fat_signal: float
    threshold: Mapping[FatMethod, float]
    lean: float
    fat: float
    shading: float

    @property
    def contrast(self) -> float:
        """Distance between the references' signals."""
        return self.fat_signal - self.lean_signal


def reference_uncertainty(
    members: Sequence[OutlinePixels],
    references: References,
    thresholds: Mapping[FatMethod, SharedThreshold],
    protocol: MeasurementProtocol,
) -> ReferenceUncertainty:
    """Work out how uncertain thresholds and references are, from resamples of the references.

    Parameters
    ----------
    members
        All outlines that share the references, corrected.
    thresholds
        What each method found.
    """
    count = protocol.threshold_resamples
    lean, fat = references.lean, references.fat
    muscles = [item.pixels for item in members if item.is_muscle]
    lean_sd, fat_sd = (
        median_spread(part, count) if len(part.values) and muscles else NAN for part in (lean, fat)
    )
    threshold = {
        method: METHODS[method].threshold_sd(muscles, references, protocol)
        for method, found in thresholds.items()
        if not math.isnan(found.value)
    }
    lean_signal, fat_signal = lean.median, fat.median
    shading = _shading(members, (lean_signal + fat_signal) / 2)
    return ReferenceUncertainty(lean_signal, fat_signal, threshold, lean_sd, fat_sd, shading)


def _shading(members: Sequence[OutlinePixels], middle: float) -> float:
    if math.isnan(middle):
        return NAN
    found = []
    for item in members:
        if item.is_muscle or item.roi.key.structure is Structure.LEAN_REFERENCE:
            values = item.pixels.values
            lean = values[(values < middle) & (values > 0)]
            if len(lean) >= LEAST_LEAN_PIXELS:
                level, error = lean_level(lean)
                found.append((math.log(level), error / level))
    if len(found) < LEAST_OUTLINES:
        return NAN
    signals, errors = np.array(found).T
    # A muscle with little that is lean is off for that reason: such outliers do not count.
    apart = TO_DEVIATION * float(np.median(np.abs(signals - np.median(signals))))
    # Noise sets outlines apart as well; what it explains is no shading.
    return math.sqrt(max(apart**2 - float(np.median(errors)) ** 2, 0.0))
