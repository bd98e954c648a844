"""Which slices a value is of, whether two are the same, and how far apart they lie."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multifidus.data.cells import number
from multifidus.data.measurement import Quantity
from multifidus.errors import StatisticsError

Row = Mapping[str, Any]

Run = tuple[frozenset[int], float, int]
"""Slices of one stack by their places in the series, their step in mm, and a number of its own."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """One slice of a value.

    Parameters
    ----------
    series, slice_uid, slice_index
        As the table names it.
    image
        Hash of its pixels and plane; empty where the table has none.
    value
        The number on it; NaN where a value is of several slices as a whole.
    offset_mm
        From the landmark of its level; NaN where none is known.
    stack, along_mm
        Which run of evenly spaced slices it is in, and where along it; empty and NaN where the
        table does not say.
    """

    series: str
    slice_uid: str
    slice_index: str
    image: str = ""
    value: float = math.nan
    offset_mm: float = math.nan
    stack: str = ""
    along_mm: float = math.nan

    def is_same(self, other: Outlined) -> bool:
        """Whether both are one slice: one image, or one name where no image is recorded."""
        if self.image and other.image:
            return self.image == other.image
        return (self.series, self.slice_uid, self.slice_index) == (
            other.series, other.slice_uid, other.slice_index,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stacks:
    """Runs of evenly spaced slices that a table tells of, by exam and series: those of volumes."""

    runs: Mapping[tuple[str, ...], tuple[Run, ...]]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Stacks:
        """Gather the runs; those that overlap and have one step are of one stack."""
        found: dict[tuple[str, ...], list[Run]] = {}
        for row in rows:
            used = _volume(row)
            step, places = used.get("slice_step_mm"), used.get("slice_indices")
            if isinstance(step, (int, float)) and isinstance(places, list) and places:
                runs = found.setdefault(_exam(row), [])
                _add(runs, frozenset(map(int, places)), float(step))
        return cls({exam: tuple(runs) for exam, runs in found.items()})

    def place(self, row: Row, index: str) -> tuple[str, float]:
        """Say in which stack a slice lies, and where along it."""
        if index.isdigit():
            for places, step, number in self.runs.get(_exam(row), ()):
                if int(index) in places:
                    return f"{_text(row, 'series')} {number}", int(index) * step
        return "", math.nan


def _add(runs: list[Run], places: frozenset[int], step: float) -> None:
    joined = [run for run in runs if run[0] & places and run[1] == step]
    for run in joined:
        runs.remove(run)
        places |= run[0]
    runs.append((places, step, min(places)))


def _exam(row: Row) -> tuple[str, ...]:
    return tuple(_text(row, name) for name in ("subject", "timepoint", "series"))


def _text(row: Row, name: str) -> str:
    found = row.get(name)
    return "" if found is None else str(found).strip()


def _volume(row: Row) -> Mapping[str, Any]:
    """Return what a volume was computed from; nothing of other rows."""
    if _text(row, "quantity") != Quantity.VOLUME_ML:
        return {}
    try:
        found = json.loads(_text(row, "parameters") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def outlined(rows: Sequence[Row], stacks: Stacks) -> tuple[Outlined, ...]:
    """Return the slices of the rows of one value; none where one row is of no slice."""
    found: list[Outlined] = []
    for row in rows:
        run = _volume(row).get("slice_indices")
        if isinstance(run, list):
            found += [_outlined(row, str(place), stacks, whole=True) for place in run]
        elif _text(row, "quantity") == Quantity.VOLUME_ML or not _is_sliced(row):
            return ()
        else:
            found.append(_outlined(row, _text(row, "slice_index"), stacks))
    return tuple(found)


def _is_sliced(row: Row) -> bool:
    return any(_text(row, name) for name in ("series", "slice_uid", "slice_index"))


def _outlined(row: Row, index: str, stacks: Stacks, *, whole: bool = False) -> Outlined:
    stack, along = stacks.place(row, index)
    return Outlined(
        series=_text(row, "series"),
        slice_uid="" if whole else _text(row, "slice_uid"),
        slice_index=index,
        image="" if whole else _text(row, "image_sha256"),
        value=math.nan if whole else number_in(row, "value"),
        # What stands on the row of a whole run is the offset of its first slice.
        offset_mm=math.nan if whole else number_in(row, "offset_mm"),
        stack=stack,
        along_mm=along,
    )


def number_in(row: Row, name: str) -> float:
    """Return the number in a column of a row; NaN where there is none.

    Raises
    ------
    StatisticsError
        If it says something else.
    """
    try:
        return number(row.get(name))
    except ValueError:
        msg = f"{name} is {row[name]!r}, which is no number."
        remedy = "Write it with a decimal point, or leave it empty."
        raise StatisticsError(msg, remedy=remedy) from None


def shared(columns: Sequence[Sequence[Outlined]]) -> list[tuple[Outlined, ...]]:
    """Return, of each reading, the slices that every one of them outlined."""
    return [
        tuple(
            item
            for item in own
            if all(any(item.is_same(one) for one in other) for other in columns)
        )
        for own in columns
    ]


def apart_mm(columns: Sequence[Sequence[Outlined]]) -> float:
    """Return how far the middles of readings' slices lie apart at most; NaN where unknown.

    Along a stack whose step is known; else by the slices' offsets from the landmark of their
    level.
    """
    every = [item for own in columns for item in own]
    stacks = {item.stack for item in every}
    if len(stacks) == 1 and "" not in stacks:
        middles = [_middle([item.along_mm for item in own]) for own in columns]
    else:
        middles = [_middle([item.offset_mm for item in own]) for own in columns]
    return max(middles) - min(middles) if not any(map(math.isnan, middles)) else math.nan


def _middle(places: Sequence[float]) -> float:
    return math.fsum(places) / len(places) if places else math.nan


def middle_offset_mm(slices: Iterable[Outlined]) -> float:
    """Return the mean offset from their level's landmark; NaN where one is not known."""
    return _middle([item.offset_mm for item in slices])


def distance_words(distances_mm: Iterable[float]) -> str:
    """Say how far apart slices lie: ``4.0 mm apart``, ``3.5 to 8.0 mm apart; unknown at 2``."""
    numbers = list(distances_mm)
    known = [number for number in numbers if math.isfinite(number)]
    if not known:
        return "unknown distance"
    low, high = f"{min(known):.1f}", f"{max(known):.1f}"
    words = f"{low if low == high else f'{low} to {high}'} mm apart"
    lost = len(numbers) - len(known)
    return f"{words}; unknown distance at {lost}" if lost else words
