"""A study's reliability as ``reliability --json`` prints it, and as it is read back.

Each table of entries describes a part of the document: its keys in their order, what they hold, and
how that is read. Both directions go by it. JSON has neither NaN nor infinity: those become None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from multifidus.errors import StatisticsError
from multifidus.io.json_documents import number_or_nan
from multifidus.stats.exclusions import Exclusion
from multifidus.stats.reliability.icc import Icc
from multifidus.stats.reliability.measurement_error import BlandAltman, Concordance, Sem
from multifidus.stats.reliability.results import (
    GradePair,
    GradeReliability,
    PairAgreement,
    Reliability,
    ReliabilityStudy,
)
from multifidus.stats.reliability.target_groups import TargetCounts
from multifidus.stats.reliability.targets import Compare, SliceMatch
from multifidus.study.level_value import Matching


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an object of the document.

    Parameters
    ----------
    key
        Its name.
    read
        How what it holds is read; None where that follows from other entries.
    attribute
        What it holds, where that has another name.
    older
        What stands for it in files of older versions; None where it has to be there.
    """

    key: str
    read: Callable[[Any], object] | None = None
    attribute: str = ""
    older: object = None


def plain(value: object) -> object:
    """Return a value for JSON: None for a number that it has not, in lists as well."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value


def plain_row(row: Mapping[str, object]) -> dict[str, Any]:
    """Return a row with such values."""
    return {name: plain(value) for name, value in row.items()}


def _written(item: object, entries: Iterable[Entry]) -> dict[str, Any]:
    """Write entries of an object; each is None where there is no object."""
    return {
        each.key: None if item is None else plain(getattr(item, each.attribute or each.key))
        for each in entries
    }


def _read(document: Mapping[str, Any], entries: Iterable[Entry]) -> dict[str, Any]:
    return {
        each.attribute or each.key: each.read(_held(document, each))
        for each in entries
        if each.read is not None
    }


def _held(document: Mapping[str, Any], entry: Entry) -> object:
    if entry.older is None:
        return document[entry.key]
    held = document.get(entry.key)
    return entry.older if held is None else held


def _texts(words: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, words))


def _limits(pair: Iterable[Any]) -> tuple[float, float]:
    low, high = pair
    return float(low), float(high)


def _ends(pair: Iterable[Any]) -> tuple[float, float]:
    """Read an interval; an end that JSON could not hold was infinite, the lower one downwards."""
    low, high = pair
    return _limits((-math.inf if low is None else low, math.inf if high is None else high))


def _both_ends(pairs: Iterable[Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    lower, upper = pairs
    return _ends(lower), _ends(upper)


_ABOUT = (
    *(Entry(name, str) for name in ("quantity", "method", "structure", "level", "side")),
    Entry("compare", Compare),
    Entry("rater", str),
    Entry("columns", _texts),
    *(Entry(name, int) for name in ("n_subjects", "n_targets", "n_missing")),
    Entry("entered", str, "value_rule", older=""),
    Entry("timepoint", str, older=""),
    Entry("group", str, older=""),
)
_RESULT = (Entry("n_raters", int), Entry("cv_pct", number_or_nan), Entry("problems", _texts))
_SLICES = (
    Entry("match", Matching),
    Entry("n_recorded", int),
    Entry("n_partly", int),
    Entry("n_different"),
    Entry("distances_mm", lambda numbers: tuple(map(number_or_nan, numbers))),
)
_ICC = (
    Entry("shrout_fleiss", str),
    Entry("mcgraw_wong", str),
    Entry("value", number_or_nan),
    Entry("ci95", _ends),
    Entry("band"),
    Entry("when"),
)
_SEM = (
    Entry("sem_agreement", float, "agreement"),
    Entry("sem_agreement_ci95", _ends, "agreement_ci95"),
    Entry("sem_consistency", float, "consistency"),
    Entry("sem_consistency_ci95", _ends, "consistency_ci95"),
    Entry("mdc95_agreement"),
    Entry("mdc95_consistency"),
    Entry("mdc95_pct"),
    Entry("mean", float),
)
_PAIR = (Entry("first", str), Entry("second", str))
_AGREEMENT = (
    Entry("bias", float),
    Entry("bias_ci95", _ends),
    Entry("sd", float),
    Entry("limits", _limits),
    Entry("limits_ci95", _both_ends),
    Entry("slope", number_or_nan),
    Entry("slope_p", number_or_nan),
)
_RATIO = (
    Entry("ratio", float, "bias"),
    Entry("ratio_limits", _limits, "limits"),
    Entry("ratio_limits_ci95", _both_ends, "limits_ci95"),
)
_CONCORDANCE = (Entry("ccc", float, "value"), Entry("ccc_ci95", _ends, "ci95"))


def plain_study(study: ReliabilityStudy) -> dict[str, Any]:
    """Return a study's reliability as ``reliability --json`` prints it."""
    return {
        "protocols": list(study.protocols),
        "results": [_plain(item) for item in study.results],
        "grades": [_plain_grade(item) for item in study.grades],
        "problems": list(study.problems),
        "left_out": [item.as_dict() for item in study.exclusions],
    }


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
            _texts(document["problems"]),
            protocols=_texts(document.get("protocols") or ()),
            exclusions=tuple(map(Exclusion.of, document.get("left_out") or ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        msg = f"This is no reliability of a study: {type(error).__name__} {error}."
        remedy = "Give what 'multifidus reliability --json' prints."
        raise StatisticsError(msg, remedy=remedy) from error


def _plain(item: Reliability) -> dict[str, Any]:
    pairs = [_plain_pair(pair) for pair in item.pairs]
    raters, cv, problems = _RESULT
    return {
        **_plain_about(item),
        **_written(item, (raters,)),
        "icc": [_written(form, _ICC) for form in item.icc],
        **_written(item.sem, _SEM),
        **_written(item, (cv,)),
        "bland_altman": pairs[0],
        "pairs": pairs,
        **_written(item, (problems,)),
    }


def _result(item: Mapping[str, Any]) -> Reliability:
    pairs = tuple(_pair(one, int(item["n_targets"])) for one in item["pairs"])
    if not pairs:
        msg = "a result without a comparison"
        raise ValueError(msg)
    slices = item.get("slices")
    return Reliability(
        **_read(item, (*_ABOUT, *_RESULT)),
        icc=tuple(Icc(**_read(one, _ICC)) for one in item["icc"]),
        sem=Sem(**_read(item, _SEM)),
        pairs=pairs,
        exclusions=tuple((str(one["reason"]), int(one["n"])) for one in item.get("left_out") or ()),
        # Older files do not say on which slices targets were compared.
        slices=SliceMatch(n_targets=int(item["n_targets"]), **_read(slices, _SLICES))
        if slices
        else SliceMatch(),
        counts=_counts(item),
    )


def _plain_about(item: Reliability | GradeReliability) -> dict[str, Any]:
    """Say of what, of whom, and of how many."""
    return {
        **_written(item, _ABOUT),
        "n_exams": item.counts.n_exams,
        "timepoints": dict(item.counts.timepoints),
        "groups": [
            {"column": column, "value": group, "n_subjects": n}
            for column, group, n in item.counts.groups
        ],
        "left_out": [{"reason": why, "n": n} for why, n in item.exclusions],
        "slices": _written(item.slices, _SLICES),
    }


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


def _plain_pair(pair: PairAgreement) -> dict[str, Any]:
    return {
        **_written(pair, _PAIR),
        **_written(pair.agreement, _AGREEMENT),
        **_written(pair.ratio, _RATIO),
        **_written(pair.concordance, _CONCORDANCE),
    }


def _pair(item: Mapping[str, Any], n: int) -> PairAgreement:
    """Read a comparison of two; what is not printed of ratio and concordance is NaN."""
    unsaid = math.nan
    concordance = ratio = None
    if item["ccc"] is not None:
        concordance = Concordance(**_read(item, _CONCORDANCE), precision=unsaid, accuracy=unsaid)
    if item["ratio"] is not None:
        ratio = BlandAltman(
            n=n, **_read(item, _RATIO), bias_ci95=(unsaid, unsaid), sd=unsaid, slope=unsaid,
            slope_p=unsaid,
        )  # fmt: skip
    agreement = BlandAltman(n=n, **_read(item, _AGREEMENT))
    return PairAgreement(
        **_read(item, _PAIR), agreement=agreement, concordance=concordance, ratio=ratio
    )


def _plain_grade(item: GradeReliability) -> dict[str, Any]:
    return {
        **_plain_about(item),
        "pairs": [_plain_grade_pair(pair) for pair in item.pairs],
        "problems": list(item.problems),
    }


def _plain_grade_pair(pair: GradePair) -> dict[str, Any]:
    found = {**_written(pair, _PAIR), "equal": pair.equal}
    for name, kappa in (("kappa_linear", pair.linear), ("kappa_quadratic", pair.quadratic)):
        found |= _written(
            kappa, (Entry(name, attribute="value"), Entry(f"{name}_ci95", attribute="ci95"))
        )
    return found
