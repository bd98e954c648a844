"""Whether two classes of pixels are apart enough for a threshold between them to mean anything."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.measuring.fat.thresholds import otsu_threshold
from multifidus.measuring.weighted_pixels import WeightedPixels


# A muscle's own classes once, and the references again for every muscle.
@lru_cache(maxsize=2)
def separation(dark: WeightedPixels, bright: WeightedPixels) -> float:
    """Distance between two classes' means in units of their pooled standard deviation.

    Ashman et al. 1994 (doi:10.1086/117048): ``sqrt(2) |m1 - m2| / sqrt(s1^2 + s2^2)``. NaN where a
    class is empty, infinite where both are constant and differ.
    """
    apart = abs(bright.mean - dark.mean)
    spread = math.sqrt((dark.variance + bright.variance) / 2)
    if spread == 0:
        return math.inf if apart > 0 else 0.0
    return apart / spread


def outline_flags(
    sample: WeightedPixels, share: float, contrast: float, protocol: MeasurementProtocol
) -> tuple[Flag, ...]:
    """Judge a share of fat that was found in one outline alone.

    Whatever the method, the outline is parted once by Otsu. Its two classes must stand apart by
    ``minimal_separation`` of their own spread, which holds noise, shading and partial volume
    alike, and by ``minimal_contrast`` of the references' distance where there are references;
    else the fat is ``undetectable``. A method that calls much more or much less of the muscle fat
    than that plain cut does has put its boundary through a class: ``classes_unclear``.

    Parameters
    ----------
    sample, share
        The pixels, and how much of them the method calls fat, 0 to 1; NaN where it has no answer.
    contrast
        Distance between the signals of the references; NaN without references.
    protocol
        With the limits.
    """
    classes = _classes(sample)
    if classes is None or math.isnan(share):
        return (Flag.UNDETECTABLE,)
    if classes.separation < protocol.minimal_separation:
        return (Flag.UNDETECTABLE,)
    if classes.apart < protocol.minimal_contrast * contrast:
        return (Flag.UNDETECTABLE,)
    differ = abs(share - classes.bright_share)
    return (Flag.CLASSES_UNCLEAR,) if 100 * differ > protocol.maximal_disagreement_pct else ()


@dataclass(frozen=True, slots=True)
class _Classes:
    """The two classes that Otsu parts a sample into: how they lie to each other."""

    separation: float
    apart: float
    bright_share: float


# The same for every method that a muscle is measured by, one after another.
@lru_cache(maxsize=1)
def _classes(sample: WeightedPixels) -> _Classes | None:
    cut = otsu_threshold(sample)
    if math.isnan(cut):
        return None
    is_bright = sample.values > cut
    dark, bright = sample.where(~is_bright), sample.where(is_bright)
    apart = bright.mean - dark.mean
    return _Classes(separation(dark, bright), apart, bright.total / sample.total)
