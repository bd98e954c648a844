"""The least change beyond measurement error: from a study of reliability, or given by hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from multifidus.errors import StatisticsError
from multifidus.stats.change.pairs import ExamPair
from multifidus.stats.mixed_protocols import protocols_of
from multifidus.stats.reliability.measurement_error import mdc95
from multifidus.stats.reliability.targets import Compare
from multifidus.stats.values import Value


@dataclass(frozen=True, slots=True)
class Mdc:
    """The least change of one muscle that is beyond measurement error.

    Parameters
    ----------
    mdc95
        In the quantity's unit, of this pair's values; NaN where nothing is known.
    basis
        On what it rests, such as ``consistency of raters A, B``, or why nothing is known.
    """

    mdc95: float
    basis: str


MdcOf = Callable[[ExamPair], Mdc]
"""Which least change a pair is held against."""

NOT_ASKED = "no reliability was given"


def unknown_mdc(_pair: ExamPair) -> Mdc:
    """Know no measurement error of any pair."""
    return Mdc(math.nan, NOT_ASKED)


def given_mdc(limits: Mapping[str, float]) -> MdcOf:
    """Hold changes against numbers given by hand.

    Parameters
    ----------
    limits
        MDC95 of single readings, by quantity.

    Raises
    ------
    StatisticsError
        If a limit is negative or not finite.
    """
    for quantity, limit in limits.items():
        if not (math.isfinite(limit) and limit >= 0):
            msg = f"The least detectable change of {quantity} is {limit:g}."
            raise StatisticsError(msg, remedy="Give a number of 0 or more, in its unit.")

    def of(pair: ExamPair) -> Mdc:
        limit = limits.get(pair.quantity)
        if limit is None:
            return Mdc(math.nan, f"no MDC of {pair.quantity} was given")
        return Mdc(limit / math.sqrt(max(pair.readings, 1)), _averaged("given", pair.readings))

    return of


SMALL_LIMIT = 0.005
"""No rater detects a change by so small a part of a muscle."""


def limit_warnings(limits: Mapping[str, float], values: Iterable[Value]) -> tuple[str, ...]:
    """Say which numbers given by hand look as if they were in another unit than the table's."""
    sizes: dict[str, list[float]] = {}
    for item in values:
        if item.quantity in limits and math.isfinite(item.value):
            sizes.setdefault(item.quantity, []).append(abs(item.value))
    return tuple(
        f"The least detectable change given of {quantity}, {limits[quantity]:g}, is below "
        f"{100 * SMALL_LIMIT:g} % of its median ({median(own):g}): is it in another unit?"
        for quantity, own in sorted(sizes.items())
        if limits[quantity] < SMALL_LIMIT * median(own)
    )


def mdc_from_reliability(document: Mapping[str, Any]) -> MdcOf:
    """Hold changes against what ``multifidus reliability --json`` printed.

    Where the same raters read both exams, their own offsets cancel: consistency. Where others
    read the second exam, they do not: agreement. Errors of re-reading are those of a rater's own
    readings, and a lower bound: one image holds no repositioning and no second scan. The mean of
    m raters has 1 / sqrt(m) of the error between raters, the mean of m readings 1 / sqrt(m) of
    that of re-reading.

    Raises
    ------
    StatisticsError
        If the document is not such a one, or says two things of one quantity.
    """
    known: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for item in _results(document):
        key = tuple(str(item.get(name) or "") for name in (*_KEY, "rater", "group"))
        if key in known:
            msg = f"The reliability of {' '.join(filter(None, key))} stands in the file twice."
            remedy = "Give the JSON of one run, of one timepoint or of all together."
            raise StatisticsError(msg, remedy=remedy)
        known[key] = item

    def of(pair: ExamPair) -> Mdc:
        return _between(pair, known) or _reread(pair, known) or _unknown(pair, known)

    return of


def protocol_warnings(document: Mapping[str, Any], values: Iterable[Value]) -> tuple[str, ...]:
    """Say where a study of reliability was measured by other protocols than these values."""
    theirs, ours = set(document.get("protocols") or ()), set(protocols_of(values))
    strange = sorted(ours - theirs)
    if not (theirs and strange):
        return ()
    return (
        f"The reliability was measured by protocol {', '.join(sorted(theirs))}, this table by "
        f"{', '.join(strange)}: its errors may not be those of these numbers.",
    )


_KEY = ("quantity", "method", "structure", "level", "side")
_NEEDED = ("quantity", "compare", "sem_agreement", "sem_consistency")


