"""Whether two classes of pixels are apart enough for a threshold between them to mean anything."""

from __future__ import annotations

import math

from multifidus.metrics.samples import Sample


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
