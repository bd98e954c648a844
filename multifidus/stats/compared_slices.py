"""Which slices a value is of, whether two are the same, and how far apart they lie."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from multifidus.data.measurement import Measurement
from multifidus.study.level_value import OF_MANY_SLICES, slice_of

Run = tuple[frozenset[int], float, int]
"""Slices of one stack by their places in the series, their step in mm, and a number of its own."""


@dataclass(frozen=True, slots=True)
class Outlined:
    """One slice of a value.

    Parameters
    ----------
    series, slice_uid, slice_index
        As the table names it; no place where it does not count its slices.
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
    slice_index: int | None
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
    def of(cls, rows: Iterable[Measurement]) -> Stacks:
        """Gather the runs; those that overlap and have one step are of one stack."""
        found: dict[tuple[str, ...], list[Run]] = {}
        for row in rows:
            step, places = row.parameters.get("slice_step_mm"), _run(row)
            if isinstance(step, (int, float)) and places:
                runs = found.setdefault(_exam(row), [])
                _add(runs, frozenset(map(int, places)), float(step))
        return cls({exam: tuple(runs) for exam, runs in found.items()})

    def place(self, row: Measurement, index: int | None) -> tuple[str, float]:
        """Say in which stack a slice lies, and where along it."""
        if index is not None:
            for places, step, number in self.runs.get(_exam(row), ()):
                if index in places:
                    return f"{row.provenance.series} {number}", index * step
        return "", math.nan


def _add(runs: list[Run], places: frozenset[int], step: float) -> None:
    joined = [run for run in runs if run[0] & places and run[1] == step]
    for run in joined:
        runs.remove(run)
        places |= run[0]
    runs.append((places, step, min(places)))


def _exam(row: Measurement) -> tuple[str, ...]:
    return row.key.reading.subject, row.key.reading.timepoint, row.provenance.series


def _run(row: Measurement) -> list[int] | None:
    """Return the slices that a volume was computed from; None of other rows."""
    found = row.parameters.get("slice_indices") if row.quantity in OF_MANY_SLICES else None
    return found if isinstance(found, list) else None


def outlined(rows: Iterable[Measurement], stacks: Stacks) -> tuple[Outlined, ...]:
    """Return the slices of the rows of one value; none where one row is of no slice."""
    found: list[Outlined] = []
    for row in rows:
        run = _run(row)
        if run is not None:
            found += [_outlined(row, place, stacks, whole=True) for place in run]
        elif slice_of(row) is None:
            return ()
        else:
            found.append(_outlined(row, row.provenance.slice_index, stacks))
    return tuple(found)


def _outlined(
    row: Measurement, index: int | None, stacks: Stacks, *, whole: bool = False
) -> Outlined:
    origin = row.provenance
    stack, along = stacks.place(row, index)
    return Outlined(
        series=origin.series,
        slice_uid="" if whole else row.key.slice_uid,
        slice_index=index,
        image="" if whole else origin.image_sha256,
        value=math.nan if whole else row.value,
        # What stands on the row of a whole run is the offset of its first slice.
        offset_mm=math.nan if whole else origin.offset_mm,
        stack=stack,
        along_mm=along,
    )


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
