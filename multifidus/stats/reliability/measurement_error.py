"""Measurement error: its size, the least change beyond it, and how two raters agree."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.numeric_input import check_same_rows, plain_numbers
from multifidus.errors import StatisticsError
from multifidus.stats.distributions import chi2_quantile, noncentral_t_quantile, t_quantile
from multifidus.stats.reliability.ratings import TAIL, Z, full_table, mean_squares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sem:
    """Standard error of measurement, in the unit of the ratings.

    Parameters
    ----------
    agreement
        Root of the variance between raters and of the residual: what another rater adds.
    consistency
        Root of the residual variance alone: what is left where every rater's own offset is the
        same in both exams.
    agreement_ci95, consistency_ci95
        95 % intervals; that of agreement rests on Satterthwaite's degrees of freedom and is too
        narrow where raters are few and differ.
    mean
        Mean of all ratings, to which percentages refer.
    """

    agreement: float
    consistency: float
    agreement_ci95: Interval
    consistency_ci95: Interval
    mean: float

    @property
    def mdc95_agreement(self) -> float:
        """Least change beyond error where two raters read the two exams."""
        return mdc95(self.agreement)

    @property
    def mdc95_consistency(self) -> float:
        """Least change beyond error where one rater reads both exams."""
        return mdc95(self.consistency)

    @property
    def mdc95_pct(self) -> float:
        """``mdc95_agreement`` in percent of the mean; infinite where that is 0."""
        return 100 * self.mdc95_agreement / abs(self.mean) if self.mean else math.inf


def mdc95(sem: float, readings: int = 1) -> float:
    """Minimal detectable change of one subject: ``1.96 x sqrt(2) x SEM / sqrt(readings)``.

    Parameters
    ----------
    sem
        Standard error of measurement; which one is for the caller to say.
    readings
        How many readings each value is the mean of.
    """
    return Z * math.sqrt(2) * sem / math.sqrt(readings)


def sem(ratings: ArrayLike) -> Sem:
    """Compute the standard error of measurement from ratings of shape (n, k).

    From the mean squares of the two-way analysis of variance (de Vet et al. 2006,
    doi:10.1016/j.jclinepi.2005.10.015).

    Raises
    ------
    StatisticsError
        As :func:`multifidus.stats.reliability.icc.icc`, but values may be equal.

    Examples
    --------
    >>> round(sem([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
    ...            [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]).agreement, 6)
    2.502776
    """
    squares = mean_squares(ratings)
    n, k = squares.n, squares.k
    residual = (n - 1) * (k - 1)
    parts = ((squares.raters / n, k - 1), ((n - 1) * squares.error / n, residual))
    # Where raters differ less than the residual makes them, this is still what they disagree by.
    variance = sum(part for part, _ in parts)
    spread = sum(part**2 / df for part, df in parts)
    df = variance**2 / spread if spread else float(residual)
    return Sem(
        agreement=math.sqrt(variance),
        consistency=math.sqrt(squares.error),
        agreement_ci95=_sd_interval(variance, df),
        consistency_ci95=_sd_interval(squares.error, residual),
        mean=float(np.mean(np.asarray(ratings, dtype=np.float64))),
    )


def _sd_interval(variance: float, df: float) -> Interval:
    low, high = (math.sqrt(variance * df / chi2_quantile(p, df)) for p in (TAIL, 1 - TAIL))
    return low, high


def within_subject_cv_pct(ratings: ArrayLike) -> float:
    """Within-subject coefficient of variation of positive ratings, shape (n, k), in percent.

    Root of the mean of each subject's variance over its squared mean (Bland and Altman's second
    method), which does not depend on the size of the subjects.

    Raises
    ------
    StatisticsError
        If a rating is not positive: a ratio to it says nothing.
    """
    table = full_table(ratings)
    if table.min() <= 0:
        msg = f"A coefficient of variation needs positive values; there is {table.min():g}."
        raise StatisticsError(msg)
    shares = table.var(axis=1, ddof=1) / table.mean(axis=1) ** 2
    return 100 * math.sqrt(float(shares.mean()))


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """Agreement of two measurements, first minus second (Bland and Altman 1986).

    Parameters
    ----------
    n
        Pairs.
    bias, bias_ci95
        Mean difference, and its interval by Student's t.
    sd
        Standard deviation of the differences.
    limits
        ``bias -+ 1.96 sd``: 95 % limits of agreement.
    limits_ci95
        Exact interval of either limit by the noncentral t distribution (Carkeet 2015,
        doi:10.1097/OPX.0000000000000513).
    slope, slope_p
        Slope of the difference against the pair's mean and its two-sided p: proportional bias.
    """

    n: int
    bias: float
    bias_ci95: Interval
    sd: float
    limits: Interval
    limits_ci95: tuple[Interval, Interval]
    slope: float
    slope_p: float


def bland_altman(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Compare two measurements of the same subjects, first minus second, each of shape (n,).

    Raises
    ------
    StatisticsError
        If the shapes differ, a value is missing, masked or no number, there are fewer than three
        pairs, or both are columns of tables and their rows have different labels (index).

    Examples
    --------
    >>> bland_altman([1, 2, 4], [1, 3, 3]).bias
    0.0
    """
    one, two = _pairs(first, second)
    difference, mean = one - two, (one + two) / 2
    n = len(difference)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    slope, p = _slope(mean, difference)
    return BlandAltman(
        n=n,
        bias=bias,
        bias_ci95=mean_interval(bias, sd, n),
        sd=sd,
        limits=(bias - Z * sd, bias + Z * sd),
        limits_ci95=_limit_intervals(bias, sd, n),
        slope=slope,
        slope_p=p,
    )


