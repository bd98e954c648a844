"""Ratings of n subjects by k raters, and how their variance divides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.numeric_input import check_same_rows, plain_numbers
from multifidus.errors import StatisticsError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEVEL = 0.95
"""Confidence level of every interval."""

TAIL = (1 + LEVEL) / 2
"""Which quantile ends an interval above; its complement ends it below."""

Z = 1.96
"""Standard normal quantile as the field prints it, in limits of agreement and detectable change."""

_ROUNDING = 1e-12
"""A mean square below this share of the largest value squared is rounding alone: it is 0."""


@dataclass(frozen=True, slots=True)
class MeanSquares:
    """Two-way analysis of variance of a full table of ratings.

    Parameters
    ----------
    n, k
        Subjects and raters.
    between
        Mean square between subjects (MSB).
    within
        Within subjects (MSW).
    raters
        Between raters (MSJ).
    error
        Residual (MSE).
    """

    n: int
    k: int
    between: float
    within: float
    raters: float
    error: float


def full_table(ratings: ArrayLike) -> Array:
    """Take ratings of shape (n, k), rows subjects and columns raters.

    Raises
    ------
    StatisticsError
        If there are fewer than two of either, a value is missing, masked or no number, or
        columns of tables have different row labels.
    """
    if isinstance(ratings, list | tuple):
        for other in ratings[1:]:
            check_same_rows(ratings[0], other, StatisticsError)
    table = plain_numbers(ratings, "the ratings", StatisticsError)
    if table.ndim != 2 or min(table.shape) < 2:  # noqa: PLR2004 - two of either make a comparison
        msg = f"Ratings must be (subjects, raters), at least two of either, got {table.shape}."
        raise StatisticsError(msg)
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        msg = f"Rating {column + 1} of subject {row + 1} is missing or not finite."
        raise StatisticsError(msg, remedy="Leave out subjects that not every rater measured.")
    return table


def mean_squares(ratings: ArrayLike) -> MeanSquares:
    """Divide the variance of ratings, shape (n, k), between subjects, raters and the rest.

    Raises
    ------
    StatisticsError
        If the table is too small or not full.
    """
    table = full_table(ratings)
    n, k = table.shape
    # About the mean, so that large values keep their digits.
    table = table - table.mean()
    subjects = table.mean(axis=1)
    raters = table.mean(axis=0)
    residual = table - subjects[:, None] - raters[None]
    within = table - subjects[:, None]
    least = least_square(np.asarray(ratings, dtype=np.float64))
    return MeanSquares(
        n=n,
        k=k,
        between=_mean_square(k * (subjects**2).sum(), n - 1, least),
        within=_mean_square((within**2).sum(), n * (k - 1), least),
        raters=_mean_square(n * (raters**2).sum(), k - 1, least),
        error=_mean_square((residual**2).sum(), (n - 1) * (k - 1), least),
    )


def least_square(table: Array) -> float:
    """Return the mean square below which that of a table is rounding alone."""
    return _ROUNDING * float(np.abs(table).max()) ** 2


def _mean_square(total: float, count: int, least: float) -> float:
    """Divide a sum of squares by its degrees of freedom; 0 where it is rounding alone."""
    square = float(total) / count
    return square if square > least else 0.0
