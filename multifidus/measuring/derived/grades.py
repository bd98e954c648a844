"""Grades that follow from a number by a published cut-off."""

from __future__ import annotations

import math

STORHEIM_PCT = (20.0, 50.0)
"""Below the first is grade 0, above the second grade 2 (doi:10.1186/s12891-017-1505-5)."""


def storheim_grade(fat_pct: float) -> float:
    """Grade the fat of both multifidus muscles together, 0 to 2; NaN of NaN.

    Examples
    --------
    >>> [storheim_grade(fat) for fat in (19.9, 20.0, 50.0, 50.1)]
    [0.0, 1.0, 1.0, 2.0]
    """
    if math.isnan(fat_pct):
        return fat_pct
    low, high = STORHEIM_PCT
    return float(fat_pct >= low) + float(fat_pct > high)