def bland_altman_ratio(first: ArrayLike, second: ArrayLike) -> BlandAltman:
    """Compare two positive measurements by their ratio, first over second.

    Bias, limits and their intervals are computed on logarithms and given as ratios; ``sd`` and
    ``slope`` stay those of the natural logarithms.

    Raises
    ------
    StatisticsError
        As :func:`bland_altman`; also if a value is not positive.
    """
    one, two = _pairs(first, second)
    if min(one.min(), two.min()) <= 0:
        msg = "Ratios need positive values."
        raise StatisticsError(msg, remedy="Compare by differences.")
    logs = bland_altman(np.log(one), np.log(two))

    def ratio(interval: Interval) -> Interval:
        return math.exp(interval[0]), math.exp(interval[1])

    return replace(
        logs,
        bias=math.exp(logs.bias),
        bias_ci95=ratio(logs.bias_ci95),
        limits=ratio(logs.limits),
        limits_ci95=(ratio(logs.limits_ci95[0]), ratio(logs.limits_ci95[1])),
    )


_LEAST_PAIRS = 3


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Array, Array]:
    check_same_rows(first, second, StatisticsError)
    what = "the measurements"
    one, two = (plain_numbers(values, what, StatisticsError) for values in (first, second))
    if one.ndim != 1 or one.shape != two.shape:
        msg = f"Two measurements must be of the same subjects, got {one.shape} and {two.shape}."
        raise StatisticsError(msg)
    if len(one) < _LEAST_PAIRS:
        msg = f"{len(one)} pairs are too few; at least {_LEAST_PAIRS} are needed."
        raise StatisticsError(msg)
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        msg = "A value is missing or not finite."
        raise StatisticsError(msg, remedy="Leave out subjects without both values.")
    return one, two


def mean_interval(mean: float, sd: float, n: int) -> Interval:
    """Return the interval of the mean of n values by Student's t."""
    half = t_quantile(TAIL, n - 1) * sd / math.sqrt(n)
    return mean - half, mean + half


def _limit_intervals(mean: float, sd: float, n: int) -> tuple[Interval, Interval]:
    """Exact intervals of mean -+ 1.96 standard deviations of a normal population."""
    shift = Z * math.sqrt(n)
    near, far = (
        noncentral_t_quantile(p, n - 1, shift) * sd / math.sqrt(n) for p in (1 - TAIL, TAIL)
    )
    return (mean - far, mean - near), (mean + near, mean + far)


def _slope(x: Array, y: Array) -> tuple[float, float]:
    """Slope of y against x by least squares, and its two-sided p; p is NaN where x is constant."""
    from scipy.stats import linregress

    if np.ptp(x) == 0:
        return 0.0, math.nan
    found = linregress(x, y)
    return float(found.slope), float(found.pvalue)


@dataclass(frozen=True, slots=True)
class Concordance:
    """Lin's concordance correlation coefficient.

    Parameters
    ----------
    value, ci95
        The coefficient, and its interval by Fisher's z.
    precision, accuracy
        Pearson's correlation, and how far the best line is from that of identity; their product
        is the value.
    """

    value: float
    ci95: Interval
    precision: float
    accuracy: float


def concordance(first: ArrayLike, second: ArrayLike) -> Concordance:
    """Compute Lin's concordance of two measurements, each of shape (n,).

    Lin 1989 (doi:10.2307/2532051), with population variances; interval by Fisher's z with Lin's
    standard error as corrected in 2000 (doi:10.1111/j.0006-341X.2000.00324.x).

    Raises
    ------
    StatisticsError
        As :func:`bland_altman`; also if a measurement is constant, or there are under four pairs.
    """
    one, two = _pairs(first, second)
    n = len(one)
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        msg = "One of the two measurements is constant, so they cannot vary together."
        raise StatisticsError(msg)
    if n == _LEAST_PAIRS:
        msg = "3 pairs are too few for the interval of a concordance; at least 4 are needed."
        raise StatisticsError(msg)
    r = float(np.corrcoef(one, two)[0, 1])
    shift = float(one.mean() - two.mean())
    together = 2 * float(np.cov(one, two, ddof=0)[0, 1])
    value = together / (float(one.var()) + float(two.var()) + shift**2)
    u2 = shift**2 / (float(one.std()) * float(two.std()))
    return Concordance(value, _concordance_interval(value, r, u2, n), r, value / r if r else 0.0)


def _concordance_interval(value: float, r: float, u2: float, n: int) -> Interval:
    if abs(value) >= 1 - 1e-15 or r == 0:
        return value, value
    square = value**2
    variance = (
        (1 - r**2) * square / ((1 - square) * r**2)
        + 2 * value**3 * (1 - value) * u2 / (r * (1 - square) ** 2)
        - value**4 * u2**2 / (2 * r**2 * (1 - square) ** 2)
    ) / (n - 2)
    half = Z * math.sqrt(max(variance, 0.0))
    centre = math.atanh(value)
    return math.tanh(centre - half), math.tanh(centre + half)
