"""The wide table: one row a reading x level x structure x side, made of the rows of its slices."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Level, Structure
from multifidus.data.columns import (
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
    UNCERTAINTY,
    check_extra,
    summary_column,
)
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, is_grade
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.table_csv import Row, write_rows
from multifidus.study.level_value import (
    OF_MANY_SLICES,
    LevelNumber,
    SliceId,
    level_number,
    selection_name,
    slice_of,
    slices_taken,
)

_NOT_SUMMARISED = {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT}

_NUMBER = re.compile(r"-?\d+(\.\d+)?")


def summary_rows(
    rows: Iterable[Measurement],
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> list[Row]:
    """Make the wide table: one row a reading x level x structure x side.

    Which of the level's slices enter, and whether by their mean or their largest value, is the
    protocol's choice; their number and places are given. A value that one slice leaves undefined
    is NaN, and so is a level without a slice that can be selected. Slices without a level stand
    alone, one row each, and so do outlines with a name of their own; a volume that was refused over
    slices of several levels is left to the tidy table. Rows follow the timepoints' order
    in the cohort, and the spine from cranial to caudal.
    """
    groups: dict[tuple[Any, ...], list[Measurement]] = {}
    names: set[str] = set()
    for row in rows:
        names.update(row.extra)
        key, origin = row.key, row.provenance
        refused = row.quantity in OF_MANY_SLICES and math.isnan(row.value)
        if key.structure in _NOT_SUMMARISED or (refused and not origin.level):
            continue
        alone = () if origin.level else (origin.series, origin.slice_index)
        group = (key.reading, origin.level, key.structure, key.side, key.name, alone)
        groups.setdefault(group, []).append(row)
    check_extra(names)
    return sorted((_summary(members, protocol) for members in groups.values()), key=reading_order)


def exam_place(subject: str, timepoint: str, order: object) -> tuple[str, float, str]:
    """Return the place of an exam among others: subjects by name, timepoints by the cohort."""
    number = str(order).strip()
    return subject, float(number) if _NUMBER.fullmatch(number) else math.inf, timepoint


def reading_order(row: Row) -> tuple[Any, ...]:
    """Return the place of a row in the wide table, as people read it."""
    return (
        *exam_place(row["subject"], row["timepoint"], row.get("order", "")),
        row["rater"],
        row["reading"],
        Level(row["level"]).rank if row["level"] else -1,
        0 if row["level"] else int(row["slice_indices"]),
        list(Structure).index(Structure(row["structure"])),
        row["side"],
        row["name"],
    )


def _summary(members: Sequence[Measurement], protocol: MeasurementProtocol) -> Row:
    first = members[0]
    key, by = first.key, first.key.reading
    taken = slices_taken(members, protocol)
    numbers = {
        column: level_number(rows, taken, protocol)
        for column, rows in sorted(_by_column(members).items())
    }
    # A volume over several levels stands on the first of its slices.
    places = sorted(taken or _first_slices(members))
    reading = (by.subject, by.timepoint, by.rater, by.reading)
    muscle = (first.provenance.level or "", key.structure, key.side)
    return {
        **dict(zip(SUMMARY_KEYS, (*reading, *muscle), strict=True)),
        "n_slices": len(places),
        "slice_indices": ";".join(str(index) for _, index, _ in places),
        "slice_selection": selection_name(protocol),
        "level_value": protocol.level_value.value,
        "tilt_deg": _mean_tilt(members, places),
        **{name: number.value for name, number in numbers.items()},
        **{f"{name}{UNCERTAINTY}": n.uncertainty for name, n in numbers.items() if _is_stated(n)},
        "flags": ";".join(sorted(_flags(members, taken, numbers))),
        "name": key.name,
        **first.extra,
    }


def _by_column(rows: Iterable[Measurement]) -> dict[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for row in rows:
        found.setdefault(summary_column(row.quantity, row.method), []).append(row)
    return found


def _first_slices(members: Iterable[Measurement]) -> set[SliceId]:
    """Return where volumes stand that are of no level; a level's volume is of other slices too."""
    return {
        (row.provenance.series, row.provenance.slice_index, row.key.slice_uid)
        for row in members
        if row.provenance.level is None and row.provenance.slice_index is not None
    }


def _mean_tilt(members: Iterable[Measurement], places: Sequence[SliceId]) -> float:
    tilts = {
        (row.provenance.series, row.provenance.slice_index): row.provenance.tilt_deg
        for row in members
    }
    found = [tilts[series, index] for series, index, _ in places]
    return math.fsum(found) / len(found) if found else math.nan


def _is_stated(number: LevelNumber) -> bool:
    return not all(math.isnan(row.uncertainty) for row in number.rows)


def _flags(
    members: Sequence[Measurement], taken: set[SliceId], numbers: Mapping[str, LevelNumber]
) -> set[str]:
    """Return the flags of the rows that enter, and those of the level itself."""
    chosen = [row for row in members if (place := slice_of(row)) is None or place in taken]
    flags = {str(flag) for row in chosen for flag in row.flags}
    grades = (number for column, number in numbers.items() if is_grade(column))
    if any(len({row.value for row in grade.rows}) > 1 for grade in grades):
        flags.add(Flag.GRADES_DIFFER)
    if len({series for series, _, _ in taken}) > 1:
        flags.add(Flag.SERIES_MIXED)
    if not taken and any(slice_of(row) for row in members):
        flags.add(Flag.NO_SLICE_SELECTED)
    return flags


def write_summary(
    rows: Iterable[Measurement],
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    overwrite: bool = False,
) -> None:
    """Write the wide table of measurements."""
    write_summary_rows(summary_rows(rows, protocol), path, overwrite=overwrite)


def write_summary_rows(
    rows: Iterable[Row], path: Path, *, overwrite: bool = False
) -> tuple[str, ...]:
    """Write rows of the wide table, which are gone through twice, and return its columns."""
    return write_rows(rows, path, (*SUMMARY_KEYS, *SUMMARY_COLUMNS), overwrite=overwrite)
