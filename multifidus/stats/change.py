"""Did it change? One muscle against measurement error, and the group against chance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from multifidus.errors import StatisticsError
from multifidus.stats.pairs import Pair
from multifidus.stats.ratings import LEVEL, Z

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

LEAST_PAIRS = 3
"""Fewer pairs are listed, not tested."""


class Verdict(StrEnum):
    """What can be said of one muscle's change."""

    DECREASE = "decrease"
    INCREASE = "increase"
    WITHIN_ERROR = "within error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Detectable:
    """The least change of one muscle that is beyond measurement error.

    Parameters
    ----------
    mdc95
        For single readings, in the quantity's unit.
    basis
        On what it rests, such as ``agreement, raters A and B`` or ``given``.
    is_lower_bound
        Whether it is from re-reading one image, which holds no repositioning and no second scan.
    """

    mdc95: float
    basis: str
    is_lower_bound: bool = False

    def of_mean(self, readings: int) -> float:
        """Return it for means of so many readings."""
        return self.mdc95 / math.sqrt(max(readings, 1))


@dataclass(frozen=True, slots=True)
class Change:
    """One pair judged.

    Parameters
    ----------
    mdc95
        What its change was held against; NaN where nothing is known.
    basis
        Where that comes from.
    """

    pair: Pair
    mdc95: float
    basis: str
    verdict: Verdict


def judge(pairs: Iterable[Pair], detectable: Mapping[tuple[str, ...], Detectable]) -> list[Change]:
    """Hold every pair's change against measurement error.

    Parameters
    ----------
    pairs
        Of a study.
    detectable
        By (quantity, method, structure, level, side), else (quantity, method), else (quantity,).

    Returns
    -------
    list of Change
        In the pairs' order. MDC judges individuals, never group means.
    """
    return [_judged(pair, _found(pair, detectable)) for pair in pairs]


def _found(pair: Pair, detectable: Mapping[tuple[str, ...], Detectable]) -> Detectable | None:
    whole = (pair.quantity, pair.method, pair.structure, pair.level, pair.side)
    return next(
        (detectable[key] for key in (whole, whole[:2], whole[:1]) if key in detectable), None
    )


def _judged(pair: Pair, found: Detectable | None) -> Change:
    if found is None:
        return Change(pair, math.nan, "", Verdict.UNKNOWN)
    limit = found.of_mean(pair.readings)
    basis = f"{found.basis} (reread, lower bound)" if found.is_lower_bound else found.basis
    delta = pair.delta
    if math.isnan(delta):
        verdict = Verdict.UNKNOWN
    elif abs(delta) <= limit:
        verdict = Verdict.WITHIN_ERROR
    else:
        verdict = Verdict.DECREASE if delta < 0 else Verdict.INCREASE
    return Change(pair, limit, basis, verdict)


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Whether differences are other than none on average.

    Parameters
    ----------
    mean, sd, ci95
        Of the differences; interval by Student's t.
    t, p_t, p_wilcoxon
        Paired t test, and Wilcoxon's signed rank test; NaN where all differences are 0.
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


@dataclass(frozen=True, slots=True)
class GroupChange:
    """The change of a group of subjects in one quantity.

    Parameters
    ----------
    key
        What makes the group.
    n, n_missing
        Subjects with a change, and without.
    mean_before, mean_after, median, mean_pct
        Of the values; of their differences; of the percent changes, NaN where a value before is
        not positive.
    tests
        Of the differences.
    beyond_decrease, beyond_increase, judged
        Muscles beyond measurement error either way, of how many that could be judged.
    p_t_holm, p_wilcoxon_holm
        Corrected for the number of tests made together (Holm 1979).
    """

    key: tuple[str, ...]
    n: int
    n_missing: int
    mean_before: float
    mean_after: float
    median: float
    mean_pct: float
    tests: PairedTests
    beyond_decrease: int
    beyond_increase: int
    judged: int
    p_t_holm: float = math.nan
    p_wilcoxon_holm: float = math.nan


GROUPED_BY = ("quantity", "method", "structure", "level", "side")


