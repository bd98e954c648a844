"""Values of a study: one number a reading, from the rows of a tidy table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from multifidus.data.anatomy import Structure
from multifidus.data.cells import is_missing
from multifidus.data.columns import KNOWN
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import LevelValue, MeasurementProtocol
from multifidus.errors import StatisticsError
from multifidus.stats.compared_slices import Outlined, Stacks, number_in, outlined
from multifidus.stats.mixed_protocols import Said, refuse_mixed, said_of
from multifidus.stats.units import check_units
from multifidus.study.level_value import (
    chosen_slices,
    level_uncertainty,
    level_value,
    rule_in_words,
)

REQUIRED = ("subject", "quantity", "value")

KEYS = ("subject", "timepoint", "rater", "reading", "structure", "side", "level", "quantity",
        "method")  # fmt: skip
"""What tells one value of a study from every other."""

SLICE_KEYS = ("series", "slice_uid", "slice_index", "name")
"""What tells the slices of one value apart."""

SAMPLES = frozenset({Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT})
"""Outlines that lie where each reading puts them: their sizes are no measurements of anybody."""

GRADE = "_grade"
"""Quantities that end so are grades: an order without distances, so that they have no mean."""


@dataclass(frozen=True, slots=True)
class Value:
    """One reading's number about one muscle at one level of one exam.

    Parameters
    ----------
    value
        Of the slices that the protocol takes: their mean or the largest; NaN where there is none,
        where one of theirs is, and where they have different grades.
    slices
        How many these are.
    rule
        Which they are, and what is made of them, in words.
    flags
        Of any of them.
    tilt_deg, valid_fraction
        Mean tilt and least valid fraction of them; NaN where the table does not say.
    uncertainty
        Standard uncertainty of the value; NaN where the table does not say.
    extra
        Other columns of the table, of the first of them.
    outlined
        Which slices these are, and the number of each; empty where the table does not say, and
        where the value is of no slice.
    level_value
        What is made of them: their mean or the largest.
    """

    subject: str
    timepoint: str
    rater: str
    reading: int
    structure: str
    side: str
    level: str
    quantity: str
    method: str
    value: float
    slices: int = 1
    flags: frozenset[str] = frozenset()
    tilt_deg: float = math.nan
    valid_fraction: float = math.nan
    uncertainty: float = math.nan
    rule: str = ""
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    outlined: tuple[Outlined, ...] = ()
    level_value: LevelValue = LevelValue.MEAN


def is_grade(quantity: str) -> bool:
    """Whether a quantity is a grade."""
    return quantity.endswith(GRADE)


def values_of(
    rows: Iterable[Mapping[str, Any]],
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    lines: Sequence[int] = (),
    mix_protocols: bool = False,
) -> tuple[Value, ...]:
    """Put the rows of a tidy table together, one value a reading, level and side.

    Reference samples and artefacts are left out.

    Parameters
    ----------
    rows
        Plain rows as in ``measurements.csv``; only subject, quantity and value have to be there.
    protocol
        Says which of a level's slices enter, and whether by their mean or the largest value, as
        in ``summary.csv``.
    lines
        Where each row stands in its file; as if they began in the second line if empty.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    StatisticsError
        If a column is missing, a value is no number, two rows are of the same slice of the same
        reading, one muscle of a reading has outlines of several names or slices of several series,
        one quantity was measured by several protocols, a number cannot be one of its quantity, or
        percentages are fractions.
    """
    groups: dict[tuple[str, ...], list[Row]] = {}
    seen: dict[tuple[str, ...], int] = {}
    rows = list(rows)
    sliced = without_level(rows)
    for line, row in zip(lines or range(2, len(rows) + 2), rows, strict=True):
        if all(map(is_missing, row.values())):
            continue
        missing = [name for name in REQUIRED if name not in row]
        if missing:
            msg = f"The table lacks the columns {', '.join(missing)}."
            raise StatisticsError(msg, remedy="Give a measurements.csv.")
        key = tuple(_text(row, name) for name in KEYS)
        full = (*key, *(_text(row, name) for name in SLICE_KEYS))
        if full in seen:
            msg = f"Lines {seen[full]} and {line} are of the same {_words(key)}."
            remedy = "Keep one of them; to average them would change the answer."
            raise StatisticsError(msg, remedy=remedy)
        seen[full] = line
        if (sliced and _is_lost(row)) or _text(row, "structure") in SAMPLES:
            continue
        groups.setdefault(key, []).append(row)
    if not mix_protocols:
        refuse_mixed(_said(row, "protocol") for members in groups.values() for row in members)
    _check_units_said(groups)
    _check_names(groups)
    taken = _taken(groups, protocol)
    stacks = Stacks.of(rows)
    values = tuple(
        replace(_value(key, members, taken[_whose(key)], protocol), outlined=found)
        for key, members in groups.items()
        for found in (outlined(_entering(members, taken[_whose(key)]), stacks),)
    )
    check_units(values)
    return values


Row = Mapping[str, Any]
Slice = tuple[str, ...]
"""Series, UID and place of a slice, as the table says them."""

_WHOSE = KEYS[: KEYS.index("quantity")]
"""What a reading says of one muscle: slices are taken for all its quantities alike."""


def _whose(key: tuple[str, ...]) -> tuple[str, ...]:
    return key[: len(_WHOSE)]


def _slice(row: Row) -> Slice:
    """Say which slice a row is of; all empty where it is of no one slice."""
    if _text(row, "quantity") == Quantity.VOLUME_ML:
        return ("",) * len(_OF_A_SLICE)
    return tuple(_text(row, name) for name in _OF_A_SLICE)


_OF_A_SLICE = SLICE_KEYS[:-1]


def _taken(
    groups: Mapping[tuple[str, ...], Sequence[Row]], protocol: MeasurementProtocol
) -> dict[tuple[str, ...], set[Slice]]:
    """Choose the slices of each muscle of a reading."""
    offsets: dict[tuple[str, ...], dict[Slice, float]] = {}
    for key, members in groups.items():
        found = offsets.setdefault(_whose(key), {})
        found |= {_slice(row): number_in(row, "offset_mm") for row in members if any(_slice(row))}
    level = _WHOSE.index("level")
    return {
        whose: chosen_slices(found, protocol, has_level=bool(whose[level]))
        for whose, found in offsets.items()
    }


def without_level(rows: Iterable[Mapping[str, Any]]) -> int:
    """Count slices that do not enter, because they have no level and others have one.

    Slices of unknown and maybe of several levels are no one muscle. In a table that knows no
    levels at all they are: there is nothing else to go by.
    """
    items = list(rows)
    if not any(_text(row, "level") for row in items):
        return 0
    lost = (row for row in items if _is_lost(row))
    names = ("subject", "timepoint", "rater", "reading", "series", "slice_uid", "slice_index")
    return len({tuple(_text(row, name) for name in names) for row in lost})


def left_out(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Say what of a table does not enter."""
    count = without_level(rows)
    return (f"{count} slices without a level do not enter.",) if count else ()


