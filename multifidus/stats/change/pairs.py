"""Pre and post: the pairs of a study, one a subject, level and side."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from multifidus.data.cells import nearly
from multifidus.errors import StatisticsError
from multifidus.stats.change.comparability import differences
from multifidus.stats.change.exam_value import (
    ExamValue,
    ReadingChoice,
    exam_value,
    has_first_reading,
)
from multifidus.stats.exam_facts import check_operated_sides, facts_of_exams
from multifidus.stats.mixed_protocols import check_protocols
from multifidus.stats.values import Value
from multifidus.study.exam_order import COLUMNS, places

NEEDS_VALID = ("fcsa_mm2", "fat_csa_mm2")
"""Quantities that artefacts take from: a change is believed only where both exams are whole."""

MUSCLE = ("subject", "structure", "level", "side", "quantity", "method")
"""What tells one number of one muscle from others."""

Span = tuple[str, str]
"""Names of two timepoints, the earlier first."""

ZONES = ("operated", "adjacent", "remote")
"""Levels by their distance from the nearest operated one: none, one, more."""


@dataclass(frozen=True, slots=True)
class ExamPair:
    """One quantity of one muscle at one level and side of a subject, at two timepoints.

    Parameters
    ----------
    distance
        Levels from the nearest operated one: 0 operated, 1 adjacent, more remote; None where the
        table names no operated level.
    problem
        Why the pair has no change; empty where it has one.
    notes
        What differs between the exams besides the muscle.
    choice
        Whose value entered: the rule.
    """

    subject: str
    structure: str
    level: str
    side: str
    quantity: str
    method: str
    before: ExamValue
    after: ExamValue
    distance: int | None
    problem: str
    notes: tuple[str, ...]
    choice: str = ""

    @property
    def value_rule(self) -> str:
        """Which values entered: whose readings, and what of a level's slices."""
        rules = dict.fromkeys((self.choice, self.before.rule, self.after.rule))
        return "; ".join(filter(None, rules))

    @property
    def delta(self) -> float:
        """After minus before; NaN where there is a problem."""
        return math.nan if self.problem else self.after.value - self.before.value

    @property
    def delta_pct(self) -> float:
        """Change in percent of the value before; NaN where that is not positive."""
        before = self.before.value
        return 100 * self.delta / before if before > 0 else math.nan

    @property
    def readings(self) -> int:
        """The fewer readings of the two exams, which say how exact the change is."""
        return min(self.before.readings, self.after.readings)

    @property
    def timepoints(self) -> Span:
        """Names of its two timepoints."""
        return self.before.timepoint, self.after.timepoint

    @property
    def span(self) -> str:
        """Its two timepoints, as groups are told apart by."""
        return " to ".join(self.timepoints)

    @property
    def operated_side(self) -> str:
        """The side of the surgery: ``left``, ``right``, ``both``, ``none``, or empty."""
        return self.column("operated_side")

    @property
    def approached(self) -> str:
        """``operated`` or ``contralateral``; empty in midline surgery and where it is unknown."""
        sides = ("left", "right")
        if self.side not in sides or self.operated_side not in sides:
            return ""
        return "operated" if self.side == self.operated_side else "contralateral"

    def column(self, name: str) -> str:
        """Return what another column says of the later exam, else of the earlier."""
        return self.after.extra.get(name, "") or self.before.extra.get(name, "")

    @property
    def zone(self) -> str:
        """One of :data:`ZONES`; empty where nothing was operated."""
        return zone_of(self.distance)


def zone_of(distance: int | None) -> str:
    """Name the zone so many levels from the nearest operated one; empty where there is none."""
    return "" if distance is None else ZONES[min(distance, len(ZONES) - 1)]


