"""Fat fraction of a Dixon pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot
from multifidus.measuring.weighted_pixels import NAN

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class DixonResult:
    """Signal fat fraction of a Dixon pair; percentages NaN where no pixel has F + W > 0.

    Parameters
    ----------
    mean_pct, ratio_pct
        100 x mean of F / (F + W), and 100 x sum of F / sum of (F + W).
    n_pixels
        Pixels with F + W > 0; others have no fat fraction and are left out, never taken for 0.
    weight, fat_sum, total_sum
        Their total weight, and the weighted sums of F and of F + W, from which outlines can be
        pooled.
    """

    mean_pct: float
    ratio_pct: float
    n_pixels: int
    weight: float
    fat_sum: float
    total_sum: float


def dixon_fat_fraction(fat: ArrayLike, water: ArrayLike, weights: ArrayLike) -> DixonResult:
    """Measure the Dixon signal fat fraction of one muscle.

    Negative pixels, which noise leaves behind in reconstructed images, are taken as they are: to
    clip them would bias the mean.

    Parameters
    ----------
    fat, water
        Fat and water signal, on one scale.
    weights
        How much of each pixel lies inside the muscle, 0 to 1; same shape.

    Examples
    --------
    >>> dixon_fat_fraction([1, 3, 0], [3, 1, 0], [1, 1, 1]).mean_pct
    50.0
    """
    f, w, share = (np.asarray(array, dtype=np.float64) for array in (fat, water, weights))
    total = f + w
    counts = (share > 0) & (total > 0)
    if not counts.any():
        return DixonResult(NAN, NAN, 0, 0.0, 0.0, 0.0)
    f, total, share = f[counts], total[counts], share[counts]
    weight, fat_sum, total_sum = float(share.sum()), dot(share, f), dot(share, total)
    mean = 100 * dot(share, f / total) / weight
    ratio = 100 * fat_sum / total_sum
    return DixonResult(mean, ratio, int(counts.sum()), weight, fat_sum, total_sum)
