"""Wilcoxon's signed rank test, exact where differences are few, with ties and zeros."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

MOST_EXACT = 25
"""Up to so many differences other than 0 the p value is exact."""

_ROUNDING = 1e-10
"""Differences closer than this share of the largest are tied, or 0: rounding tells them apart."""


@dataclass(frozen=True, slots=True)
class SignedRank:
    """Whether differences lie about 0.

    Parameters
    ----------
    n
        Differences other than 0, which alone have a rank.
    positive
        Sum of the ranks of the positive ones (W+).
    p
        Two-sided; NaN where all differences are 0.
    exact
        Whether p is exact, by all 2^n signs, or by the normal distribution.
    """

    n: int
    positive: float
    p: float
    exact: bool


def signed_rank(difference: ArrayLike) -> SignedRank:
    """Test differences, shape (n,), by the sum of their signed ranks (Wilcoxon 1945).

    Zeros are left out, ties have the mean of their ranks. Up to :data:`MOST_EXACT` differences p
    is exact, given the ties; of more the normal distribution with corrections for ties and for
    continuity stands for it (Hollander and Wolfe 1999, chapter 3.1; doi:10.2307/3001968 for the
    test).

    Examples
    --------
    >>> signed_rank([1, 2, 3, 4, 5, 0]).p
    0.0625
    """
    values = np.asarray(difference, dtype=np.float64)
    least = _ROUNDING * float(np.abs(values).max(initial=0.0))
    kept = values[np.abs(values) > least]
    n = len(kept)
    if not n:
        return SignedRank(0, 0.0, math.nan, exact=True)
    doubled = _doubled_ranks(np.abs(kept), least)
    positive = int(doubled[kept > 0].sum())
    if n <= MOST_EXACT:
        return SignedRank(n, positive / 2, _exact_p(doubled, positive), exact=True)
    return SignedRank(n, positive / 2, _normal_p(doubled, positive), exact=False)


def _doubled_ranks(sizes: Array, least: float) -> NDArray[np.int64]:
    """Rank sizes from 1; twice the rank is whole where ties have the mean of theirs."""
    order = np.argsort(sizes, kind="stable")
    starts = np.flatnonzero(np.diff(sizes[order], prepend=-math.inf) > least)
    ends = np.append(starts[1:], len(sizes))
    found = np.empty(len(sizes), dtype=np.int64)
    # Ranks start + 1 to end have the mean (start + 1 + end) / 2.
    found[order] = np.repeat(starts + 1 + ends, ends - starts)
    return found


def _exact_p(doubled: NDArray[np.int64], positive: int) -> float:
    """Count in how many of all 2^n choices of signs the sum is as far out."""
    total = int(doubled.sum())
    ways = np.zeros(total + 1, dtype=np.int64)
    ways[0] = 1
    for rank in doubled.tolist():
        ways[rank:] += ways[:-rank].copy()
    # The choices are symmetric about half the total.
    tail = int(ways[: min(positive, total - positive) + 1].sum())
    return min(1.0, float(2 * tail / 2 ** len(doubled)))


def _normal_p(doubled: NDArray[np.int64], positive: int) -> float:
    distance = abs(positive - int(doubled.sum()) / 2) / 2
    # The variance is a quarter of the sum of squared ranks, which holds the correction for ties.
    sd = math.sqrt(int((doubled**2).sum()) / 16)
    return math.erfc(max(distance - 0.5, 0.0) / sd / math.sqrt(2))
