"""Values of a study: one number a reading, from the rows of a tidy table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from multifidus.anatomy import Structure
from multifidus.errors import StatisticsError
from multifidus.flag import Flag

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

LEAST_FOR_UNIT = 5
"""So many percentages are needed to tell that they are fractions."""


@dataclass(frozen=True, slots=True)
class Value:
    """One reading's number about one muscle at one level of one exam.

    Parameters
    ----------
    value
        Mean over the level's slices; NaN where a slice's value is, and where slices have
        different grades.
    slices
        How many there were.
    flags
        Of any of them.
    tilt_deg, valid_fraction
        Mean tilt and least valid fraction of the slices; NaN where the table does not say.
    extra
        Other columns of the table, of the first slice.
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
    extra: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def is_grade(quantity: str) -> bool:
    """Whether a quantity is a grade."""
    return quantity.endswith(GRADE)


def values_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Value, ...]:
    """Put the rows of a tidy table together, one value a reading, level and side.

    Reference samples and artefacts are left out.

    Parameters
    ----------
    rows
        Plain rows as in ``measurements.csv``; only subject, quantity and value have to be there.

    Raises
    ------
    StatisticsError
        If a column is missing, a value is no number, two rows are of the same slice of the same
        reading, one quantity was measured by several protocols, or percentages are fractions.
    """
    groups: dict[tuple[str, ...], list[Mapping[str, Any]]] = {}
    seen: dict[tuple[str, ...], int] = {}
    rows = list(rows)
    sliced = without_level(rows)
    for line, row in enumerate(rows, 2):
        missing = [name for name in REQUIRED if name not in row]
        if missing:
            msg = f"The table lacks the columns {', '.join(missing)}."
            raise StatisticsError(msg, remedy="Give a measurements.csv.")
        key = tuple(_text(row, name) for name in KEYS)
        whole = (*key, *(_text(row, name) for name in SLICE_KEYS))
        if whole in seen:
            msg = f"Lines {seen[whole]} and {line} are of the same {_words(key)}."
            remedy = "Keep one of them; to average them would change the answer."
            raise StatisticsError(msg, remedy=remedy)
        seen[whole] = line
        if (sliced and _is_lost(row)) or _text(row, "structure") in SAMPLES:
            continue
        groups.setdefault(key, []).append(row)
    values = tuple(_value(key, members) for key, members in groups.items())
    _check_protocols(groups)
    _check_percentages(values)
    return values


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


def of_quantities(values: Iterable[Value], wanted: Sequence[str]) -> tuple[Value, ...]:
    """Return the values of some quantities; of all where none is named.

    Raises
    ------
    StatisticsError
        If the table has none of one of them.
    """
    items = tuple(values)
    known = {item.quantity for item in items}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        msg = f"The table has no quantity {', '.join(map(repr, unknown))}."
        raise StatisticsError(msg, remedy=f"It has: {', '.join(sorted(known))}.")
    return tuple(item for item in items if not wanted or item.quantity in wanted)


def protocols_of(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the digests of the protocols by which values were measured, where they are said."""
    return tuple(sorted({item.extra.get("protocol", "").strip() for item in values} - {""}))


def _is_lost(row: Mapping[str, Any]) -> bool:
    return not _text(row, "level") and any(_text(row, name) for name in SLICE_KEYS[:-1])


def _text(row: Mapping[str, Any], name: str) -> str:
    # A number 0 is a value.
    found = row.get(name)
    return "" if found is None else str(found).strip()


def _words(key: Sequence[str]) -> str:
    named = zip(KEYS, key, strict=True)
    return ", ".join(f"{name} {value}" for name, value in named if value)


def _number(row: Mapping[str, Any], name: str) -> float:
    try:
        return float(_text(row, name) or "nan")
    except ValueError:
        msg = f"{name} is {row[name]!r}, which is no number."
        raise StatisticsError(msg) from None


def _value(key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> Value:
    named = dict(zip(KEYS, key, strict=True))
    count = named.pop("reading") or "1"
    if not count.isdigit():
        msg = f"reading is {count!r}; readings count 1, 2, ..."
        raise StatisticsError(msg)
    # A level that a rater gave up on some slices and outlined on others has a value.
    rows = [row for row in rows if not _was_given_up(row)] or list(rows)
    numbers = [_number(row, "value") for row in rows]
    flags = (flag for row in rows for flag in _text(row, "flags").split(";"))
    tilts = [_number(row, "tilt_deg") for row in rows]
    own = {*KEYS, *SLICE_KEYS, "value", "flags", "tilt_deg", "valid_fraction"}
    return Value(
        **named,
        reading=int(count),
        value=_over_slices(named["quantity"], numbers),
        slices=len(rows),
        flags=frozenset(flag for flag in flags if flag),
        tilt_deg=math.fsum(tilts) / len(tilts),
        valid_fraction=min(_number(row, "valid_fraction") for row in rows),
        extra=MappingProxyType({k: str(v) for k, v in rows[0].items() if k not in own}),
    )


def _was_given_up(row: Mapping[str, Any]) -> bool:
    return Flag.NOT_MEASURABLE in _text(row, "flags").split(";")


def _over_slices(quantity: str, numbers: Sequence[float]) -> float:
    if is_grade(quantity) and len(set(numbers)) > 1:
        return math.nan
    return math.fsum(numbers) / len(numbers)


def _check_protocols(groups: Mapping[tuple[str, ...], Sequence[Mapping[str, Any]]]) -> None:
    """Refuse numbers of one name that were made in different ways."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for key, rows in groups.items():
        quantity, method = key[KEYS.index("quantity")], key[KEYS.index("method")]
        for name in ("protocol", "unit"):
            said = {_text(row, name) for row in rows} - {""}
            found.setdefault((name, quantity, method), set()).update(said)
    for (name, quantity, _), said in found.items():
        if len(said) > 1:
            msg = f"{quantity} stands in the table by several values of {name}: {sorted(said)}."
            raise StatisticsError(msg, remedy="Measure all exams again by one protocol.")


def _check_percentages(values: Sequence[Value]) -> None:
    by_quantity: dict[str, list[float]] = {}
    for item in values:
        if item.quantity.endswith("_pct") and math.isfinite(item.value):
            by_quantity.setdefault(item.quantity, []).append(abs(item.value))
    for quantity, numbers in by_quantity.items():
        if len(numbers) >= LEAST_FOR_UNIT and 0 < max(numbers) <= 1:
            msg = f"All {len(numbers)} values of {quantity} lie between 0 and 1."
            raise StatisticsError(msg, remedy="Percentages are 0 to 100; multiply them by 100.")
