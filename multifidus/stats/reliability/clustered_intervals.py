"""Intervals that count subjects, where one subject gives several targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.errors import StatisticsError
from multifidus.stats.distributions import chi2_quantile, t_quantile
from multifidus.stats.reliability.icc import Estimate, Icc, from_ratio, of_mean
from multifidus.stats.reliability.measurement_error import BlandAltman, Interval, Sem
from multifidus.stats.reliability.ratings import TAIL, Z, mean_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DRAWS = 10_000
SEED = 20260101

FEW_SUBJECTS = 15
MANY_TARGETS = 4
"""With fewer subjects who give at least so many targets each the intervals cover 90 to 94 %."""


@dataclass(frozen=True, slots=True)
class ClusteredVariance:
    """A variance of targets, of which some share a subject.

    Parameters
    ----------
    variance, df
        Of one target, both strata together, and Satterthwaite's degrees of freedom.
    of_mean
        Variance of the mean of all targets, times their number.
    subjects
        How many there are.
    """

    variance: float
    df: float
    of_mean: float
    subjects: int

    @property
    def noise(self) -> float:
        """How much larger the mean's variance is than if no targets shared a subject."""
        return self.of_mean / self.variance


def clustered_variance(rows: Array, subjects: Sequence[str], rank: int = 1) -> ClusteredVariance:
    """Divide the variance of targets between subjects and within them.

    ``E[between] = within + m0 x subjects``: with m0 the number of targets a subject has, corrected
    for unequal numbers, ``between / m0 + within (1 - 1 / m0)`` is the variance of one target, and
    Satterthwaite (1946, doi:10.2307/3002019) says on how many degrees of freedom it rests: between
    the number of subjects, where a subject's targets are alike, and that of targets.

    Parameters
    ----------
    rows
        Shape (targets, q); the squares of the q columns are added.
    subjects
        Whose each target is.
    rank
        How many of the columns are free.

    Raises
    ------
    StatisticsError
        If all targets are of one subject: how subjects vary is unknown.
    """
    _, whose, sizes = np.unique(np.asarray(subjects), return_inverse=True, return_counts=True)
    if len(sizes) == 1:
        msg = f"all {len(rows)} targets are of one subject"
        raise StatisticsError(msg, remedy="(at least two subjects are needed)")
    about = rows - rows.mean(axis=0)
    totals = np.stack([np.bincount(whose.ravel(), column) for column in about.T], axis=1)
    squares = float((totals**2 / sizes[:, None]).sum())
    n, targets = len(sizes), len(rows)
    between = squares / ((n - 1) * rank)
    alike = float((sizes.astype(float) ** 2).sum()) / targets
    each = (targets - alike) / (n - 1)
    if targets == n:
        return ClusteredVariance(between, float((n - 1) * rank), between, n)
    free = (targets - n) * rank
    within = max(float((about**2).sum()) - squares, 0.0) / free
    parts = ((between / each, (n - 1) * rank), (within * (1 - 1 / each), free))
    variance = sum(part for part, _ in parts)
    square = sum(part**2 / df for part, df in parts)
    # Of one target each the mean would vary less; of alike ones it varies as that of subjects.
    of_mean = max(within + alike * (between - within) / each, 0.0)
    return ClusteredVariance(variance, variance**2 / square if square else float(n - 1), of_mean, n)


@dataclass(frozen=True, slots=True)
class Ratings:
    """What a table of ratings, targets x raters, says where targets share subjects.

    Parameters
    ----------
    targets, error
        Between targets, k times their variance; and the residual's.
    raters
        Mean square between raters.
    within
        Mean square within targets.
    shape
        Targets and raters.
    """

    targets: ClusteredVariance
    error: ClusteredVariance
    raters: float
    within: float
    shape: tuple[int, int]


def divide(table: Array, subjects: Sequence[str]) -> Ratings:
    """Divide the variance of ratings, shape (n, k), whose targets are of these subjects."""
    n, k = table.shape
    values = table - table.mean()
    means, offsets = values.mean(axis=1, keepdims=True), values.mean(axis=0)
    squares = mean_squares(table)
    return Ratings(
        targets=clustered_variance(math.sqrt(k) * means, subjects),
        error=clustered_variance(values - means - offsets, subjects, k - 1),
        raters=squares.raters,
        within=squares.within,
        shape=(n, k),
    )