def group_changes(
    changes: Iterable[Change],
    by: Sequence[str] = ("quantity", "method", "structure", "level", "side"),
) -> tuple[list[GroupChange], list[str]]:
    """Test each group of pairs for a change other than none.

    Parameters
    ----------
    changes
        Of a study.
    by
        What makes a group: names of a pair's fields, and ``zone``.

    Returns
    -------
    tuple
        The groups, corrected together by Holm's method within each quantity and method, and why
        others are missing. A subject that gives a group several pairs enters with their mean.
    """
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        key = tuple(str(getattr(change.pair, name)) for name in by)
        groups.setdefault(key, []).append(change)
    found: list[GroupChange] = []
    problems: list[str] = []
    for key, members in sorted(groups.items()):
        words = " ".join(part for part in key if part)
        try:
            found.append(_group(key, members))
        except StatisticsError as error:
            problems.append(f"{words}: {error}")
    return _corrected(found, members_of_family=min(2, len(by))), problems


def _group(key: tuple[str, ...], members: Sequence[Change]) -> GroupChange:
    subjects: dict[str, list[Change]] = {}
    for change in members:
        subjects.setdefault(change.pair.subject, []).append(change)
    full = {
        subject: [item.pair for item in own if not math.isnan(item.pair.delta)]
        for subject, own in sorted(subjects.items())
    }
    full = {subject: pairs for subject, pairs in full.items() if pairs}
    if len(full) < LEAST_PAIRS:
        msg = f"{len(full)} subjects have a value at both timepoints; {LEAST_PAIRS} are needed."
        raise StatisticsError(msg)

    def mean(of: str) -> Array:
        return np.array([np.mean([_number(pair, of) for pair in own]) for own in full.values()])

    before, after = mean("before"), mean("after")
    difference = after - before
    verdicts = [change.verdict for change in members]
    return GroupChange(
        key=key,
        n=len(full),
        n_missing=len(subjects) - len(full),
        mean_before=float(before.mean()),
        mean_after=float(after.mean()),
        median=float(np.median(difference)),
        mean_pct=float(mean("delta_pct").mean()),
        tests=paired_tests(difference),
        beyond_decrease=verdicts.count(Verdict.DECREASE),
        beyond_increase=verdicts.count(Verdict.INCREASE),
        judged=len(verdicts) - verdicts.count(Verdict.UNKNOWN),
    )


def _number(pair: Pair, of: str) -> float:
    return pair.delta_pct if of == "delta_pct" else float(getattr(pair, of).value)


def paired_tests(difference: ArrayLike) -> PairedTests:
    """Test whether differences, shape (n,), are other than none on average."""
    from scipy.stats import t as student
    from scipy.stats import wilcoxon

    values = np.asarray(difference, dtype=np.float64)
    n, mean, sd = len(values), float(values.mean()), float(values.std(ddof=1))
    t = p = math.nan
    if sd > 0:
        t = mean / (sd / math.sqrt(n))
        p = float(2 * student.sf(abs(t), n - 1))
    elif mean:
        t, p = math.copysign(math.inf, mean), 0.0
    half = float(student.ppf((1 + LEVEL) / 2, n - 1)) * sd / math.sqrt(n)
    return PairedTests(
        mean=mean,
        sd=sd,
        ci95=(mean - half, mean + half),
        t=t,
        p_t=p,
        p_wilcoxon=float(wilcoxon(values).pvalue) if values.any() else math.nan,
        dz=mean / sd if sd > 0 else math.nan,
        dz_ci95=_dz_interval(t, n),
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


def _corrected(found: Sequence[GroupChange], members_of_family: int) -> list[GroupChange]:
    families: dict[tuple[str, ...], list[GroupChange]] = {}
    for item in found:
        families.setdefault(item.key[:members_of_family], []).append(item)
    corrected: list[GroupChange] = []
    for members in families.values():
        t_tests = holm([item.tests.p_t for item in members])
        ranks = holm([item.tests.p_wilcoxon for item in members])
        corrected += [
            replace(item, p_t_holm=one, p_wilcoxon_holm=two)
            for item, one, two in zip(members, t_tests, ranks, strict=True)
        ]
    return corrected