def _results(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    results = document.get("results")
    if not isinstance(results, list) or not all(
        isinstance(item, Mapping) and all(name in item for name in _NEEDED) for item in results
    ):
        msg = "This is no reliability of a study."
        raise StatisticsError(msg, remedy="Give what 'multifidus reliability --json' prints.")
    for item in results:
        sems = [item[name] for name in _NEEDED[2:]]
        if not all(isinstance(sem, (int, float)) and sem >= 0 for sem in sems):
            msg = f"The standard errors of {item['quantity']} are {sems}."
            raise StatisticsError(msg, remedy="Give what 'multifidus reliability --json' prints.")
    return results


def _candidates(pair: ExamPair, rater: str) -> Iterable[tuple[str, ...]]:
    """Of this level and side, then of what was pooled over them; never of another level."""
    what = (pair.quantity, pair.method, pair.structure)
    for level, side in dict.fromkeys(
        ((pair.level, pair.side), (pair.level, ""), ("", pair.side), ("", ""))
    ):
        yield (*what, level, side, rater)


def _of_its_group(pair: ExamPair, group: str) -> bool:
    """Whether an error is of everybody, or of the pair's own group: ``approach=open``."""
    column, _, value = group.partition("=")
    return not group or pair.column(column) == value


def _found(
    pair: ExamPair, rater: str, known: Mapping[tuple[str, ...], Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    groups = {key[-1] for key in known if _of_its_group(pair, key[-1])}
    # Of the pair's own group before of all together.
    tried = (
        (*key, group)
        for key in _candidates(pair, rater)
        for group in sorted(groups, key=lambda name: (not name, name))
    )
    return next((known[key] for key in tried if key in known), None)


def _between(pair: ExamPair, known: Mapping[tuple[str, ...], Mapping[str, Any]]) -> Mdc | None:
    """Error between raters."""
    item = _found(pair, "", known)
    if item is None or item["compare"] != Compare.RATER:
        return None
    before, after = pair.before.raters, pair.after.raters
    columns = [str(name) for name in item.get("columns", ())]
    same = before == after
    sem = float(item["sem_consistency" if same else "sem_agreement"])
    raters = min(len(before), len(after))
    basis = (
        f"{'consistency' if same else 'agreement'} of raters {', '.join(columns)}"
        f"{_pooled(item, pair)}; "
        + (f"{_names(before)} read both exams" if same
           else f"{_names(before)} read one exam, {_names(after)} the other")
    )  # fmt: skip
    strangers = sorted({*before, *after} - {*columns})
    if strangers:
        basis += f"; {_names(strangers)} not among them"
    return Mdc(mdc95(sem, max(raters, 1)), _averaged(basis, raters, "raters"))


def _reread(pair: ExamPair, known: Mapping[tuple[str, ...], Mapping[str, Any]]) -> Mdc | None:
    """Error of one rater's readings, which only says something where that rater read both exams."""
    before, after = pair.before.raters, pair.after.raters
    if before != after or len(before) != 1:
        return None
    item = _found(pair, before[0], known)
    if item is None:
        return None
    basis = f"re-reading by {before[0] or 'the rater'}{_pooled(item, pair)} (reread, lower bound)"
    limit = mdc95(float(item["sem_agreement"]), max(pair.readings, 1))
    return Mdc(limit, _averaged(basis, pair.readings))


def _unknown(pair: ExamPair, known: Mapping[tuple[str, ...], Mapping[str, Any]]) -> Mdc:
    own = [key for key in known if key[:3] == (pair.quantity, pair.method, pair.structure)]
    where = " ".join(filter(None, (pair.quantity, pair.method, pair.structure)))
    if not own:
        return Mdc(math.nan, f"the reliability of {where} is unknown")
    if not any(_of_its_group(pair, key[-1]) for key in own):
        return Mdc(math.nan, f"the reliability of {where} is that of another group")
    if any(key[3] in {pair.level, ""} and key[4] in {pair.side, ""} for key in own):
        who = " and ".join(dict.fromkeys((_names(pair.before.raters), _names(pair.after.raters))))
        return Mdc(math.nan, f"re-reading by others says nothing of {who}")
    place = " ".join(filter(None, (pair.level, pair.side)))
    return Mdc(math.nan, f"the reliability of {where} is known, but not at {place}")


def _pooled(item: Mapping[str, Any], pair: ExamPair) -> str:
    names = [name for name in ("level", "side") if getattr(pair, name) and not item.get(name)]
    pooled = f", pooled over {' and '.join(names)}" if names else ""
    return pooled + (f", {item['group']}" if item.get("group") else "")


def _names(raters: Iterable[str]) -> str:
    return ", ".join(name or "an unnamed rater" for name in raters) or "nobody"


def _averaged(basis: str, count: int, of: str = "readings") -> str:
    return f"{basis}; mean of {count} {of}" if count > 1 else basis
