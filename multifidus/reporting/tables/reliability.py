"""Reliability as a paper prints it."""

from __future__ import annotations

import math

from multifidus.reporting.labels import fat_notes
from multifidus.reporting.tables.paper_table import PaperTable
from multifidus.stats.reliability.icc import Icc
from multifidus.stats.reliability.kappa import Kappa
from multifidus.stats.reliability.results import GradeReliability, Reliability, ReliabilityStudy
from multifidus.stats.reliability.targets import Compare

HEADINGS = (
    "quantity", "structure", "level", "side", "raters", "value", "examinations", "slices",
    "left out", "n", "mean", "ICC(2,1) [95 % CI]", "ICC(3,1) [95 % CI]", "SEM agreement",
    "SEM consistency", "MDC95", "MDC95, %", "CV, %", "bias", "limits of agreement",
)  # fmt: skip

_SHOWN = ("ICC(2,1)", "ICC(3,1)")


def reliability_table(study: ReliabilityStudy) -> PaperTable:
    """Make the table of a study's reliability; errors in the unit of their quantity."""
    intra = any(item.compare is Compare.READING for item in study.results)
    what = "Intra-rater" if intra else "Inter-rater"
    notes = [
        "ICC(2,1): agreement of single ratings, raters a sample; ICC(3,1): consistency of these "
        "raters. SEM: standard error of measurement, in the quantity's unit. MDC95 = 1.96 x "
        "sqrt(2) x SEM of agreement. Bias and 95 % limits of agreement: first minus second rater.",
        *fat_notes(item.quantity for item in study.results),
        *dict.fromkeys(note for item in study.results for note in item.problems),
        *study.problems,
    ]
    rows = tuple(_row(item) for item in study.results)
    return PaperTable("reliability", f"{what} reliability.", HEADINGS, rows, tuple(notes))


GRADE_HEADINGS = (
    "grade", "structure", "level", "side", "raters", "value", "examinations", "slices",
    "left out", "n", "equal, %",
    "kappa linear [95 % CI]",
    "kappa quadratic [95 % CI]",
)  # fmt: skip


def grade_table(study: ReliabilityStudy) -> PaperTable:
    """Make the table of the reliability of a study's grades; it may have no row."""
    notes = (
        "Weighted kappa (Cohen 1968), weights by distance or its square; interval by the "
        "large-sample standard error.",
        *dict.fromkeys(note for item in study.grades for note in item.problems),
    )
    rows = tuple(
        (
            _quantity(item),
            item.structure.replace("_", " "),
            item.level or "all",
            item.side or "both",
            f"{item.rater} readings {pair.first}, {pair.second}"
            if item.rater
            else f"{pair.first} vs {pair.second}",
            item.value_rule,
            *_targets(item),
            str(item.n_targets),
            f"{100 * pair.equal / item.n_targets:.0f}",
            _kappa(pair.linear),
            _kappa(pair.quadratic),
        )
        for item in study.grades
        for pair in item.pairs
    )
    return PaperTable("reliability_grades", "Reliability of grades.", GRADE_HEADINGS, rows, notes)


def _kappa(found: Kappa | None) -> str:
    if found is None:
        return ""
    low, high = found.ci95
    return f"{found.value:.2f} [{low:.2f}, {high:.2f}]"


def _quantity(item: Reliability | GradeReliability) -> str:
    return f"{item.quantity} ({item.method})" if item.method else item.quantity


def _targets(item: Reliability | GradeReliability) -> tuple[str, str, str]:
    """Say of whom the targets are, on which slices they were compared, and what was left out."""
    chosen = [f"timepoint {item.timepoint}" if item.timepoint else "", item.group]
    whose = "; ".join(filter(None, (*chosen, item.counts.words if item.counts.n_exams else "")))
    return whose, item.slices.words, "; ".join(f"{n}: {why}" for why, n in item.exclusions)


def _row(item: Reliability) -> tuple[str, ...]:
    pair = item.pairs[0]
    who = f"{item.rater} readings {', '.join(item.columns)}" if item.rater else (
        f"{pair.first} vs {pair.second}" if len(item.columns) == 2 else ", ".join(item.columns)  # noqa: PLR2004
    )  # fmt: skip
    low, high = pair.agreement.limits
    return (
        _quantity(item),
        item.structure.replace("_", " "),
        item.level or "all",
        item.side or "both",
        who,
        item.value_rule,
        *_targets(item),
        str(item.n_targets),
        short(item.sem.mean),
        *(_interval(form) for form in item.icc if form.shrout_fleiss in _SHOWN),
        short(item.sem.agreement),
        short(item.sem.consistency),
        short(item.sem.mdc95_agreement),
        short(item.sem.mdc95_pct),
        short(item.cv_pct),
        short(pair.agreement.bias),
        f"{short(low)} to {short(high)}",
    )


def _interval(form: Icc) -> str:
    low, high = form.ci95
    if not math.isfinite(form.value):
        return ""
    return f"{form.value:.2f} [{low:.2f}, {high:.2f}]"


def short(value: float) -> str:
    """Print three digits, as many as such a number deserves; nothing where it is undefined."""
    if not math.isfinite(value):
        return ""
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:.{min(max(digits, 0), 4)}f}"
