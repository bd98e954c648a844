"""Intervals by resampling subjects, where one subject gives several values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from multifidus.stats.ratings import LEVEL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

RESAMPLES = 2000
SEED = 20260101


def cluster_intervals(
    table: Array,
    clusters: Sequence[str],
    statistics: Callable[[Array], Sequence[float]],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> list[tuple[float, float]]:
    """Percentile intervals of statistics of a table's rows, resampling whole clusters of rows.

    Levels and sides of one subject are alike, so that rows drawn alone would make the intervals
    too narrow (Field and Welsh 2007, doi:10.1111/j.1467-9868.2007.00593.x).

    Parameters
    ----------
    table
        Shape (n, k).
    clusters
        Which cluster each row is of.
    statistics
        Of such a table, to numbers; NaN where one is undefined, which is left out.
    resamples, seed
        How many, and the seed: the same table gives the same intervals.

    Returns
    -------
    list of tuple
        Low and high of each statistic; NaN where it was never defined.
    """
    rows: dict[str, list[int]] = {}
    for place, cluster in enumerate(clusters):
        rows.setdefault(cluster, []).append(place)
    parts = [np.array(rows[name]) for name in sorted(rows)]
    rng = np.random.default_rng(seed)
    found = np.array(
        [
            statistics(table[np.concatenate([parts[i] for i in drawn])])
            for drawn in rng.integers(0, len(parts), (resamples, len(parts)))
        ]
    )
    return [_interval(column[np.isfinite(column)]) for column in found.T]


def _interval(known: Array) -> tuple[float, float]:
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)
