"""The lean-muscle and fat references of an exam: what they tell apart, what is darker than both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.sums import dot
from multifidus.measuring.uncertainty.components import lean_level
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)

MIXED_SHARE = 0.1
"""A reference of which more than this looks like the other one holds both tissues."""

FATAL = frozenset(
    {
        Flag.NO_REFERENCE,
        Flag.REFERENCE_INCONSISTENT,
        Flag.REFERENCE_INVERTED,
        Flag.UNDETECTABLE,
    }
)
"""Flags that leave the fat undefined; others stand beside the number."""

DARK_SHARE = 0.5
"""Pixels below this share of the lean signal are no lean muscle; shading leaves more than this."""

DARK_SPREADS = 3.0
"""They lie as many standard deviations of lean muscle's noise below it, besides."""

MOST_DARK_PCT = 3.0
"""Muscles of which more than this is that dark are flagged. On the phantom without metal at most
0.2 % is, down to a signal-to-noise ratio of 5; a screw whose void reaches into a muscle hides 15 %
and more of it. Septa and vessels stay below on the one real exam that it was tried on."""

TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal errors."""


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """Pixels of the lean-muscle and of the fat references, all of an exam's pooled.

    Parameters
    ----------
    lean, fat
        The samples; empty where there are none.
    flags
        Quality flags of how they were drawn.
    outside_mm
        How far the fat references lie outside the region in which the bias field was fitted.
    fat_in_muscle
        Signal of fat in muscle over that of the fat references, as the calibration of the signal
        infers it; 1 where there is none.
    """

    lean: WeightedPixels
    fat: WeightedPixels
    flags: tuple[Flag, ...] = ()
    outside_mm: float = 0.0
    fat_in_muscle: float = 1.0

    @property
    def notes(self) -> dict[str, float]:
        """What flags mean in numbers."""
        is_outside = Flag.REFERENCE_OUTSIDE_FIELD in self.flags
        return {"reference_outside_mm": self.outside_mm} if is_outside else {}

    @property
    def muscle_fat(self) -> WeightedPixels:
        """The fat references as bright as fat in muscle: depots of one body differ in signal."""
        return WeightedPixels(self.fat.values * self.fat_in_muscle, self.fat.weights)

    @property
    def contrast(self) -> float:
        """Distance between their medians; NaN where one is missing."""
        return self.fat.median - self.lean.median

    def pair_flags(self, protocol: MeasurementProtocol) -> tuple[Flag, ...]:
        """Say what is wrong with both references as a pair."""
        if not len(self.lean.values) or not len(self.fat.values):
            return (Flag.NO_REFERENCE, *self.flags)
        if self.contrast <= 0:
            return (Flag.REFERENCE_INVERTED, *self.flags)
        mixed = (Flag.REFERENCE_MIXED,) if _are_mixed(self.lean, self.fat) else ()
        if separation(self.lean, self.fat) < protocol.minimal_separation:
            return (Flag.UNDETECTABLE, *mixed, *self.flags)
        return (*mixed, *self.flags)

    def lean_flags(self, protocol: MeasurementProtocol) -> tuple[Flag, ...]:
        """Say what is wrong with the lean reference, for methods that need no other."""
        if not len(self.lean.values):
            return (Flag.NO_REFERENCE, *self.flags)
        found = self.pair_flags(protocol) if len(self.fat.values) else self.flags
        return tuple(flag for flag in found if flag is not Flag.REFERENCE_OUTSIDE_FIELD)

    def beside(self, muscles: Sequence[WeightedPixels], weight: float) -> list[WeightedPixels]:
        """Return muscles and both references, each of ``weight`` times all muscles' weight.

        The fat references are as bright as fat in muscle is.
        """
        total = weight * float(np.add.reduce(np.concatenate([each.weights for each in muscles])))
        return [*muscles, self.lean.scaled_to(total), self.muscle_fat.scaled_to(total)]

    @property
    def midpoint(self) -> float:
        """Middle between the medians of both references."""
        return (self.lean.median + self.fat.median) / 2

    @property
    def lean_maximum(self) -> float:
        """Brightest pixel at least half inside a lean reference; NaN where there is none.

        Pixels with less of themselves inside show mostly what lies around the sample.
        """
        inside = self.lean.values[self.lean.weights >= 0.5]  # noqa: PLR2004 - half
        return float(inside.max()) if len(inside) else NAN

    def lean_mean_plus(self, multiple: float) -> float:
        """Return the lean mean plus a multiple of the lean standard deviation."""
        return self.lean.mean + multiple * math.sqrt(self.lean.variance)


# Every muscle asks again.
@lru_cache(maxsize=2)
def _are_mixed(lean: WeightedPixels, fat: WeightedPixels) -> bool:
    middle = (lean.median + fat.median) / 2
    return max(lean.share_above(middle), 1 - fat.share_above(middle)) > MIXED_SHARE


# A muscle's own classes once, and the references, by one bias field or by two, for every muscle.
@lru_cache(maxsize=4)
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


def linear_mixing(muscle: WeightedPixels, references: References) -> tuple[float, float]:
    """Measure the fat fraction by linear mixing of two signals.

    ``100 x mean((S - S_lean) / (S_fat - S_lean))``, with the medians of the references: unbiased
    under partial volume, since a pixel half of fat counts half.

    Returns
    -------
    tuple
        Unclipped, and with every pixel clipped to 0..1, which noise biases upwards.
    """
    share = (muscle.values - references.lean.median) / references.contrast
    mean = dot(muscle.weights, share) / muscle.total
    clipped = dot(muscle.weights, share.clip(0, 1)) / muscle.total
    return 100 * mean, 100 * clipped


def darkest_muscle(lean: WeightedPixels, muscle: WeightedPixels) -> float:
    """Return the signal below which a pixel is neither lean muscle nor fat.

    Parameters
    ----------
    lean
        Pixels of lean references. Where there are none, lean signal is where the darker half of
        the muscles' pixels is densest.
    muscle
        Pixels of all muscles.

    Returns
    -------
    float
        NaN where nothing is known of lean muscle.

    Examples
    --------
    >>> darkest_muscle(WeightedPixels.of([99.0, 100.0, 101.0]), WeightedPixels.of([]))
    50.0
    """
    if len(lean.values):
        level, values = lean.median, lean.values
    elif len(muscle.values):
        # Sorted, because the level is sought in ranges of them.
        values = np.sort(muscle.values.compress(muscle.values <= muscle.median))
        level, _ = lean_level(values, in_order=True)
    else:
        return NAN
    # From the darker side alone, without voids: what is brighter may be partly fat.
    if len(lean.values):
        darker = values[(values <= level) & (values >= DARK_SHARE * level)]
    else:
        ends = values.searchsorted(DARK_SHARE * level), values.searchsorted(level, side="right")
        darker = values[slice(*ends)]
    noise = TO_DEVIATION * float(np.median(level - darker)) if len(darker) else 0.0
    return min(DARK_SHARE * level, level - DARK_SPREADS * noise)


def dark_pct(sample: WeightedPixels, limit: float) -> float:
    """Share of a sample below a limit, 0 to 100; NaN where there is no limit."""
    if math.isnan(limit) or not len(sample.values):
        return NAN
    dark = sample.weights.compress(sample.values < limit)
    return 100 * float(np.add.reduce(dark)) / sample.total
