"""A study's changes as plain values: ``changes.csv``, and what ``change --json`` prints."""

from __future__ import annotations

import math
from collections.abc import Iterable

from multifidus.io.table_csv import Row
from multifidus.stats.change.comparability import (
    offset_difference_mm,
    tilt_difference_deg,
    tilt_effect_pct,
)
from multifidus.stats.change.exam_value import ExamValue
from multifidus.stats.change.groups import (
    BY_MUSCLE,
    BY_SIDE,
    BY_ZONE,
    FAMILY,
    Change,
    Contrast,
    GroupChange,
)
from multifidus.stats.change.mixed_model import MixedModel
from multifidus.stats.change.paired_tests import PairedTests
from multifidus.stats.change.random_intercept import Term
from multifidus.stats.change.study import ChangeStudy, Trajectory
from multifidus.stats.reliability.document import plain_row

SECTIONS = ("tcsa_mm2", "tcsa_pixel_mm2", "valid_csa_mm2", "fcsa_mm2", "fat_csa_mm2")
"""Areas as they were cut, which tilt makes larger; others are corrected for it or have no size."""


def change_rows(changes: Iterable[Change]) -> list[Row]:
    """Return one row a pair: both values, their change, what it was held against, every doubt.

    Undefined numbers are NaN. ``tilt_effect`` is the change that the exams' tilts alone would
    make of a prism, in the quantity's unit; NaN for what is no area as it was cut.
    """
    return [_row(item) for item in changes]


def _row(item: Change) -> Row:
    pair = item.pair
    effect = tilt_effect_pct(pair.before, pair.after)
    area = pair.quantity in SECTIONS
    return {
        "subject": pair.subject,
        "structure": pair.structure,
        "level": pair.level,
        "side": pair.side,
        "quantity": pair.quantity,
        "method": pair.method,
        "entered": pair.value_rule,
        "from": pair.before.timepoint,
        "to": pair.after.timepoint,
        "before": pair.before.value,
        "after": pair.after.value,
        "delta": pair.delta,
        "delta_pct": pair.delta_pct,
        "mdc95": item.mdc95,
        "verdict": item.classification.value,
        "basis": item.basis,
        "zone": pair.zone,
        "levels_from_operated": pair.distance,
        "approached_side": pair.approached,
        **_both("raters", pair.before, pair.after),
        **_both("readings", pair.before, pair.after),
        **_both("slices", pair.before, pair.after),
        **_both("tilt_deg", pair.before, pair.after),
        "tilt_difference_deg": tilt_difference_deg(pair.before, pair.after),
        "tilt_effect_pct": effect if area else math.nan,
        "tilt_effect": pair.before.value * effect / 100 if area else math.nan,
        **_both("offset_mm", pair.before, pair.after),
        "offset_difference_mm": offset_difference_mm(pair.before, pair.after),
        **_both("valid_fraction", pair.before, pair.after),
        **_both("flags", pair.before, pair.after),
        "problem": pair.problem,
        "notes": "; ".join(pair.notes),
    }


def _both(name: str, before: ExamValue, after: ExamValue) -> Row:
    def of(exam: ExamValue) -> object:
        found = getattr(exam, name)
        if name == "slices":
            return ";".join(map(str, found))
        if isinstance(found, (tuple, frozenset)):
            return ";".join(sorted(found))
        return found

    return {f"{name}_before": of(before), f"{name}_after": of(after)}


def plain_changes(study: ChangeStudy) -> Row:
    """Return a study's changes as ``change --json`` prints them."""
    extra = (study.column,) if study.column else ()
    return {
        "timepoints": [list(span) for span in study.spans],
        "value": study.value,
        "holm_family": list(FAMILY),
        "changes": [plain_row(row) for row in change_rows(study.changes)],
        "muscles": [_group(item, (*BY_MUSCLE, *extra)) for item in study.muscles],
        "zones": [_group(item, (*BY_ZONE, *extra)) for item in study.zones],
        "contrasts": [_contrast(item, (*BY_SIDE, *extra)) for item in study.contrasts],
        "courses": [_trajectory(item) for item in study.trajectories],
        "models": [plain_model(item) for item in study.models],
        "problems": [*study.problems, *study.remarks],
        "left_out": [item.as_dict() for item in study.exclusions],
    }


