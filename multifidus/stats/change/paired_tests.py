"""Tests of paired differences: by their mean, by their signed ranks, and several made together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.stats.reliability.measurement_error import mean_interval
from multifidus.stats.reliability.ratings import TAIL, Z

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

MOST_EXACT = 25
"""Up to so many differences other than 0 the p value is exact."""

_ROUNDING = 1e-10
"""Differences closer than this share of the largest are tied, or 0: rounding tells them apart."""


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Whether differences are other than none on average.

    Parameters
    ----------
    mean, sd, ci95
        Of the differences; interval by Student's t.
    t, p_t, p_wilcoxon
        Paired t test, and Wilcoxon's signed rank test; NaN where all differences are 0.
    n_wilcoxon
        Differences other than 0, which alone enter Wilcoxon's test.
    dz, dz_ci95
        Mean over standard deviation (Cohen's d_z), interval by the noncentral t distribution; NaN
        where the differences do not vary.
    """

    mean: float
    sd: float
    ci95: tuple[float, float]
    t: float
    p_t: float
    p_wilcoxon: float
    dz: float
    dz_ci95: tuple[float, float]
    n_wilcoxon: int


def paired_tests(difference: ArrayLike) -> PairedTests:
    """Test whether differences, shape (n,), are other than none on average."""
    from scipy.stats import t as student

    values = np.asarray(difference, dtype=np.float64)
    n, mean, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    t = p = math.nan
    if sd > 0:
        t = mean / (sd / math.sqrt(n))
        p = float(2 * student.sf(abs(t), n - 1))
    elif mean:
        t, p = math.copysign(math.inf, mean), 0.0
    ranks = signed_rank(values)
    return PairedTests(
        mean=mean,
        sd=sd,
        ci95=mean_interval(mean, sd, n),
        t=t,
        p_t=p,
        p_wilcoxon=ranks.p,
        dz=mean / sd if sd > 0 else math.nan,
        dz_ci95=_dz_interval(t, n),
        n_wilcoxon=ranks.n,
    )


def _dz_interval(t: float, n: int) -> tuple[float, float]:
    """Interval of d_z: the noncentralities that t does not contradict."""
    from scipy.optimize import brentq
    from scipy.stats import nct

    if not math.isfinite(t):
        return math.nan, math.nan
    reach = abs(t) + 10 * Z

    def below(shift: float) -> float:
        share = float(nct.cdf(t, n - 1, shift))
        # Far out, where the distribution function is 0 or 1, it may come as NaN.
        return float(shift < t) if math.isnan(share) else share

    def end(p: float) -> float:
        return float(brentq(lambda shift: below(shift) - p, t - reach, t + reach))

    return end(TAIL) / math.sqrt(n), end(1 - TAIL) / math.sqrt(n)


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


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for their number by Holm's method (1979); NaN stays, and is not counted.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    corrected = list(p_values)
    largest = 0.0
    for done, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - done)))
        corrected[place] = largest
    return corrected
