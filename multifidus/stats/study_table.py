"""A study's measurements as values, by the protocol that they were measured by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Structure
from multifidus.data.cells import near_names
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import StatisticsError
from multifidus.io.protocol_toml import digests_of, protocol_of_table
from multifidus.stats.compared_slices import Stacks, outlined
from multifidus.stats.mixed_protocols import protocol_of, refuse_mixed
from multifidus.stats.units import check_units, other_units
from multifidus.stats.values import Value
from multifidus.study.level_value import (
    SliceId,
    level_number,
    rule_in_words,
    slice_of,
    slices_taken,
)

SAMPLES = frozenset({Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT})
"""Outlines that lie where each reading puts them: their sizes are no measurements of anybody."""

KEYS = ("subject", "timepoint", "rater", "reading", "structure", "side", "level", "quantity",
        "method")  # fmt: skip
"""What identifies one value of a study."""

Key = tuple[str, ...]
"""Texts of :data:`KEYS`."""

_MUSCLE = KEYS.index("quantity")
"""So many of these identify a muscle of a reading: its slices are the same for all quantities."""


@dataclass(frozen=True, slots=True)
class StudyTable:
    """What a table holds.

    Parameters
    ----------
    values
        One a reading, level and side.
    protocol
        That of the table; the default where none is known and none is needed.
    remarks
        What does not enter, and what is not known.
    """

    values: tuple[Value, ...]
    protocol: MeasurementProtocol
    remarks: tuple[str, ...]


def study_table(
    rows: Sequence[Measurement],
    protocol_file: Path,
    named: str | Path | None = None,
    *,
    lines: Sequence[int] = (),
    mix_protocols: bool = False,
) -> StudyTable:
    """Put the rows of a table together.

    Parameters
    ----------
    rows
        What was measured.
    protocol_file
        Where the results folder of the table keeps its protocol.
    named
        Protocol to go by instead: a preset or a file.
    lines
        Where each row stands in its file.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    ReadError, ProtocolError
        If a protocol cannot be read, or the one beside the table is another.
    StatisticsError
        If levels have several slices, and nothing says which of them speak for a level; or as
        :func:`values_of`.
    """
    digests = {row.provenance.protocol for row in rows} - {""}
    found = protocol_of_table(digests, protocol_file, named)
    protocol = found or MeasurementProtocol()
    values = values_of(rows, protocol, lines=lines, mix_protocols=mix_protocols)
    remarks = list(left_out(rows))
    for name in ("subject", "timepoint", "rater"):
        remarks += near_names(name, {getattr(item, name) for item in values})
    remarks += other_units(values)
    by = f"protocol {', '.join(sorted(digests))}" if digests else "no protocol"
    if found is None:
        if any(item.slices > 1 for item in values):
            msg = f"The table names {by} that is known here, and levels have several slices."
            raise StatisticsError(msg, remedy="Name the protocol: --protocol FILE or PRESET.")
        remarks.append(
            f"The table names {by} that is known here: each level has one slice, which enters."
        )
    elif not digests_of(protocol).issuperset(digests):
        remarks.append(
            f"The table was measured by {by}; by the one named, {protocol.digest}, a level's "
            f"value is the {rule_in_words(protocol)}."
        )
    return StudyTable(values, protocol, tuple(remarks))


def values_of(
    rows: Sequence[Measurement],
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    lines: Sequence[int] = (),
    mix_protocols: bool = False,
) -> tuple[Value, ...]:
    """Put measurements together, one value a reading, level and side.

    Reference samples and artefacts are left out.

    Parameters
    ----------
    rows
        Measurements, or rows of a table of others.
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
        If two rows are of the same slice of the same reading, one muscle of a reading has outlines
        of several names or slices of several series, one quantity was measured by several
        protocols, a number cannot be one of its quantity, or percentages are fractions.
    """
    _check_unique(rows, lines or range(2, len(rows) + 2))
    has_levels = any(row.provenance.level for row in rows)
    groups: dict[Key, list[Measurement]] = {}
    muscles: dict[Key, list[Measurement]] = {}
    for row in rows:
        if row.key.structure not in SAMPLES and not (has_levels and _lacks_level(row)):
            key = _key(row)
            groups.setdefault(key, []).append(row)
            muscles.setdefault(key[:_MUSCLE], []).append(row)
    if not mix_protocols:
        refuse_mixed(protocol_of(row) for members in groups.values() for row in members)
    _check_names(groups)
    taken = {muscle: slices_taken(members, protocol) for muscle, members in muscles.items()}
    stacks = Stacks.of(rows)
    values = tuple(
        _value(key, members, taken[key[:_MUSCLE]], protocol=protocol, stacks=stacks)
        for key, members in groups.items()
    )
    check_units(values)
    return values


def _key(row: Measurement) -> Key:
    by, level = row.key.reading, row.provenance.level or ""
    words = (row.key.structure, row.key.side, level, row.quantity, row.method)
    return by.subject, by.timepoint, by.rater, str(by.reading), *map(str, words)


def _words(key: Key) -> str:
    named = zip(KEYS, key, strict=True)
    return ", ".join(f"{name} {value}" for name, value in named if value)


def _check_unique(rows: Iterable[Measurement], lines: Sequence[int]) -> None:
    """Refuse two numbers of the same slice of the same reading."""
    seen: dict[tuple[object, ...], int] = {}
    for line, row in zip(lines, rows, strict=True):
        origin = row.provenance
        full = (row.key, origin.level, origin.series, origin.slice_index, row.quantity, row.method)
        if full in seen:
            msg = f"Lines {seen[full]} and {line} are of the same {_words(_key(row))}."
            remedy = "Keep one of them; to average them would change the answer."
            raise StatisticsError(msg, remedy=remedy)
        seen[full] = line


def left_out(rows: Iterable[Measurement]) -> tuple[str, ...]:
    """Report what is left out of a table: slices without a level, where others have one.

    Slices of unknown and maybe of several levels are no one muscle. In a table that knows no
    levels at all they are: there is nothing else to go by.
    """
    items = list(rows)
    if not any(row.provenance.level for row in items):
        return ()
    lost = {
        (row.key.reading, row.key.slice_uid, row.provenance.series, row.provenance.slice_index)
        for row in items
        if _lacks_level(row)
    }
    return (f"{len(lost)} slices without a level do not enter.",) if lost else ()


def _lacks_level(row: Measurement) -> bool:
    origin = row.provenance
    is_of_slices = origin.series or row.key.slice_uid or origin.slice_index is not None
    return bool(is_of_slices) and not origin.level


def _value(
    key: Key,
    rows: Sequence[Measurement],
    taken: set[SliceId],
    *,
    protocol: MeasurementProtocol,
    stacks: Stacks,
) -> Value:
    named: dict[str, Any] = dict(zip(KEYS, key, strict=True))
    number = level_number(rows, taken, protocol)
    _check_series(key, rows, number.rows)
    places = {slice_of(row) for row in rows} - {None}
    flags = {str(flag) for row in number.rows or rows for flag in row.flags}
    if places and not places & taken:
        flags.add(str(Flag.NO_SLICE_SELECTED))
    origins = [row.provenance for row in number.rows]
    return Value(
        **named | {"reading": rows[0].key.reading.reading},
        value=number.value,
        slices=len(number.rows),
        rule=rule_in_words(protocol) if places else "",
        level_value=protocol.level_value,
        flags=frozenset(flags),
        tilt_deg=_mean([origin.tilt_deg for origin in origins]),
        valid_fraction=min((origin.valid_fraction for origin in origins), default=math.nan),
        uncertainty=number.uncertainty,
        extra=_extra((number.rows or rows)[0]),
        outlined=outlined(number.rows, stacks),
    )


def _extra(row: Measurement) -> Mapping[str, str]:
    """Return the study's own columns, and how a row was measured."""
    origin = row.provenance
    measured = {
        "slice_position": origin.slice_position,
        "tilt_axis": origin.tilt_axis,
        "roi_rule": origin.roi_rule,
        "source": origin.source,
        "protocol": origin.protocol,
        "version": origin.version,
    }
    known = {name: str(word) for name, word in measured.items() if word}
    return FrozenDict({**known, **row.extra})


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _check_names(groups: Mapping[Key, Sequence[Measurement]]) -> None:
    """Refuse parts of a muscle under names of their own: they have no one value."""
    for key, rows in groups.items():
        names = sorted({row.key.name for row in rows})
        if len(names) > 1:
            msg = f"Outlines of the same {_words(key)} have several names: {names}."
            raise StatisticsError(
                msg, remedy="Keep the rows of one of them, or measure them as one."
            )


