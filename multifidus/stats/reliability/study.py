"""How well raters, or one rater's readings, agree: every quantity, level and side of a study."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.measurement import is_grade
from multifidus.errors import StatisticsError
from multifidus.stats.exam_facts import groups_alike
from multifidus.stats.exclusions import name_hints, rating_exclusions
from multifidus.stats.mixed_protocols import check_protocols, mixtures, protocols_of
from multifidus.stats.reliability.clustered_intervals import (
    few_subjects_warning,
    icc_intervals,
    limit_intervals,
    sem_intervals,
)
from multifidus.stats.reliability.icc import Icc, icc, wide_agreement_warning
from multifidus.stats.reliability.kappa import Kappa, weighted_kappa
from multifidus.stats.reliability.measurement_error import (
    bland_altman,
    bland_altman_ratio,
    concordance,
    sem,
    within_subject_cv_pct,
)
from multifidus.stats.reliability.ratings import mean_squares
from multifidus.stats.reliability.results import (
    GradePair,
    GradeReliability,
    PairAgreement,
    Reliability,
    ReliabilityStudy,
)
from multifidus.stats.reliability.target_groups import TargetCounts, TargetRule, groups_of
from multifidus.stats.reliability.targets import (
    LEAST_TARGETS,
    Compare,
    Targets,
    column_of,
    tabulate_targets,
)
from multifidus.stats.values import Value, of_quantities
from multifidus.study.level_value import Matching

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FEW_TARGETS = 30
"""Koo and Li 2016 ask for at least so many subjects."""

SEPARABLE = ("level", "side", "timepoint")
"""What results can be given apart by."""

USUALLY_APART = ("level", "side")
"""What results are given apart by unless told otherwise."""


def reliability(
    values: Iterable[Value],
    *,
    quantities: Sequence[str] = (),
    compare: Compare | str = Compare.RATER,
    by: Sequence[str] = USUALLY_APART,
    raters: Sequence[str] = (),
    targets: TargetRule = TargetRule(),  # noqa: B008 - frozen
) -> ReliabilityStudy:
    """Compute the reliability of every quantity, level and side.

    Parameters
    ----------
    values
        Of a study (:func:`multifidus.stats.study_table.values_of`).
    quantities
        Only these; all if empty.
    compare
        ``rater``: different raters' first readings. ``reading``: each rater's own readings.
    by
        What is kept apart, of ``level``, ``side`` and ``timepoint``; what is not named is pooled.
    raters
        Which raters, in which order (bias is the first minus the second); all, sorted, if empty.
    targets
        Which timepoints and groups, and whether by slice or by level.

    Returns
    -------
    ReliabilityStudy
        Only targets that every rater measured enter; how many were left out is counted.

    Raises
    ------
    StatisticsError
        If a name is unknown, or nothing in the table can be compared.
    """
    if compare not in tuple(Compare):
        msg = f"Nothing can be compared by {str(compare)!r}."
        raise StatisticsError(msg, remedy=f"Choose one of: {', '.join(Compare)}.")
    compare = Compare(compare)
    strange = [name for name in by if name not in SEPARABLE]
    if strange:
        msg = f"Results cannot be kept apart by {', '.join(strange)}."
        raise StatisticsError(msg, remedy=f"Choose among: {', '.join(SEPARABLE)}.")
    chosen = targets.of(_chosen(tuple(values), quantities, raters))
    if not targets.mix_protocols:
        check_protocols(chosen)
    groups = _groups(chosen, compare, by, targets)
    whose = partial(column_of, compare=compare)
    exclusions = tuple(
        item
        for members in groups.values()
        for item in rating_exclusions(members, compare, whose, raters)
    )
    results: list[Reliability] = []
    grades: list[GradeReliability] = []
    problems: list[str] = []
    for key, members in groups.items():
        try:
            found = tabulate_targets(members, compare, raters, Matching(targets.match))
            head = _head(key, found, members, compare=compare, column=targets.column)
            if is_grade(key[0]):
                grades.append(_graded(head, found))
            else:
                results.append(_one(head, found))
        except StatisticsError as error:
            problems.append(f"{_name(key)}: {error}")
    if not (results or grades):
        reasons = "; ".join(problems[:3]) or "the table holds no value"
        msg = f"Nothing can be compared by {compare.value}: {reasons}"
        who = "two raters of one exam" if compare is Compare.RATER else "two readings of one rater"
        needed = f"At least {LEAST_TARGETS} exams, of two subjects or more, need {who}."
        remedy = " ".join((needed, *name_hints(exclusions)))
        raise StatisticsError(msg, remedy=remedy)
    problems[:0] = (
        *name_hints(exclusions),
        *mixtures(chosen),
        *groups_alike(chosen, targets.column),
    )
    return ReliabilityStudy(
        tuple(results), tuple(problems), tuple(grades), protocols_of(chosen), exclusions
    )


def _chosen(
    values: tuple[Value, ...], quantities: Sequence[str], raters: Sequence[str]
) -> list[Value]:
    known = {item.rater for item in values}
    unknown = [name for name in raters if name not in known]
    if unknown:
        msg = f"The table has no rater {', '.join(map(repr, unknown))}."
        raise StatisticsError(msg, remedy=f"It has: {', '.join(sorted(known))}.")
    return [
        item for item in of_quantities(values, quantities) if not raters or item.rater in raters
    ]


Key = tuple[str, ...]
"""Quantity, method, structure, level, side, rater, timepoint and group; empty where pooled."""

_KEY = ("quantity", "method", "structure", "level", "side", "rater", "timepoint", "group")


def _groups(
    values: Sequence[Value], compare: Compare, by: Sequence[str], targets: TargetRule
) -> dict[Key, list[Value]]:
    named = groups_of(values, targets.column) if targets.group else {}
    several = "timepoint" in by or len(targets.timepoints) == 1
    groups: dict[Key, list[Value]] = {}
    for item in values:
        if compare is Compare.RATER and item.reading != 1:
            continue
        key = (
            item.quantity,
            item.method,
            item.structure,
            item.level if "level" in by else "",
            item.side if "side" in by else "",
            item.rater if compare is Compare.READING else "",
            item.timepoint if several else "",
            targets.label(named.get(item.subject, "")),
        )
        groups.setdefault(key, []).append(item)
    return dict(sorted(groups.items()))


def _name(key: Key) -> str:
    return " ".join(part for part in key if part)


@dataclass(frozen=True, slots=True)
class _Common:
    """What results of measurements and of grades have in common."""

    fields: dict[str, Any]
    warnings: tuple[str, ...]
    clustered: bool


def _head(
    key: Key, found: Targets, members: Sequence[Value], *, compare: Compare, column: str
) -> _Common:
    counts = TargetCounts.of(found, members, column)
    pooled = [name for name in USUALLY_APART if _varies(members, name)]
    exclusions = (
        f"{n} target{' was' if n == 1 else 's were'} excluded: {why}."
        for why, n in found.exclusions
    )
    fields = {
        **dict(zip(_KEY, key, strict=True)),
        "compare": compare,
        "columns": found.columns,
        "n_subjects": counts.n_subjects,
        "n_targets": len(found.table),
        "n_missing": found.n_missing,
        "exclusions": found.exclusions,
        "slices": found.slices,
        "counts": counts,
        "value_rule": _value_rule(members, compare),
    }
    warnings = (
        *_common_problems(len(found.table), compare, pooled),
        *counts.warnings(),
        *found.slices.warnings(),
        *exclusions,
    )
    return _Common(fields, warnings, counts.n_subjects < len(found.table))


def _one(head: _Common, found: Targets) -> Reliability:
    table, subjects = found.table, found.subjects
    forms, error = icc(table), sem(table)
    pairs = tuple(_pairs(found.columns, table))
    if head.clustered:
        forms = icc_intervals(forms, table, subjects)
        error = sem_intervals(error, table, subjects)
        pairs = tuple(_of_subjects(pair, found.columns, table, subjects) for pair in pairs)
    return Reliability(
        **head.fields,
        n_raters=len(found.columns),
        icc=forms,
        sem=error,
        cv_pct=_cv(table),
        pairs=pairs,
        problems=(
            *head.warnings,
            *_problems(head.fields["compare"], table, subjects),
            *_copies(found.columns, table),
            *_undefined(table, forms, pairs),
        ),
    )


def _graded(head: _Common, found: Targets) -> GradeReliability:
    table, columns = found.table, found.columns
    broken = table[table != np.round(table)]
    if len(broken):
        msg = f"{broken[0]:g} is no grade; grades are whole numbers"
        raise StatisticsError(msg)
    grades = table.astype(int)
    # A grade that nobody gave changes no kappa, only the distance between the others does.
    scheme = range(grades.min(), grades.max() + 1)
    pairs = []
    for i, j in combinations(range(len(columns)), 2):
        one, two = grades[:, i].tolist(), grades[:, j].tolist()
        kappas = (_kappa(one, two, scheme, weights) for weights in ("linear", "quadratic"))
        pairs.append(GradePair(columns[i], columns[j], sum(map(int.__eq__, one, two)), *kappas))
    problems = list(head.warnings)
    if head.clustered:
        problems.append(
            "Subjects give several targets each: the intervals of kappa ignore within-subject "
            "clustering and are too narrow."
        )
    if any(pair.linear is None for pair in pairs):
        problems.append("Where all targets have one and the same grade there is no kappa.")
    return GradeReliability(**head.fields, pairs=tuple(pairs), problems=tuple(problems))


def _kappa(
    one: Sequence[int], two: Sequence[int], scheme: Sequence[int], weights: str
) -> Kappa | None:
    try:
        return weighted_kappa(one, two, scheme, weights)
    except StatisticsError:  # one and the same grade: said by the problems
        return None


def _varies(members: Sequence[Value], name: str) -> bool:
    return len({getattr(item, name) for item in members}) > 1


def _value_rule(members: Sequence[Value], compare: Compare) -> str:
    whose = "first reading" if compare is Compare.RATER else "each reading"
    return "; ".join((whose, *sorted({item.rule for item in members} - {""})))


def _of_subjects(
    pair: PairAgreement, columns: Sequence[str], table: Array, subjects: Sequence[str]
) -> PairAgreement:
    """Give bias and limits intervals that know of subjects with several targets."""
    one, two = (table[:, columns.index(name)] for name in (pair.first, pair.second))
    ratio = pair.ratio and limit_intervals(
        pair.ratio, np.log(one) - np.log(two), subjects, ratio=True
    )
    return replace(
        pair, agreement=limit_intervals(pair.agreement, one - two, subjects), ratio=ratio
    )


def _cv(table: Array) -> float:
    return within_subject_cv_pct(table) if table.min() > 0 else math.nan


def _pairs(columns: Sequence[str], table: Array) -> Iterable[PairAgreement]:
    for i, j in combinations(range(len(columns)), 2):
        one, two = table[:, i], table[:, j]
        try:
            together = concordance(one, two)
        except StatisticsError:  # three pairs, or a constant rater: said by the problems
            together = None
        positive = min(one.min(), two.min()) > 0
        ratio = bland_altman_ratio(one, two) if positive else None
        yield PairAgreement(columns[i], columns[j], bland_altman(one, two), together, ratio)


def _problems(compare: Compare, table: Array, subjects: Sequence[str]) -> Iterable[str]:
    if any(form.value < 0 for form in icc(table)):
        yield (
            "A correlation is negative: subjects differ less than readings of one subject do. It "
            "says that reliability is none; where that of a mean is missing, it has no value."
        )
    clustered = len(set(subjects)) < len(subjects)
    doubt = wide_agreement_warning(mean_squares(table))
    if compare is Compare.RATER and doubt and not clustered:
        yield doubt
    if clustered:
        yield (
            "Subjects give several targets each: intervals of the ICC, of the SEM, of bias and of "
            "the limits of agreement count subjects; that of the concordance correlation ignores "
            "within-subject clustering and is too narrow."
        )
        doubt = few_subjects_warning(subjects)
        if doubt:
            yield doubt


def _copies(columns: Sequence[str], table: Array) -> Iterable[str]:
    """Say who gave the very numbers of another: outlines drawn twice never do."""
    for i, j in combinations(range(len(columns)), 2):
        if (table[:, i] == table[:, j]).all():
            yield (
                f"All {len(table)} values of {columns[i]} and {columns[j]} are equal to the last "
                "digit: look whether one is a copy of the other."
            )


def _undefined(table: Array, forms: Sequence[Icc], pairs: Sequence[PairAgreement]) -> Iterable[str]:
    """Say why numbers are missing."""
    if table.min() <= 0:
        yield (
            "A value is not positive: there is no coefficient of variation and there are no limits "
            "as ratios, and the MDC in percent is of a mean that says little."
        )
    if any(pair.concordance is None for pair in pairs):
        yield (
            "There is no concordance of three pairs, nor where a rater gave all targets one value."
        )
    if any(math.isnan(pair.agreement.slope_p) for pair in pairs):
        yield "Where all targets have one mean there is no test of proportional bias."
    if any(not math.isfinite(end) for form in forms for end in form.ci95):
        yield "An end of an interval of the ICC that is missing has no bound, or no value."


def _common_problems(n: int, compare: Compare, pooled: Sequence[str]) -> Iterable[str]:
    if n < FEW_TARGETS:
        yield (
            f"{n} targets: sample below the recommended minimum of {FEW_TARGETS} (Koo and Li 2016)."
        )
    if compare is Compare.READING:
        yield (
            "Repeat segmentation excludes repositioning and rescan variability: the error is a "
            "lower bound of that between two examinations."
        )
    if pooled:
        yield (
            f"Pooled over {' and '.join(pooled)}: differences between them are not reliability, "
            "and make the ICC larger than it is within one."
        )
