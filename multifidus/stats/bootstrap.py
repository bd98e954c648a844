"""Intervals by resampling subjects, where one subject gives several values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.stats.ratings import LEVEL, MeanSquares, least_square
from multifidus.sums import gram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 2000
SEED = 20260101


def cluster_intervals(
    table: Array,
    clusters: Sequence[str],
    statistics: Callable[[MeanSquares], Sequence[float]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[tuple[float, float]]:
    """Percentile intervals of what mean squares say, resampling whole clusters of rows.

    Levels and sides of one subject are alike, so that rows drawn alone would make the intervals
    too narrow (Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).

    Parameters
    ----------
    table
        Ratings, shape (n, k).
    clusters
        Which cluster each row is of.
    statistics
        Of the mean squares of such a table, to numbers; NaN where one is undefined, which is left
        out.
    resamples, seed
        How many, and the seed: the same table gives the same intervals.

    Returns
    -------
    list of tuple
        Low and high of each statistic; NaN where it was never defined.
    """
    names = sorted(set(clusters))
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(names), (resamples, len(names)))
    # How often each cluster was drawn says all: its rows enter so often.
    places = drawn + len(names) * np.arange(resamples)[:, None]
    times = np.bincount(places.ravel(), minlength=resamples * len(names))
    squares = _mean_squares(table, clusters, times.reshape(resamples, len(names)))
    found = np.array([statistics(one) for one in squares])
    return [_interval(column[np.isfinite(column)]) for column in found.T]


def _mean_squares(
    table: Array, clusters: Sequence[str], times: NDArray[np.int64]
) -> Iterator[MeanSquares]:
    """Divide the variance of tables that hold each cluster's rows so many times.

    Parameters
    ----------
    table, clusters
        Ratings, shape (n, k), and the cluster of each row.
    times
        Shape (resamples, clusters), clusters sorted.
    """
    _, whose = np.unique(np.asarray(clusters), return_inverse=True)
    k = table.shape[1]
    # About one mean, so that large values keep their digits.
    values = table - table.mean()
    per_row = np.column_stack(
        [np.ones(len(values)), values, values.mean(axis=1) ** 2, (values**2).sum(axis=1)]
    )
    per_cluster = np.zeros((times.shape[1], per_row.shape[1]))
    np.add.at(per_cluster, whose, per_row)
    sums = gram(times.T.astype(np.float64), per_cluster)
    n, columns, means, all_ = sums[:, 0], sums[:, 1:-2], sums[:, -2], sums[:, -1]
    grand = columns.sum(axis=1) / (n * k)
    between = k * (means - n * grand**2)
    raters = (columns**2).sum(axis=1) / n - n * k * grand**2
    within = all_ - k * means
    least = least_square(table)

    def mean(total: Array, count: Array) -> list[float]:
        square = total / count
        known: list[float] = np.where(square > least, square, 0.0).tolist()
        return known

    parts = (
        mean(between, n - 1),
        mean(within, n * (k - 1)),
        mean(raters, np.full_like(n, k - 1)),
        mean(within - raters, (n - 1) * (k - 1)),
    )
    for rows, *four in zip(n.astype(int).tolist(), *parts, strict=True):
        yield MeanSquares(rows, k, *four)


def _interval(known: Array) -> tuple[float, float]:
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