def timepoints_of(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the timepoints in order: by the cohort's ``order`` column, else by days or date.

    Raises
    ------
    StatisticsError
        If subjects disagree on the order, or nothing in the table orders several timepoints.
    """
    items = tuple(values)
    names = sorted({item.timepoint for item in items})
    if len(names) < 2:  # noqa: PLR2004 - one timepoint needs no order
        return tuple(names)
    for column in COLUMNS:
        found = places(items, column)
        if set(found) == set(names):
            return tuple(sorted(names, key=found.__getitem__))
    msg = f"Nothing in the table says in which order {', '.join(names)} were."
    raise StatisticsError(msg, remedy="Add an order column, or name the two timepoints.")


def make_pairs(
    values: Iterable[Value],
    before: str,
    after: str,
    *,
    choice: ReadingChoice = ReadingChoice(),  # noqa: B008 - frozen
    minimal_valid_fraction: float,
) -> tuple[ExamPair, ...]:
    """Pair every subject's values before and after.

    Parameters
    ----------
    values
        Of a study.
    before, after
        Names of the two timepoints.
    choice
        Whose value enters.
    minimal_valid_fraction
        Lean and fat areas are compared only where artefacts left so much in both exams.

    Returns
    -------
    tuple of Pair
        Also those that lack an exam or a value, with the problem.

    Raises
    ------
    StatisticsError
        If a timepoint is unknown, or it is not clear whose value to take.
    """
    items = tuple(values)
    if not choice.mix_protocols:
        check_protocols(items)
    known = {item.timepoint for item in items}
    for name in (before, after):
        if name not in known:
            raise unknown_timepoint(name, known)
    if before == after:
        msg = f"Both timepoints are {before!r}."
        raise StatisticsError(msg)
    operated = operated_levels(items, before, after)
    check_operated_sides(item for item in items if item.timepoint in {before, after})
    return tuple(
        _pair(key, exams, (before, after), choice, operated[key[0]], minimal_valid_fraction)
        for key, exams in by_muscle(items).items()
        if before in exams or after in exams
    )


def by_muscle(values: Iterable[Value]) -> dict[tuple[str, ...], dict[str, list[Value]]]:
    """Return values by what :data:`MUSCLE` says of them, sorted, then by timepoint."""
    groups: dict[tuple[str, ...], dict[str, list[Value]]] = {}
    for item in values:
        key = tuple(str(getattr(item, name)) for name in MUSCLE)
        groups.setdefault(key, {}).setdefault(item.timepoint, []).append(item)
    return dict(sorted(groups.items()))


def unknown_timepoint(name: str, known: Iterable[str]) -> StatisticsError:
    """Say that no exam is of a timepoint, and which there are."""
    names = sorted(known)
    near = [one for one in names if nearly(one) == nearly(name)]
    meant = f"Did you mean {near[0]!r}? " if near else ""
    msg = f"The table has no timepoint {name!r}."
    return StatisticsError(msg, remedy=f"{meant}It has: {', '.join(names)}.")


def operated_levels(items: Iterable[Value], before: str, after: str) -> dict[str, str]:
    """Return each subject's operated levels: as said of the later exam, else of the earlier.

    Raises
    ------
    StatisticsError
        If the rows of one exam disagree.
    """
    found = list(items)
    said = facts_of_exams(found, "operated_levels")
    return {
        subject: said.get((subject, after)) or said.get((subject, before)) or ""
        for subject in dict.fromkeys(item.subject for item in found)
    }


def _pair(  # noqa: PLR0917 - what one pair is made of
    key: tuple[str, ...],
    exams: Mapping[str, Sequence[Value]],
    names: tuple[str, str],
    choice: ReadingChoice,
    operated: str,
    least: float,
) -> ExamPair:
    first, second = (exam_value(name, exams.get(name, ()), choice) for name in names)
    subject, structure, level, side, quantity, method = key
    return ExamPair(
        subject, structure, level, side, quantity, method, first, second,
        distance=levels_away(level, operated),
        problem=_problem(quantity, exams, names, (first, second), least),
        notes=tuple(differences(first, second)),
        choice=choice.rule,
    )  # fmt: skip


def _problem(  # noqa: PLR0917 - what one pair is judged by
    quantity: str,
    exams: Mapping[str, Sequence[Value]],
    names: tuple[str, str],
    pair: tuple[ExamValue, ExamValue],
    least: float,
) -> str:
    missing = [name for name in names if name not in exams]
    if missing:
        return f"not measured at {', '.join(missing)}"
    unread = [item.timepoint for item in pair if not item.readings]
    late = [name for name in unread if not has_first_reading(exams[name])]
    if late:
        return f"no first reading at {', '.join(late)}"
    if unread:
        return f"not read at {', '.join(unread)} by whose value was asked for"
    undefined = [item for item in pair if not math.isfinite(item.value)]
    if undefined:
        why = sorted(set().union(*(item.flags for item in undefined)))
        at = ", ".join(item.timepoint for item in undefined)
        return f"undefined at {at}" + (f" ({', '.join(why)})" if why else "")
    if quantity in NEEDS_VALID and any(item.valid_fraction < least for item in pair):
        return f"artefacts left less than {least:g} of the muscle in one exam"
    return ""


_DISCS = ("T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
_DISCS_WITH_L6 = (*_DISCS[:-1], "L5-L6", "L6-S1")


def levels_away(level: str, operated: str) -> int | None:
    """Count levels from a disc or body to the nearest operated disc, along the subject's spine.

    A body is half way between its discs, so that both bodies at an operated disc are operated.
    """
    discs = [part.strip() for part in operated.replace(",", ";").split(";") if part.strip()]
    if not discs or not level:
        return None
    spine = _DISCS_WITH_L6 if any("L6" in name for name in (level, *discs)) else _DISCS
    places = {name: float(place) for place, name in enumerate(spine)}
    bodies = {name.split("-")[1]: place + 0.5 for name, place in places.items()}
    places |= bodies | {"T12": -0.5}
    try:
        return min(int(abs(places[level] - places[disc])) for disc in discs)
    except KeyError as error:
        msg = f"{error.args[0]!r} is no level of a spine of {', '.join(spine)}."
        raise StatisticsError(msg, remedy="Check the operated levels.") from None
