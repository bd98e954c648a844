"""The wide table: one row a reading x level x structure x side, made of the rows of its slices."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Level, Structure
from multifidus.data.columns import (
    COLUMNS,
    SUMMARY_COLUMNS,
    SUMMARY_KEYS,
    UNCERTAINTY,
    check_extra,
    summary_column,
)
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.table_csv import write_rows
from multifidus.study.level_value import (
    chosen_slices,
    level_uncertainty,
    level_value,
    selection_name,
)

_NOT_SUMMARISED = {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT}

_OF_MANY_SLICES = {Quantity.VOLUME_ML}
"""Said of a run of slices, so that no slice is selected for them."""

_NUMBER = re.compile(r"-?\d+(\.\d+)?")

Row = dict[str, Any]


def summary_rows(
    rows: Iterable[Row],
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> list[Row]:
    """Make the wide table: one row a reading x level x structure x side.

    Which of the level's slices enter, and whether by their mean or their largest value, is the
    protocol's choice; their number and places are given. A value that one slice leaves undefined
    is NaN, and so is a level without a slice that can be selected. Slices without a level stand
    alone, one row each, and so do outlines told apart by a name; a volume that was refused over
    slices of several levels is left to the tidy table. Rows follow the timepoints' order
    in the cohort, and the spine from cranial to caudal.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    whose = itemgetter(*SUMMARY_KEYS)
    rows = list(rows)
    check_extra({name for row in rows for name in row} - {*COLUMNS})
    for row in rows:
        refused = row["quantity"] in _OF_MANY_SLICES and math.isnan(row["value"])
        if row["structure"] in _NOT_SUMMARISED or (refused and not row["level"]):
            continue
        alone = () if row["level"] else (row["series"], row["slice_index"])
        key = whose(row)
        groups.setdefault((key, alone, row["name"]), []).append(row)
    found = [_summary(key, members, protocol) for (key, *_), members in groups.items()]
    return sorted(found, key=_reading_order)


def _reading_order(row: Row) -> tuple[Any, ...]:
    """Sort the wide table as people read it."""
    order = str(row.get("order", "")).strip()
    return (
        row["subject"],
        float(order) if _NUMBER.fullmatch(order) else math.inf,
        row["timepoint"],
        row["rater"],
        row["reading"],
        Level(row["level"]).rank if row["level"] else -1,
        0 if row["level"] else int(row["slice_indices"]),
        list(Structure).index(Structure(row["structure"])),
        row["side"],
        row["name"],
    )


def _summary(key: tuple[Any, ...], members: Sequence[Row], protocol: MeasurementProtocol) -> Row:
    places = _selected(members, protocol)
    values: dict[str, list[float]] = {}
    chosen, counted = [], []
    for row in members:
        found = values.setdefault(summary_column(row["quantity"], row["method"]), [])
        whole = row["slice_index"] is None or row["quantity"] in _OF_MANY_SLICES
        if whole or _place(row) in places:
            chosen.append(row)
            # Of a muscle outlined on other slices of its level there is a value.
            if not (places and row["flags"] and Flag.NOT_MEASURABLE in row["flags"].split(";")):
                found.append(row["value"])
                counted.append(row)
    tilts = {_place(row): row["tilt_deg"] for row in chosen}
    flags = {flag for row in chosen for flag in row["flags"].split(";") if flag}
    flags |= {
        Flag.GRADES_DIFFER
        for name, found in values.items()
        if name.endswith("_grade") and len(set(found)) > 1
    }
    if len({series for series, _ in places}) > 1:
        flags.add(Flag.SERIES_MIXED)
    if not places and any(row["slice_index"] is not None for row in members):
        flags.add(Flag.NO_SLICE_SELECTED)
    known = (*COLUMNS,)
    uncertain = _uncertainties(counted, protocol)
    return {
        **dict(zip(SUMMARY_KEYS, key, strict=True)),
        "n_slices": len(places),
        "slice_indices": ";".join(str(index) for _, index in sorted(places)),
        "slice_selection": selection_name(protocol),
        "level_value": protocol.level_value.value,
        "tilt_deg": _mean([tilts[place] for place in sorted(places)]),
        **{
            name: level_value(found, protocol, is_grade=name.endswith("_grade"))
            for name, found in sorted(values.items())
        },
        **{f"{name}{UNCERTAINTY}": uncertain[name] for name in sorted(uncertain)},
        "flags": ";".join(sorted(flags)),
        "name": members[0]["name"],
        **{name: value for name, value in members[0].items() if name not in known},
    }


def _uncertainties(chosen: Sequence[Row], protocol: MeasurementProtocol) -> dict[str, float]:
    """Combine the uncertainties of a level's slices, by column."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in chosen:
        column = summary_column(row["quantity"], row["method"])
        found.setdefault(column, []).append((row["value"], row["uncertainty"]))
    stated = {
        name: pairs for name, pairs in found.items() if not all(math.isnan(u) for _, u in pairs)
    }
    return {
        name: level_uncertainty([v for v, _ in pairs], [u for _, u in pairs], protocol)
        for name, pairs in stated.items()
    }


def _place(row: Row) -> tuple[Any, ...]:
    return row["series"], row["slice_index"]


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else math.nan


def _selected(members: Sequence[Row], protocol: MeasurementProtocol) -> set[tuple[Any, ...]]:
    """Return the slices of one level that the protocol's summary takes, by series and index."""
    apart = {_place(row): row["offset_mm"] for row in members if row["slice_index"] is not None}
    return chosen_slices(apart, protocol, has_level=bool(members[0]["level"]))


def write_summary(
    rows: Iterable[Row],
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
    *,
    overwrite: bool = False,
) -> None:
    """Write the wide table of tidy rows."""
    columns = (*SUMMARY_KEYS, *SUMMARY_COLUMNS)
    write_rows(summary_rows(rows, protocol), path, columns, overwrite=overwrite)