def of_quantities(
    values: Iterable[Value], wanted: Sequence[str], structures: Sequence[str] = ()
) -> tuple[Value, ...]:
    """Return the values of some quantities and structures; of all where none is named.

    Raises
    ------
    StatisticsError
        If the table has none of one of them.
    """
    items = tuple(values)
    for name, asked in (("structure", structures), ("quantity", wanted)):
        known = {getattr(item, name) for item in items}
        unknown = [one for one in asked if one not in known]
        if unknown:
            msg = f"The table has no {name} {', '.join(map(repr, unknown))}."
            raise StatisticsError(msg, remedy=f"It has: {', '.join(sorted(known))}.")
        items = tuple(item for item in items if not asked or getattr(item, name) in asked)
    return items


def protocols_of(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the digests of the protocols by which values were measured, where they are said."""
    return tuple(sorted({said_of(item, "protocol")[2] for item in values} - {""}))


def _is_lost(row: Mapping[str, Any]) -> bool:
    return not _text(row, "level") and any(_text(row, name) for name in _OF_A_SLICE)


_NAMES = frozenset({"subject", "timepoint", "rater", "name"})
"""Columns in which NA may be somebody's initials."""

_COUNTS = frozenset({"reading", "slice_index"})


def _text(row: Row, name: str) -> str:
    # A number 0 is a value.
    found = row.get(name)
    if is_missing(found) and (name not in _NAMES or not isinstance(found, str)):
        return ""
    text = str(found).strip()
    if name in _COUNTS and text.endswith(".0"):  # as where a spreadsheet or pandas made it a float
        return text.removesuffix(".0")
    return text


def _words(key: Sequence[str]) -> str:
    named = zip(KEYS, key, strict=True)
    return ", ".join(f"{name} {value}" for name, value in named if value)


def _value(
    key: tuple[str, ...], rows: Sequence[Row], taken: set[Slice], protocol: MeasurementProtocol
) -> Value:
    named: dict[str, Any] = dict(zip(KEYS, key, strict=True))
    count = named.pop("reading") or "1"
    if not (count.isdecimal() and int(count)):
        msg = f"reading is {count!r}; readings count 1, 2, ..."
        raise StatisticsError(msg)
    chosen = _entering(rows, taken)
    _check_series(key, rows, chosen)
    of_slices = any(any(_slice(row)) for row in rows)
    selected = any(_slice(row) in taken for row in rows)
    flags = {flag for row in chosen or rows for flag in _text(row, "flags").split(";")} - {""}
    if of_slices and not selected:
        flags.add(Flag.NO_SLICE_SELECTED)
    numbers = [number_in(row, "value") for row in chosen]
    own = {*KEYS, *SLICE_KEYS, "value", "flags", "tilt_deg", "valid_fraction", "uncertainty"}
    return Value(
        **named,
        reading=int(count),
        value=level_value(numbers, protocol, is_grade=is_grade(named["quantity"])),
        slices=len(chosen),
        rule=rule_in_words(protocol) if of_slices else "",
        level_value=protocol.level_value,
        flags=frozenset(map(str, flags)),
        tilt_deg=_mean(chosen, "tilt_deg"),
        valid_fraction=min((number_in(row, "valid_fraction") for row in chosen), default=math.nan),
        uncertainty=level_uncertainty(numbers, [_uncertainty(row) for row in chosen], protocol),
        extra=MappingProxyType(
            {k: _other(k, v) for k, v in (chosen or rows)[0].items() if k not in own}
        ),
    )


def _other(name: str, cell: object) -> str:
    """Return a cell of another column as text; NA is nothing in columns that are understood."""
    says_nothing = is_missing(cell) and (name in KNOWN or not isinstance(cell, str))
    return "" if says_nothing else str(cell)


def _entering(rows: Sequence[Row], taken: set[Slice]) -> list[Row]:
    """Return the rows of one value that make it: of no one slice, or of one that is taken."""
    whole = [row for row in rows if not any(_slice(row))]
    chosen = whole + [row for row in rows if _slice(row) in taken]
    # A level that a rater gave up on some slices and outlined on others has a value.
    return [row for row in chosen if not _was_given_up(row)] or chosen


def _was_given_up(row: Row) -> bool:
    return Flag.NOT_MEASURABLE in _text(row, "flags").split(";")


def _uncertainty(row: Row) -> float:
    """Return what is stated of a number; what somebody else wrote there states nothing."""
    try:
        return number_in(row, "uncertainty")
    except StatisticsError:
        return math.nan


def _mean(rows: Sequence[Row], name: str) -> float:
    return math.fsum(number_in(row, name) for row in rows) / len(rows) if rows else math.nan


def _check_names(groups: Mapping[tuple[str, ...], Sequence[Row]]) -> None:
    """Refuse parts of a muscle under names of their own: they have no one value."""
    for key, rows in groups.items():
        names = sorted({_text(row, "name") for row in rows})
        if len(names) > 1:
            msg = f"Outlines of the same {_words(key)} have several names: {names}."
            raise StatisticsError(
                msg, remedy="Keep the rows of one of them, or measure them as one."
            )


SAME_PLACE_MM = 0.5
"""Slices of two series so near to each other show one place: it is chance which of them enters."""


def _check_series(key: tuple[str, ...], rows: Sequence[Row], chosen: Sequence[Row]) -> None:
    """Refuse a value of several series: two scans of a muscle are two numbers of it."""
    places = [number_in(row, "offset_mm") for row in chosen]
    beside = (
        row
        for row in rows
        if not _was_given_up(row)
        and any(abs(number_in(row, "offset_mm") - place) < SAME_PLACE_MM for place in places)
    )
    found = sorted({_text(row, "series") for row in (*chosen, *beside)} - {""})
    if len(found) > 1:
        names = ", ".join(map(_short, found))
        msg = f"Slices of the same {_words(key)} are of {len(found)} series: {names}."
        remedy = (
            "Keep the rows of one series of each exam, or choose it where you measure; numbers of "
            "the other go into a table of their own."
        )
        if not key[KEYS.index("level")]:
            remedy += " Where each series shows a level of its own, give the levels."
        raise StatisticsError(msg, remedy=remedy)


MOST_OF_SERIES = 16
"""So many last letters of a series' UID are said: its beginning names the scanner's maker."""


def _short(series: str) -> str:
    return series if len(series) <= MOST_OF_SERIES else f"...{series[-MOST_OF_SERIES:]}"


def _check_units_said(groups: Mapping[tuple[str, ...], Sequence[Row]]) -> None:
    """Refuse numbers of one name in several units."""
    found: dict[tuple[str, str], set[str]] = {}
    for key, rows in groups.items():
        what = (key[KEYS.index("quantity")], key[KEYS.index("method")])
        found.setdefault(what, set()).update({_text(row, "unit") for row in rows} - {""})
    for (quantity, _), said in found.items():
        if len(said) > 1:
            msg = f"{quantity} stands in the table by several values of unit: {sorted(said)}."
            raise StatisticsError(msg, remedy="Measure all exams again by one protocol.")


def _said(row: Row, name: str) -> Said:
    """Return what a row says of how it was made, and which exam it is of."""
    quantity = " by ".join(filter(None, (_text(row, "quantity"), _text(row, "method"))))
    exam = " ".join(filter(None, (_text(row, one) for one in ("subject", "timepoint", "rater"))))
    return quantity, exam, _text(row, name)
