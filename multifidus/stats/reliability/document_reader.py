"""A study's reliability as it was printed, read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from multifidus.errors import StatisticsError
from multifidus.io.json_documents import number_or_nan
from multifidus.stats.exclusions import Exclusion
from multifidus.stats.reliability.icc import Icc
from multifidus.stats.reliability.measurement_error import BlandAltman, Concordance, Sem
from multifidus.stats.reliability.results import PairAgreement, Reliability, ReliabilityStudy
from multifidus.stats.reliability.target_groups import TargetCounts
from multifidus.stats.reliability.targets import Compare, SliceMatch
from multifidus.study.level_value import Matching


def given_study(document: Mapping[str, Any]) -> ReliabilityStudy:
    """Return the study that ``multifidus reliability --json`` printed; grades are left out.

    Raises
    ------
    StatisticsError
        If the document is not such a one.
    """
    try:
        return ReliabilityStudy(
            tuple(map(_result, document["results"])),
            tuple(map(str, document["problems"])),
            protocols=tuple(map(str, document.get("protocols") or ())),
            exclusions=tuple(map(Exclusion.of, document.get("left_out") or ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"This is no reliability of a study: {type(error).__name__} {error}."
        remedy = "Give what 'multifidus reliability --json' prints."
        raise StatisticsError(msg, remedy=remedy) from error


def _result(item: Mapping[str, Any]) -> Reliability:
    pairs = tuple(_pair(one, item["n_targets"]) for one in item["pairs"])
    if not pairs:
        msg = "a result without a comparison"
        raise ValueError(msg)
    named: dict[str, Any] = {name: str(item[name]) for name in _TEXTS}
    named |= {name: int(item[name]) for name in _NUMBERS}
    return Reliability(
        **named,
        compare=Compare(item["compare"]),
        columns=tuple(map(str, item["columns"])),
        icc=tuple(
            Icc(
                one["shrout_fleiss"],
                one["mcgraw_wong"],
                number_or_nan(one["value"]),
                _ends(one["ci95"]),
            )
            for one in item["icc"]
        ),
        sem=Sem(
            float(item["sem_agreement"]),
            float(item["sem_consistency"]),
            _ends(item["sem_agreement_ci95"]),
            _ends(item["sem_consistency_ci95"]),
            float(item["mean"]),
        ),
        cv_pct=number_or_nan(item["cv_pct"]),
        pairs=pairs,
        problems=tuple(map(str, item["problems"])),
        value_rule=str(item.get("entered") or ""),
        timepoint=str(item.get("timepoint") or ""),
        group=str(item.get("group") or ""),
        exclusions=tuple((str(one["reason"]), int(one["n"])) for one in item.get("left_out") or ()),
        slices=_slices(item),
        counts=_counts(item),
    )


def _slices(item: Mapping[str, Any]) -> SliceMatch:
    """Return on which slices targets were compared; older files do not say it."""
    found = item.get("slices")
    if not found:
        return SliceMatch()
    return SliceMatch(
        Matching(found["match"]),
        int(item["n_targets"]),
        int(found["n_recorded"]),
        int(found["n_partly"]),
        tuple(map(number_or_nan, found["distances_mm"])),
    )


def _counts(item: Mapping[str, Any]) -> TargetCounts:
    """Return of which examinations targets are; older files do not say it."""
    return TargetCounts(
        int(item.get("n_exams") or 0),
        int(item["n_subjects"]),
        tuple((str(name), int(n)) for name, n in (item.get("timepoints") or {}).items()),
        tuple(
            (str(one["column"]), str(one["value"]), int(one["n_subjects"]))
            for one in item.get("groups") or ()
        ),
    )


_TEXTS = ("quantity", "method", "structure", "level", "side", "rater")
_NUMBERS = ("n_subjects", "n_targets", "n_raters", "n_missing")


def _pair(item: Mapping[str, Any], n: int) -> PairAgreement:
    low, high = item["limits_ci95"]
    lower, upper = item["limits"]
    concordance = None
    if item["ccc"] is not None:
        # Its two parts are not printed.
        concordance = Concordance(float(item["ccc"]), _ends(item["ccc_ci95"]), math.nan, math.nan)
    return PairAgreement(
        str(item["first"]),
        str(item["second"]),
        BlandAltman(
            n=int(n),
            bias=float(item["bias"]),
            bias_ci95=_ends(item["bias_ci95"]),
            sd=float(item["sd"]),
            limits=(float(lower), float(upper)),
            limits_ci95=(_ends(low), _ends(high)),
            slope=number_or_nan(item["slope"]),
            slope_p=number_or_nan(item["slope_p"]),
        ),
        concordance,
        _ratio(item, n),
    )


def _ratio(item: Mapping[str, Any], n: int) -> BlandAltman | None:
    """Return the limits of agreement as ratios; the rest of them is not printed."""
    if item["ratio"] is None:
        return None
    (lower, upper), (low, high) = item["ratio_limits"], item["ratio_limits_ci95"]
    return BlandAltman(
        n=int(n),
        bias=float(item["ratio"]),
        bias_ci95=(math.nan, math.nan),
        sd=math.nan,
        limits=(float(lower), float(upper)),
        limits_ci95=(_ends(low), _ends(high)),
        slope=math.nan,
        slope_p=math.nan,
    )


def _ends(pair: Any) -> tuple[float, float]:
    """Read an interval; an end that JSON could not hold was infinite, the lower one downwards."""
    low, high = pair
    return (
        -math.inf if low is None else float(low),
        math.inf if high is None else float(high),
    )
