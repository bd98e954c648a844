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
from multifidus.stats.change.pairs import MUSCLE, ExamPair
from multifidus.stats.change.study import ChangeStudy, Trajectory
from multifidus.stats.reliability.document import plain, plain_row

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
        **{name: getattr(pair, name) for name in MUSCLE},
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
        **_both(pair, "raters", "readings", "slices", "tilt_deg"),
        "tilt_difference_deg": tilt_difference_deg(pair.before, pair.after),
        "tilt_effect_pct": effect if area else math.nan,
        "tilt_effect": pair.before.value * effect / 100 if area else math.nan,
        **_both(pair, "offset_mm"),
        "offset_difference_mm": offset_difference_mm(pair.before, pair.after),
        **_both(pair, "valid_fraction", "flags"),
        "problem": pair.problem,
        "notes": "; ".join(pair.notes),
    }


def _both(pair: ExamPair, *names: str) -> Row:
    """Return what is known of either exam; several words or numbers are joined."""
    found: Row = {}
    for name in names:
        for exam, when in ((pair.before, "before"), (pair.after, "after")):
            value = getattr(exam, name)
            if isinstance(value, (tuple, frozenset)):
                # Slices stand in the order of the readings.
                value = ";".join(map(str, value if name == "slices" else sorted(value)))
            found[f"{name}_{when}"] = value
    return found


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
    named = dict(zip(by, item.key, strict=True))
    means = _fields(item, "mean_before", "mean_after", "median", "mean_pct")
    beyond = _fields(item, "beyond_decrease", "beyond_increase", "judged")
    return {**named, **_counts(item), **means, **_tests(item), **beyond}


def _contrast(item: Contrast, by: Iterable[str]) -> Row:
    kinds = _fields(item, "first", "second")
    return {**dict(zip(by, item.key, strict=True)), **kinds, **_counts(item), **_tests(item)}


def _counts(item: GroupChange | Contrast) -> Row:
    return {"entered": item.value_rule, **_fields(item, "n", "n_missing")}


def _tests(item: GroupChange | Contrast) -> Row:
    names = ("mean", "ci95", "sd", "t", "p_t", "p_wilcoxon", "n_wilcoxon", "dz", "dz_ci95")
    corrected = _fields(item, "p_t_holm", "p_wilcoxon_holm")
    return {**_fields(item.tests, *names), **corrected, "holm_tests": item.family}


def _fields(item: object, *names: str) -> Row:
    return {name: plain(getattr(item, name)) for name in names}


def trajectory_rows(trajectories: Iterable[Trajectory]) -> list[Row]:
    """Return one row a muscle, quantity and timepoint: ``courses.csv``."""
    return [
        {
            **dict(zip(MUSCLE, item.key, strict=True)),
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


def _trajectory(item: Trajectory) -> Row:
    return {
        **dict(zip(MUSCLE, item.key, strict=True)),
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
    counts = ("n_subjects", "n_muscles", "n_values", "n_missing")
    sds = ("sd_subjects", "sd_muscles", "sd_changes", "sd_residual", "optimiser", "problems")
    term = ("name", "estimate", "se", "df", "ci95", "p")
    return {
        **_fields(item, "quantity", "method", "structure", "factor", "reference"),
        "entered": item.value_rule,
        **_fields(item, *counts),
        "terms": [_fields(one, *term) for one in item.terms],
        **_fields(item, *sds),
    }
