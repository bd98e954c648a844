"""Intraclass correlation: all six forms of Shrout and Fleiss, with 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from multifidus.errors import StatisticsError
from multifidus.stats.distributions import f_quantile
from multifidus.stats.reliability.ratings import TAIL, MeanSquares, mean_squares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

FEW_RATERS = 5
"""With fewer raters the interval of ICC(2, .) covers too rarely where raters differ."""

MUCH_APART = 0.1
"""Raters who differ by more than this share of the subjects' standard deviation are too far apart
for that interval even where they are more: with 5 raters it covers 87 % at 0.3 and 100 subjects."""


@dataclass(frozen=True, slots=True)
class Icc:
    """One form of the intraclass correlation.

    Parameters
    ----------
    shrout_fleiss, mcgraw_wong
        Its name in both schemes, such as ``ICC(2,1)`` and ``ICC(A,1)``.
    value
        At most 1; below 0 where subjects differ less than raters do about one subject.
    ci95
        95 % confidence interval; its lower end is -inf where the ratings do not bound it.
    """

    shrout_fleiss: str
    mcgraw_wong: str
    value: float
    ci95: tuple[float, float]

    @property
    def when(self) -> str:
        """When this form applies."""
        return _WHEN[self.shrout_fleiss]

    @property
    def band(self) -> str:
        """Koo and Li 2016 (doi:10.1016/j.jcm.2016.02.012), judged on the interval's two ends."""
        low, high = (next(name for least, name in _BANDS if end >= least) for end in self.ci95)
        return low if low == high else f"{low} to {high}"


_BANDS = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"), (-math.inf, "poor"))

_SINGLE = "One rater's single measurement is what is used later"
_MEAN = "The mean of all k raters is what is used later"
_WHEN = {
    "ICC(1,1)": f"{_SINGLE}; each subject had raters of its own.",
    "ICC(2,1)": f"{_SINGLE}; raters are a sample of all raters, and must agree in value.",
    "ICC(3,1)": f"{_SINGLE}; these raters alone matter, and only have to rank subjects alike.",
    "ICC(1,k)": f"{_MEAN}; each subject had raters of its own.",
    "ICC(2,k)": f"{_MEAN}; raters are a sample of all raters, and must agree in value.",
    "ICC(3,k)": f"{_MEAN}; these raters alone matter, and only have to rank subjects alike.",
}


def icc(ratings: ArrayLike) -> tuple[Icc, ...]:
    """Compute all six intraclass correlations of a full table of ratings.

    Shrout and Fleiss 1979 (doi:10.1037/0033-2909.86.2.420); intervals as McGraw and Wong 1996
    (doi:10.1037/1082-989X.1.1.30).

    Parameters
    ----------
    ratings
        Shape (n, k): rows subjects, columns raters. A table the other way round is a table too:
        nothing tells raters from subjects but their place.

    Returns
    -------
    tuple of Icc
        ICC(1,1), ICC(2,1), ICC(3,1), ICC(1,k), ICC(2,k), ICC(3,k).

    Raises
    ------
    StatisticsError
        If the table is too small, not full (a masked value is missing), holds what is no number,
        or all its values are equal.

    Examples
    --------
    >>> [round(form.value, 3) for form in icc([[2, 4], [4, 6], [6, 8]])[1:3]]
    [0.667, 1.0]
    """
    squares = mean_squares(ratings)
    if squares.between == 0:
        msg = "Subjects do not differ, so there is nothing that reliability could tell apart."
        raise StatisticsError(msg, remedy="Measure subjects that differ, or look at SEM alone.")
    single = (
        ("ICC(1,1)", "ICC(1)", _one_way(squares)),
        ("ICC(2,1)", "ICC(A,1)", _agreement(squares)),
        ("ICC(3,1)", "ICC(C,1)", _consistency(squares)),
    )
    averaged = (
        (sf.replace("1)", "k)"), mw.replace("1)", "k)"), of_mean(found, squares.k))
        for sf, mw, found in single
    )
    return tuple(
        Icc(sf, mw, value, (low, high)) for sf, mw, (value, low, high) in (*single, *averaged)
    )


def wide_agreement_warning(squares: MeanSquares) -> str:
    """Say why the interval of ICC(2, .) is not to be relied on; empty where it is.

    Raters are a sample of their own size: few of them say little of how far raters differ, and
    the interval, an approximation, takes no full account of that. Simulated studies stand in
    ``docs/evidence/reliability.md``.
    """
    end = (
        "the intervals of ICC(2,.) and of the SEM of agreement have below-nominal coverage; that "
        "of ICC(3,.) does not suffer."
    )
    if squares.k < FEW_RATERS:
        return f"{squares.k} raters are few: where raters differ, {end}"
    raters = math.sqrt(max(squares.raters - squares.error, 0) / squares.n)
    subjects = math.sqrt(max(squares.between - squares.error, 0) / squares.k)
    if raters > MUCH_APART * subjects:
        return f"Raters differ by {raters:.3g}, subjects by {subjects:.3g} (SD): {end}"
    return ""


Estimate = tuple[float, float, float]
"""A value and the two ends of its interval."""


def of_mean(found: Estimate, k: int) -> Estimate:
    """Turn one rater's correlation into that of the mean of k (Spearman and Brown)."""
    value, low, high = (
        # At -1 / (k - 1) the mean of k has no variance at all; below, no correlation is its own.
        k * x / (1 + (k - 1) * x) if 1 + (k - 1) * x > 0 else -math.inf
        for x in found
    )
    return value, low, high


def _one_way(squares: MeanSquares) -> Estimate:
    return _from_squares(squares, squares.within, squares.n * (squares.k - 1))


def _consistency(squares: MeanSquares) -> Estimate:
    return _from_squares(squares, squares.error, (squares.n - 1) * (squares.k - 1))


def _from_squares(squares: MeanSquares, error: float, df: int) -> Estimate:
    if error == 0:
        return 1.0, 1.0, 1.0
    return from_ratio(squares.between / error, squares.n - 1, df, squares.k)


def from_ratio(ratio: float, df1: float, df2: float, k: int) -> Estimate:
    """Correlation and interval of one of k raters from a ratio of variances, F-distributed."""
    low, high = ratio / f_quantile(TAIL, df1, df2), ratio * f_quantile(TAIL, df2, df1)
    value, low, high = ((x - 1) / (x + k - 1) for x in (ratio, low, high))
    return value, low, high


def _agreement(squares: MeanSquares) -> Estimate:
    n, k = squares.n, squares.k
    between, raters, error = squares.between, squares.raters, squares.error
    value = (between - error) / (between + (k - 1) * error + k * (raters - error) / n)
    if value == 1:
        return 1.0, 1.0, 1.0
    # Satterthwaite's degrees of freedom of the raters' and the residual variance together.
    a = k * value / (n * (1 - value))
    b = 1 + a * (n - 1)
    above = (a * raters + b * error) ** 2
    under = (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    df = above / under
    lower, upper = f_quantile(TAIL, n - 1, df), f_quantile(TAIL, df, n - 1)
    rest = k * raters + (k * n - k - n) * error
    # Divided through by the quantiles, which are infinite where few degrees of freedom are left.
    below = rest + n * between / lower
    low = n * (between / lower - error) / below if below > 0 else -math.inf
    high = n * (between - error / upper) / (rest / upper + n * between)
    if not low <= value <= high:
        # Below 0 the two variances are no longer added but subtracted, for which Satterthwaite's
        # approximation is not made. Ends that leave out the value say nothing: there is no bound.
        return value, -math.inf, 1.0
    return value, low, high
