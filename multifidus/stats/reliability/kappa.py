"""Weighted kappa: agreement of two raters' grades beyond chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from multifidus.errors import StatisticsError
from multifidus.stats.reliability.ratings import Z


class KappaWeights(StrEnum):
    """How much a disagreement by several grades counts."""

    NONE = "none"
    LINEAR = "linear"
    QUADRATIC = "quadratic"


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa with weights.

    Parameters
    ----------
    value, ci95
        1 is full agreement, 0 what chance gives; interval by the large-sample standard error.
    observed, expected
        Weighted agreement seen, and expected by chance.
    n
        Pairs of grades.
    """

    value: float
    ci95: tuple[float, float]
    observed: float
    expected: float
    n: int


def weighted_kappa(
    first: Sequence[int],
    second: Sequence[int],
    grades: Sequence[int],
    weights: KappaWeights | str = KappaWeights.QUADRATIC,
) -> Kappa:
    """Compute the weighted kappa of two raters' grades.

    Cohen 1968 (doi:10.1037/h0026256); standard error by Fleiss, Cohen and Everitt 1969
    (doi:10.1037/h0028106).

    Parameters
    ----------
    first, second
        Grades of the same subjects.
    grades
        All grades of the scheme in order, used or not: they set how far apart two grades are.
    weights
        ``none``, ``linear`` or ``quadratic``.

    Raises
    ------
    StatisticsError
        If lengths differ, a grade is not of the scheme, or both raters gave one grade only.
    """
    kind = KappaWeights(weights)
    place = {grade: index for index, grade in enumerate(grades)}
    if len(first) != len(second) or not len(first):
        msg = f"Two raters must grade the same subjects, got {len(first)} and {len(second)} grades."
        raise StatisticsError(msg)
    strange = sorted({grade for grade in (*first, *second) if grade not in place})
    if strange:
        msg = f"The grades {strange} are not of the scheme {list(grades)}."
        raise StatisticsError(msg)
    n, size = len(first), len(grades)
    table = np.zeros((size, size))
    for one, two in zip(first, second, strict=True):
        table[place[one], place[two]] += 1 / n
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    share = _weights(size, kind)
    observed, expected = float((share * table).sum()), float(rows @ share @ columns)
    if expected >= 1 - 1e-12:
        msg = "Both raters gave every subject one and the same grade; chance agrees as well."
        raise StatisticsError(msg, remedy="Report how often they agreed instead.")
    value = (observed - expected) / (1 - expected)
    row_mean, column_mean = share @ columns, share.T @ rows
    inner = share - (row_mean[:, None] + column_mean[None]) * (1 - value)
    variance = float((table * inner**2).sum()) - (value - expected * (1 - value)) ** 2
    half = Z * math.sqrt(max(variance, 0.0) / n) / (1 - expected)
    return Kappa(value, (value - half, min(value + half, 1.0)), observed, expected, n)


def _weights(size: int, kind: KappaWeights) -> np.ndarray:
    apart = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(size - 1, 1)
    power = {KappaWeights.NONE: 0, KappaWeights.LINEAR: 1, KappaWeights.QUADRATIC: 2}[kind]
    return np.asarray(1.0 - np.where(apart > 0, apart**power, 0.0))