def icc_intervals(forms: Sequence[Icc], table: Array, subjects: Sequence[str]) -> tuple[Icc, ...]:
    """Give correlations intervals that know of subjects with several targets.

    ICC(1, .) and ICC(3, .): from the ratio of the two variances, F-distributed with Satterthwaite's
    degrees of freedom. ICC(2, .): generalised confidence interval (Weerahandi 1993,
    doi:10.1080/01621459.1993.10476355), which takes raters as the sample that they are; that in
    common use takes few of them for more than they are. No interval is narrower than the classical
    one, of targets as if each were a subject.

    Parameters
    ----------
    forms
        All six, as :func:`multifidus.stats.reliability.icc.icc` gives them for the table.
    table, subjects
        Ratings, shape (n, k), and whose each row is.
    """
    found = divide(table, subjects)
    if not (found.error.variance and found.targets.variance):
        return tuple(forms)
    (n, k), between = found.shape, found.targets.variance
    single = (
        from_ratio(between / found.within, found.targets.df, n * (k - 1), k),
        _agreement(found),
        from_ratio(between / found.error.variance, found.targets.df, found.error.df, k),
    )
    both = (*single, *(of_mean(one, k) for one in single))
    return tuple(
        replace(form, ci95=_wider(form.ci95, (low, high)))
        for form, (_, low, high) in zip(forms, both, strict=True)
    )


def _wider(one: Interval, other: Interval) -> Interval:
    """Return the interval that holds both; an end that has no number does not count."""
    low = min(end for end in (one[0], other[0]) if not math.isnan(end))
    high = max(end for end in (one[1], other[1]) if not math.isnan(end))
    return low, high


@lru_cache(maxsize=1)  # correlations and errors are of the same ratings
def _pivots(found: Ratings) -> tuple[Array, Array, Array]:
    """Draw what the variances may be: of targets (times k) with error, of error, and of raters."""
    n, k = found.shape
    rng = np.random.default_rng(SEED)
    targets = found.targets.variance * found.targets.df / rng.chisquare(found.targets.df, DRAWS)
    error = found.error.variance * found.error.df / rng.chisquare(found.error.df, DRAWS)
    square = found.raters * (k - 1) / rng.chisquare(k - 1, DRAWS)
    return targets, error, np.maximum(square - error * found.error.noise, 0.0) / n


def _agreement(found: Ratings) -> Estimate:
    k = found.shape[1]
    targets, error, raters = _pivots(found)
    drawn = (targets - error) / (targets + (k - 1) * error + k * raters)
    low, middle, high = np.quantile(drawn, (1 - TAIL, 0.5, TAIL)).tolist()
    return middle, low, high


def sem_intervals(sem: Sem, table: Array, subjects: Sequence[str]) -> Sem:
    """Give the errors of measurement such intervals; none is narrower than the classical one."""
    found = divide(table, subjects)
    if not found.error.variance:
        return sem
    variance, df = found.error.variance, found.error.df
    ends = (math.sqrt(variance * df / chi2_quantile(p, df)) for p in (TAIL, 1 - TAIL))
    _, error, raters = _pivots(found)
    low, high = np.sqrt(np.quantile(error + raters, (1 - TAIL, TAIL))).tolist()
    return replace(
        sem,
        consistency_ci95=_wider(sem.consistency_ci95, (next(ends), next(ends))),
        agreement_ci95=_wider(sem.agreement_ci95, (low, high)),
    )


def limit_intervals(
    agreement: BlandAltman, difference: Array, subjects: Sequence[str], *, ratio: bool = False
) -> BlandAltman:
    """Give bias and limits of agreement such intervals; none is narrower than the classical one.

    Parameters
    ----------
    agreement
        Of the differences.
    difference, subjects
        Shape (n,), and whose each is.
    ratio
        Whether ``agreement`` is given as ratios, and ``difference`` is of logarithms.
    """
    found = clustered_variance(difference[:, None], subjects)
    if not found.variance:
        return agreement
    n, bias = len(difference), float(difference.mean())
    error = math.sqrt(found.of_mean / n)
    half = t_quantile(TAIL, found.subjects - 1) * error
    rng = np.random.default_rng(SEED)
    shift = rng.standard_normal(DRAWS)
    size = np.sqrt(found.df / rng.chisquare(found.df, DRAWS))
    # A limit may be a mean and a standard deviation away, each as far as its own draws say.
    drawn = size * (Z * math.sqrt(found.variance) + error * shift)
    near, far = np.quantile(drawn, (1 - TAIL, TAIL)).tolist()

    def give(low: float, high: float) -> Interval:
        return (math.exp(low), math.exp(high)) if ratio else (low, high)

    lower, upper = agreement.limits_ci95
    return replace(
        agreement,
        bias_ci95=_wider(agreement.bias_ci95, give(bias - half, bias + half)),
        limits_ci95=(
            _wider(lower, give(bias - far, bias - near)),
            _wider(upper, give(bias + near, bias + far)),
        ),
    )


def few_subjects_warning(subjects: Sequence[str]) -> str:
    """Say why such intervals are not quite to be relied on; empty where they are.

    Simulated studies stand in ``docs/evidence/reliability.md``.
    """
    n = len(set(subjects))
    if n >= FEW_SUBJECTS or len(subjects) < MANY_TARGETS * n:
        return ""
    return (
        f"{n} subjects give {len(subjects)} targets: with fewer than {FEW_SUBJECTS} subjects of so "
        "many targets the 95 % intervals cover 90 to 94 %."
    )
