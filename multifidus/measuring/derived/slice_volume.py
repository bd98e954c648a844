"""Volume from parallel slices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def volume_ml(areas_mm2: Iterable[float], step_mm: float) -> float:
    """Sum areas times the step between their slices, millilitres (Cavalieri's rule).

    Examples
    --------
    >>> volume_ml([900.0, 1000.0, 1100.0], 4.0)
    12.0
    """
    return math.fsum(areas_mm2) * step_mm / 1000


def is_unbroken(indices: Sequence[int]) -> bool:
    """Whether distinct places of slices in their stack follow one another without a gap."""
    return max(indices) - min(indices) + 1 == len(indices)
