"""Tests of paired differences, and the correction of several of them made together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.stats.change.signed_rank import signed_rank
from multifidus.stats.distributions import t_quantile
from multifidus.stats.reliability.ratings import LEVEL, Z

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


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
    half = t_quantile((1 + LEVEL) / 2, n - 1) * sd / math.sqrt(n)
    return PairedTests(
        mean=mean,
        sd=sd,
        ci95=(mean - half, mean + half),
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
    tail, reach = (1 + LEVEL) / 2, abs(t) + 10 * Z

    def below(shift: float) -> float:
        share = float(nct.cdf(t, n - 1, shift))
        # Far out, where the distribution function is 0 or 1, it may come as NaN.
        return float(shift < t) if math.isnan(share) else share

    def end(p: float) -> float:
        return float(brentq(lambda shift: below(shift) - p, t - reach, t + reach))

    return end(tail) / math.sqrt(n), end(1 - tail) / math.sqrt(n)


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