SAME_PLACE_MM = 0.5
"""Slices of two series so near to each other show one place: it is chance which of them enters."""


def _check_series(key: Key, rows: Iterable[Measurement], chosen: Sequence[Measurement]) -> None:
    """Refuse a value of several series: two scans of a muscle are two numbers of it."""
    series = {row.provenance.series for row in (*chosen, *_beside(rows, chosen))} - {""}
    if len(series) > 1:
        names = ", ".join(map(_short, sorted(series)))
        msg = f"Slices of the same {_words(key)} are of {len(series)} series: {names}."
        remedy = (
            "Keep the rows of one series of each exam, or choose it where you measure; numbers of "
            "the other go into a table of their own."
        )
        if not key[KEYS.index("level")]:
            remedy += " Where each series shows a level of its own, give the levels."
        raise StatisticsError(msg, remedy=remedy)


def _beside(rows: Iterable[Measurement], chosen: Sequence[Measurement]) -> Iterator[Measurement]:
    """Yield rows of slices that lie where a chosen one lies."""
    places = [row.provenance.offset_mm for row in chosen]
    for row in rows:
        own = row.provenance.offset_mm
        if not row.is_not_measurable and any(abs(own - at) < SAME_PLACE_MM for at in places):
            yield row


MOST_OF_SERIES = 16
"""So many last letters of a series' UID are printed: its beginning names the scanner's maker."""


def _short(series: str) -> str:
    return series if len(series) <= MOST_OF_SERIES else f"...{series[-MOST_OF_SERIES:]}"
