"""How many subjects a study needs: for a correlation so exact, or for a change so small."""

from __future__ import annotations

import math
from dataclasses import dataclass

from multifidus.errors import StatisticsError
from multifidus.stats.reliability.ratings import TAIL, Z

MOST_SUBJECTS = 100_000
"""A study that would need more is none."""


@dataclass(frozen=True, slots=True)
class ReliabilityPlan:
    """A study of reliability.

    Parameters
    ----------
    n, raters
        Subjects, each measured by every rater.
    icc, width
        Expected correlation of single ratings, and the full width of its 95 % interval.
    """

    n: int
    raters: int
    icc: float
    width: float


@dataclass(frozen=True, slots=True)
class ChangePlan:
    """A study of change in one group.

    Parameters
    ----------
    n
        Subjects with both exams.
    delta, sd
        Mean change to be found, and standard deviation of the changes.
    power, alpha
        Reached power (not below what was asked for) and the two-sided level of one test.
    """

    n: int
    delta: float
    sd: float
    power: float
    alpha: float


def plan_reliability(icc: float, width: float, raters: int = 2) -> ReliabilityPlan:
    """Plan a study whose correlation has a 95 % interval of a wanted width.

    Bonett 2002 (doi:10.1002/sim.1108): ``n = 8 z^2 (1 - icc)^2 (1 + (k - 1) icc)^2 /
    (k (k - 1) width^2) + 1``, and ``5 icc`` more with two raters and a correlation of 0.7 or more.
    It holds for ICC(1,1) and ICC(3,1); ICC(2,1) is less exact where raters differ, and no number
    of subjects makes up for too few raters.

    Parameters
    ----------
    icc
        Expected correlation, 0 or more and below 1.
    width
        Full width of the interval.
    raters
        How many measure each subject.

    Raises
    ------
    StatisticsError
        If a number is out of its range, or no feasible study is so exact.

    Examples
    --------
    >>> plan_reliability(0.9, 0.2, raters=2).n
    20
    """
    _check("correlation", icc, 0.0, 1.0, low_is_in=True)
    _check("width of the interval", width, 0.0, 2.0)
    if raters < 2:  # noqa: PLR2004 - a comparison needs two
        msg = f"{raters} raters cannot be compared."
        raise StatisticsError(msg, remedy="Plan at least two.")
    z = _normal(TAIL)
    spread = (1 - icc) * (1 + (raters - 1) * icc)
    n = 8 * (z * spread / width) ** 2 / (raters * (raters - 1)) + 1
    if raters == 2 and icc >= 0.7:  # noqa: PLR2004 - where the approximation is too small
        n += 5 * icc
    return ReliabilityPlan(_whole(n), raters, icc, width)


def plan_change(
    delta: float, sd: float, *, power: float = 0.8, alpha: float = 0.05, tests: int = 1
) -> ChangePlan:
    """Plan a study that finds a mean change by the paired t test.

    The fewest subjects whose power, by the noncentral t distribution, is as wanted.

    Parameters
    ----------
    delta
        Mean change to be found.
    sd
        Standard deviation of the subjects' changes, in the same unit; :func:`sd_of_changes` says
        what measurement error alone makes of it.
    power, alpha
        Wanted power, and two-sided level.
    tests
        How many tests are made together, such as one a level and side. Each gets ``alpha / tests``:
        Holm's method needs that much for its smallest p, and less for the others.

    Raises
    ------
    StatisticsError
        If a number is out of its range, or no feasible study is large enough.

    Examples
    --------
    >>> plan_change(delta=5, sd=10).n
    34
    """
    if not (math.isfinite(delta) and delta):
        msg = f"A change of {delta:g} cannot be looked for."
        raise StatisticsError(msg, remedy="Give the smallest mean change that matters.")
    _check("standard deviation of changes", sd, 0.0, math.inf)
    _check("power", power, 0.0, 1.0)
    _check("level", alpha, 0.0, 1.0)
    if tests < 1:
        msg = f"{tests} tests are none."
        raise StatisticsError(msg)
    share = alpha / tests
    few, many = 2, 4
    while power_of_change(many, delta, sd, share) < power:
        few, many = many, 2 * many
        if many > MOST_SUBJECTS:
            raise _too_many()
    while many - few > 1:
        middle = (few + many) // 2
        if power_of_change(middle, delta, sd, share) < power:
            few = middle
        else:
            many = middle
    n = few if power_of_change(few, delta, sd, share) >= power else many
    return ChangePlan(n, delta, sd, power_of_change(n, delta, sd, share), share)


def power_of_change(n: int, delta: float, sd: float, alpha: float = 0.05) -> float:
    """Return the power of a two-sided paired t test with n subjects."""
    from scipy.stats import nct, t

    limit, shift = float(t.ppf(1 - alpha / 2, n - 1)), abs(delta) / sd * math.sqrt(n)
    # Far beyond the limit the distribution's tail is 1 and may come as NaN.
    upper, lower = float(nct.sf(limit, n - 1, shift)), float(nct.cdf(-limit, n - 1, shift))
    return (1.0 if math.isnan(upper) else upper) + (0.0 if math.isnan(lower) else lower)


def sd_of_changes(mdc95: float, spread: float = 0.0) -> float:
    """Return the standard deviation of changes from what is known of measurement.

    Parameters
    ----------
    mdc95
        Least detectable change of one subject, ``1.96 sqrt(2) SEM``: error alone makes changes
        vary by ``sqrt(2) SEM``.
    spread
        Standard deviation of the true changes, as subjects do not all change alike. 0 makes the
        result a lower bound.
    """
    _check("least detectable change", mdc95, 0.0, math.inf)
    _check("spread of true changes", spread, 0.0, math.inf, low_is_in=True)
    return math.hypot(mdc95 / Z, spread)


def _check(what: str, value: float, low: float, high: float, *, low_is_in: bool = False) -> None:
    if not (low < value < high or (low_is_in and value == low)):
        msg = f"The {what} is {value:g}."
        limit = "" if high == math.inf else f" and below {high:g}"
        remedy = f"It has to be {'at least' if low_is_in else 'above'} {low:g}{limit}."
        raise StatisticsError(msg, remedy=remedy)


def _normal(p: float) -> float:
    from scipy.stats import norm

    return float(norm.ppf(p))


def _whole(n: float) -> int:
    if n > MOST_SUBJECTS:
        raise _too_many()
    # What is whole but for rounding is whole.
    return math.ceil(n - 1e-9)


def _too_many() -> StatisticsError:
    msg = f"More than {MOST_SUBJECTS} subjects would be needed."
    return StatisticsError(msg, remedy="Ask for less, or measure more exactly.")
