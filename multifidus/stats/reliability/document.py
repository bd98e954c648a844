"""Statistics as plain values for JSON, which has neither NaN nor infinity: those become None."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from multifidus.stats.reliability.results import (
    GradeReliability,
    PairAgreement,
    Reliability,
    ReliabilityStudy,
)


def plain_study(study: ReliabilityStudy) -> dict[str, object]:
    """Return a study's reliability as ``reliability --json`` prints it."""
    return {
        "protocols": list(study.protocols),
        "results": [_plain(item) for item in study.results],
        "grades": [_plain_grade(item) for item in study.grades],
        "problems": list(study.problems),
        "left_out": [item.as_dict() for item in study.exclusions],
    }


def _head(item: Reliability | GradeReliability) -> dict[str, object]:
    """Say of what, of whom, and of how many."""
    return {
        "quantity": item.quantity,
        "method": item.method,
        "structure": item.structure,
        "level": item.level,
        "side": item.side,
        "compare": item.compare.value,
        "rater": item.rater,
        "columns": list(item.columns),
        "n_subjects": item.n_subjects,
        "n_targets": item.n_targets,
        "n_missing": item.n_missing,
        "entered": item.value_rule,
        "timepoint": item.timepoint,
        "group": item.group,
        "n_exams": item.counts.n_exams,
        "timepoints": dict(item.counts.timepoints),
        "groups": [
            {"column": column, "value": group, "n_subjects": n}
            for column, group, n in item.counts.groups
        ],
        "left_out": [{"reason": why, "n": n} for why, n in item.exclusions],
        "slices": {
            "match": item.slices.match.value,
            "n_recorded": item.slices.n_recorded,
            "n_partly": item.slices.n_partly,
            "n_different": len(item.slices.distances_mm),
            "distances_mm": [_known(number) for number in item.slices.distances_mm],
        },
    }


def _plain(item: Reliability) -> dict[str, object]:
    pairs = [_plain_pair(pair) for pair in item.pairs]
    return {
        **_head(item),
        "n_raters": item.n_raters,
        "icc": [
            {
                "shrout_fleiss": form.shrout_fleiss,
                "mcgraw_wong": form.mcgraw_wong,
                "value": _known(form.value),
                "ci95": [_known(end) for end in form.ci95],
                "band": form.band,
                "when": form.when,
            }
            for form in item.icc
        ],
        "sem_agreement": item.sem.agreement,
        "sem_agreement_ci95": list(item.sem.agreement_ci95),
        "sem_consistency": item.sem.consistency,
        "sem_consistency_ci95": list(item.sem.consistency_ci95),
        "mdc95_agreement": item.sem.mdc95_agreement,
        "mdc95_consistency": item.sem.mdc95_consistency,
        "mdc95_pct": _known(item.sem.mdc95_pct),
        "mean": item.sem.mean,
        "cv_pct": _known(item.cv_pct),
        "bland_altman": pairs[0],
        "pairs": pairs,
        "problems": list(item.problems),
    }


def _plain_grade(item: GradeReliability) -> dict[str, object]:
    return {
        **_head(item),
        "pairs": [
            {
                "first": pair.first,
                "second": pair.second,
                "equal": pair.equal,
                "kappa_linear": None if pair.linear is None else pair.linear.value,
                "kappa_linear_ci95": None if pair.linear is None else list(pair.linear.ci95),
                "kappa_quadratic": None if pair.quadratic is None else pair.quadratic.value,
                "kappa_quadratic_ci95": None
                if pair.quadratic is None
                else list(pair.quadratic.ci95),
            }
            for pair in item.pairs
        ],
        "problems": list(item.problems),
    }


def _plain_pair(pair: PairAgreement) -> dict[str, object]:
    found = pair.agreement
    return {
        "first": pair.first,
        "second": pair.second,
        "bias": found.bias,
        "bias_ci95": list(found.bias_ci95),
        "sd": found.sd,
        "limits": list(found.limits),
        "limits_ci95": [list(interval) for interval in found.limits_ci95],
        "slope": found.slope,
        "slope_p": _known(found.slope_p),
        "ratio": None if pair.ratio is None else pair.ratio.bias,
        "ratio_limits": None if pair.ratio is None else list(pair.ratio.limits),
        "ratio_limits_ci95": None
        if pair.ratio is None
        else [list(interval) for interval in pair.ratio.limits_ci95],
        "ccc": None if pair.concordance is None else pair.concordance.value,
        "ccc_ci95": None if pair.concordance is None else list(pair.concordance.ci95),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with None for numbers that JSON has not, in lists of it as well."""

    def plain(value: object) -> object:
        if isinstance(value, list):
            return [plain(one) for one in value]
        return _known(value) if isinstance(value, float) else value

    return {name: plain(value) for name, value in row.items()}
