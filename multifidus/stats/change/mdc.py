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
from multifidus.stats.values import Metric, Value


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


_TEXTS = ("quantity", "method", "structure", "level", "side", "rater", "group")
_SEMS = ("sem_agreement", "sem_consistency")


@dataclass(frozen=True, slots=True)
class KnownError:
    """The standard errors of measurement of one number, as a study of reliability found them.

    Level, side and group are empty where several were pooled, the rater where raters were compared
    with each other; ``columns`` are who was compared.
    """

    quantity: str
    method: str
    structure: str
    level: str
    side: str
    rater: str
    group: str
    compare: str
    columns: tuple[str, ...]
    sem_agreement: float
    sem_consistency: float

    @classmethod
    def of(cls, item: object) -> KnownError:
        """Read a result that ``multifidus reliability --json`` printed.

        Raises
        ------
        StatisticsError
            If it is no such result.
        """
        needed = ("quantity", "compare", *_SEMS)
        if not isinstance(item, Mapping) or any(name not in item for name in needed):
            raise _no_reliability()
        sems = [item[name] for name in _SEMS]
        if not all(isinstance(sem, (int, float)) and sem >= 0 for sem in sems):
            raise _no_reliability(f"The standard errors of {item['quantity']} are {sems}.")
        columns = item.get("columns") or ()
        if not isinstance(columns, (list, tuple)):
            raise _no_reliability(f"The columns of {item['quantity']} are {columns!r}.")
        texts: dict[str, Any] = {name: str(item.get(name) or "") for name in _TEXTS}
        return cls(
            **texts,
            compare=str(item["compare"]),
            columns=tuple(map(str, columns)),
            sem_agreement=float(sems[0]),
            sem_consistency=float(sems[1]),
        )

    def is_at(self, pair: ExamPair) -> bool:
        """Whether it is of a pair's level and side, or was pooled over them."""
        return self.level in {pair.level, ""} and self.side in {pair.side, ""}

    def is_of_group(self, pair: ExamPair) -> bool:
        """Whether it is of everybody, or of a pair's own group: ``approach=open``."""
        column, _, value = self.group.partition("=")
        return not self.group or pair.column(column) == value

    def pooled(self, pair: ExamPair) -> str:
        """Say over what it was pooled that a pair is one of, and of which group it is."""
        names = [
            name for name in ("level", "side") if getattr(pair, name) and not getattr(self, name)
        ]
        pooled = f", pooled over {' and '.join(names)}" if names else ""
        return pooled + (f", {self.group}" if self.group else "")


def _no_reliability(msg: str = "This is no reliability of a study.") -> StatisticsError:
    return StatisticsError(msg, remedy="Give what 'multifidus reliability --json' prints.")


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
    results = document.get("results")
    if not isinstance(results, list):
        raise _no_reliability()
    known: dict[tuple[str, ...], KnownError] = {}
    for item in map(KnownError.of, results):
        key = tuple(getattr(item, name) for name in _TEXTS)
        if key in known:
            msg = f"The reliability of {' '.join(filter(None, key))} stands in the file twice."
            remedy = "Give the JSON of one run, of one timepoint or of all together."
            raise StatisticsError(msg, remedy=remedy)
        known[key] = item

    def of(pair: ExamPair) -> Mdc:
        own = Metric.about(pair).of(known.values())
        return _between(pair, own) or _reread(pair, own) or _unknown(pair, own)

    return of


def protocol_warnings(document: Mapping[str, Any], values: Iterable[Value]) -> tuple[str, ...]:
    """Say where a study of reliability was measured by other protocols than these values.

    Raises
    ------
    StatisticsError
        If the document's protocols are no list of texts.
    """
    given = document.get("protocols") or []
    if not (isinstance(given, (list, tuple)) and all(isinstance(one, str) for one in given)):
        raise _no_reliability(f"The reliability's 'protocols' is {given!r}, not a list of texts.")
    theirs, ours = set(given), set(protocols_of(values))
    strange = sorted(ours - theirs)
    if not (theirs and strange):
        return ()
    return (
        f"The reliability was measured by protocol {', '.join(sorted(theirs))}, this table by "
        f"{', '.join(strange)}: its errors may not be those of these numbers.",
    )


def _found(pair: ExamPair, rater: str, known: Iterable[KnownError]) -> KnownError | None:
    """Return the error at a pair's level and side, else of what was pooled over them.

    That of the pair's own group goes before that of all together; never that of another level.
    """
    fit = (
        item
        for item in known
        if item.rater == rater and item.is_at(pair) and item.is_of_group(pair)
    )
    return min(
        fit,
        key=lambda item: (not item.level, not item.side, not item.group, item.group),
        default=None,
    )


def _between(pair: ExamPair, known: Iterable[KnownError]) -> Mdc | None:
    """Error between raters."""
    item = _found(pair, "", known)
    if item is None or item.compare != Compare.RATER:
        return None
    before, after = pair.before.raters, pair.after.raters
    same = before == after
    raters = min(len(before), len(after))
    basis = (
        f"{'consistency' if same else 'agreement'} of raters {', '.join(item.columns)}"
        f"{item.pooled(pair)}; "
        + (f"{_names(before)} read both exams" if same
           else f"{_names(before)} read one exam, {_names(after)} the other")
    )  # fmt: skip
    strangers = sorted({*before, *after} - {*item.columns})
    if strangers:
        basis += f"; {_names(strangers)} not among them"
    sem = item.sem_consistency if same else item.sem_agreement
    return Mdc(mdc95(sem, max(raters, 1)), _averaged(basis, raters, "raters"))


def _reread(pair: ExamPair, known: Iterable[KnownError]) -> Mdc | None:
    """Error of one rater's readings, which only says something where that rater read both exams."""
    before, after = pair.before.raters, pair.after.raters
    if before != after or len(before) != 1:
        return None
    item = _found(pair, before[0], known)
    if item is None:
        return None
    basis = f"re-reading by {before[0] or 'the rater'}{item.pooled(pair)} (reread, lower bound)"
    return Mdc(mdc95(item.sem_agreement, max(pair.readings, 1)), _averaged(basis, pair.readings))


def _unknown(pair: ExamPair, known: Sequence[KnownError]) -> Mdc:
    """Say what lacks."""
    what = f"the reliability of {Metric.about(pair)}"
    if not known:
        return Mdc(math.nan, f"{what} is unknown")
    if not any(item.is_of_group(pair) for item in known):
        return Mdc(math.nan, f"{what} is that of another group")
    if any(item.is_at(pair) for item in known):
        who = " and ".join(dict.fromkeys((_names(pair.before.raters), _names(pair.after.raters))))
        return Mdc(math.nan, f"re-reading by others says nothing of {who}")
    place = " ".join(filter(None, (pair.level, pair.side)))
    return Mdc(math.nan, f"{what} is known, but not at {place}")


def _names(raters: Iterable[str]) -> str:
    return ", ".join(name or "an unnamed rater" for name in raters) or "nobody"


def _averaged(basis: str, count: int, of: str = "readings") -> str:
    return f"{basis}; mean of {count} {of}" if count > 1 else basis