def _group(item: GroupChange, by: Iterable[str]) -> Row:
    return plain_row(
        {
            **dict(zip(by, item.key, strict=True)),
            "entered": item.value_rule,
            "n": item.n,
            "n_missing": item.n_missing,
            "mean_before": item.mean_before,
            "mean_after": item.mean_after,
            "median": item.median,
            "mean_pct": item.mean_pct,
            **_tests(item.tests),
            "p_t_holm": item.p_t_holm,
            "p_wilcoxon_holm": item.p_wilcoxon_holm,
            "holm_tests": item.family,
            "beyond_decrease": item.beyond_decrease,
            "beyond_increase": item.beyond_increase,
            "judged": item.judged,
        }
    )


def _contrast(item: Contrast, by: Iterable[str]) -> Row:
    return plain_row(
        {
            **dict(zip(by, item.key, strict=True)),
            "first": item.first,
            "second": item.second,
            "entered": item.value_rule,
            "n": item.n,
            "n_missing": item.n_missing,
            **_tests(item.tests),
            "p_t_holm": item.p_t_holm,
            "p_wilcoxon_holm": item.p_wilcoxon_holm,
            "holm_tests": item.family,
        }
    )


def _tests(item: PairedTests) -> Row:
    return {
        "mean": item.mean,
        "ci95": list(item.ci95),
        "sd": item.sd,
        "t": item.t,
        "p_t": item.p_t,
        "p_wilcoxon": item.p_wilcoxon,
        "n_wilcoxon": item.n_wilcoxon,
        "dz": item.dz,
        "dz_ci95": list(item.dz_ci95),
    }


def trajectory_rows(trajectories: Iterable[Trajectory]) -> list[Row]:
    """Return one row a muscle, quantity and timepoint: ``courses.csv``."""
    return [
        {
            **dict(zip(_COURSE, item.key, strict=True)),
            "timepoint": exam.timepoint,
            "days": _days(exam),
            "value": exam.value,
            "entered": item.value_rule,
            "slices": ";".join(map(str, exam.slices)),
            "raters": ";".join(exam.raters),
            "readings": exam.readings,
        }
        for item in trajectories
        for exam in item.exams
    ]


_COURSE = ("subject", "structure", "level", "side", "quantity", "method")


def _trajectory(item: Trajectory) -> Row:
    return {
        **dict(zip(_COURSE, item.key, strict=True)),
        "entered": item.value_rule,
        "values": [
            plain_row({"timepoint": exam.timepoint, "days": _days(exam), "value": exam.value})
            for exam in item.exams
        ],
    }


def _days(exam: ExamValue) -> float:
    """Return the days that the table gives to a timepoint; NaN where it gives no number."""
    try:
        return float(exam.extra.get("days", "").strip() or "nan")
    except ValueError:
        return math.nan


def plain_model(item: MixedModel) -> Row:
    """Return a mixed model as plain values."""
    return plain_row(
        {
            "quantity": item.quantity,
            "method": item.method,
            "structure": item.structure,
            "factor": item.factor,
            "reference": list(item.reference),
            "entered": item.value_rule,
            "n_subjects": item.n_subjects,
            "n_muscles": item.n_muscles,
            "n_values": item.n_values,
            "n_missing": item.n_missing,
            "terms": [_term(term) for term in item.terms],
            "sd_subjects": item.sd_subjects,
            "sd_muscles": item.sd_muscles,
            "sd_changes": item.sd_changes,
            "sd_residual": item.sd_residual,
            "optimiser": item.optimiser,
            "problems": list(item.problems),
        }
    )


def _term(term: Term) -> Row:
    return plain_row(
        {
            "name": term.name,
            "estimate": term.estimate,
            "se": term.se,
            "df": term.df,
            "ci95": list(term.ci95),
            "p": term.p,
        }
    )
