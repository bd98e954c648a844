"""Targets of a comparison: one muscle as several raters or readings measured it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.measurement import Quantity, is_grade
from multifidus.errors import StatisticsError
from multifidus.stats.compared_slices import apart_mm, distance_words, shared
from multifidus.stats.values import Value
from multifidus.study.level_value import Matching, combined_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEAST_TARGETS = 3
"""With fewer nothing is computed."""


class Compare(StrEnum):
    """Who is compared: raters (inter-rater), or the readings of each rater (intra-rater)."""

    RATER = "rater"
    READING = "reading"


@dataclass(frozen=True, slots=True)
class SliceMatch:
    """On which slices targets were compared.

    Parameters
    ----------
    match
        By slice or by level.
    n_targets, n_recorded
        Targets compared, and those of them whose slices the table says.
    n_partly
        Targets compared on a part of the slices, because others were not outlined by all.
    distances_mm
        Of each target that was compared on different slices, how far these lie apart; NaN where
        nothing says it.
    """

    match: Matching = Matching.SLICE
    n_targets: int = 0
    n_recorded: int = 0
    n_partly: int = 0
    distances_mm: tuple[float, ...] = ()

    @property
    def n_different(self) -> int:
        """How many targets were compared on different slices."""
        return len(self.distances_mm)

    @property
    def words(self) -> str:
        """Say it in a cell of a table."""
        if not self.n_recorded:
            return "slices not recorded"
        words = ["same slices" if self.match is Matching.SLICE else "by level"]
        if self.n_recorded < self.n_targets:
            words.append(f"not recorded at {self.n_targets - self.n_recorded}")
        if self.n_partly:
            words.append(f"on those that all outlined at {self.n_partly}")
        if self.n_different:
            words.append(f"different slices at {self.n_different} ({self.distance})")
        return "; ".join(words)

    @property
    def distance(self) -> str:
        """Say how far apart different slices lie, the median where there are several."""
        known = [number for number in self.distances_mm if math.isfinite(number)]
        middle = f"median {median(known):.1f} mm; " if len(set(known)) > 1 else ""
        return middle + distance_words(self.distances_mm)

    def warnings(self) -> Iterator[str]:
        """Say what differs."""
        if self.n_partly:
            yield (
                f"At {self.n_partly} targets more slices were outlined by some than by others: "
                "they are compared on the slices that all outlined."
            )
        if self.n_different:
            yield (
                f"At {self.n_different} targets values are of different slices "
                f"({self.distance}): they are compared by level, and the choice of the slice is "
                "part of the error."
            )


@dataclass(frozen=True, slots=True)
class Targets:
    """Complete targets of one comparison.

    Parameters
    ----------
    columns
        Raters or readings.
    names
        Subject, timepoint, level and side of each target.
    table
        Their values, targets x columns.
    exclusions
        Why other targets have no row, and how many.
    slices
        On which slices they were compared.
    """

    columns: tuple[str, ...]
    names: tuple[tuple[str, str, str, str], ...]
    table: Array
    exclusions: tuple[tuple[str, int], ...]
    slices: SliceMatch

    @property
    def subjects(self) -> list[str]:
        """Whose each target is."""
        return [name[0] for name in self.names]

    @property
    def n_missing(self) -> int:
        """How many targets were left out."""
        return sum(n for _, n in self.exclusions)


def column_of(item: Value, compare: Compare) -> str:
    """Name the rater or the reading that a value is of."""
    return item.rater if compare is Compare.RATER else str(item.reading)


def tabulate_targets(
    members: Sequence[Value], compare: Compare, raters: Sequence[str], match: Matching
) -> Targets:
    """Put the values of one quantity beside each other, targets x raters or readings.

    Parameters
    ----------
    members
        Values of one quantity.
    compare, raters
        Who is compared; raters in this order, all if empty.
    match
        By slice, targets are compared on the slices that all outlined; by level, on whichever.

    Raises
    ------
    StatisticsError
        If there is one rater or reading only, or too few targets can be compared.
    """
    found = {column_of(item, compare) for item in members}
    if compare is Compare.RATER:
        columns = tuple(raters) or tuple(sorted(found))
    else:
        columns = tuple(sorted(found, key=int))
    if len(columns) < 2:  # noqa: PLR2004 - a comparison needs two
        msg = f"there is one {compare.value} only ({', '.join(columns) or 'none'})"
        raise StatisticsError(msg)
    targets: dict[tuple[str, str, str, str], dict[str, Value]] = {}
    for item in members:
        name = (item.subject, item.timepoint, item.level, item.side)
        targets.setdefault(name, {})[column_of(item, compare)] = item
    lines = {
        name: _line([row.get(column) for column in columns], compare, match)
        for name, row in sorted(targets.items())
    }
    full = {name: line for name, line in lines.items() if not line.why}
    exclusions = _left_out(line for line in lines.values() if line.why)
    if len(full) < LEAST_TARGETS:
        raise _too_few(len(full), len(lines), exclusions, compare)
    return Targets(
        columns=columns,
        names=tuple(full),
        table=np.array([line.numbers for line in full.values()]),
        exclusions=exclusions,
        slices=SliceMatch(
            match,
            len(full),
            sum(line.recorded for line in full.values()),
            sum(line.partly for line in full.values()),
            tuple(line.apart for line in full.values() if line.differs),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """One target: its numbers, or why it has none, and what its slices have in common."""

    numbers: tuple[float, ...] = ()
    why: str = ""
    recorded: bool = False
    partly: bool = False
    differs: bool = False
    apart: float = math.nan


_EVERY = {Compare.RATER: "of every rater", Compare.READING: "in every reading"}
_BY_ALL = {Compare.RATER: "by every rater", Compare.READING: "in every reading"}


def _line(row: Sequence[Value | None], compare: Compare, match: Matching) -> _Line:
    there = [item for item in row if item is not None]
    if len(there) < len(row):
        return _Line(why=f"no value {_EVERY[compare]}")
    slices = [item.outlined for item in there]
    common = shared(slices)
    differs = any(len(own) < len(every) for own, every in zip(common, slices, strict=True))
    recorded = all(slices)
    line = _Line(recorded=recorded, differs=differs, apart=apart_mm(slices) if differs else 0.0)
    # A volume is of its run of slices as a whole, and has no value on a part of them.
    whole = there[0].quantity == Quantity.VOLUME_ML
    numbers = [item.value for item in there]
    if match is Matching.SLICE and not whole:
        if any(slices) and not recorded:
            # One reading gave the muscle up as a whole: then that is what lacks.
            lacking = not all(map(math.isfinite, numbers))
            some = f"slices recorded for some {compare.value}s alone"
            return _Line(why=f"no value {_EVERY[compare]}" if lacking else some)
        if any(slices) and not all(common):
            return replace(line, why=f"no slice outlined {_BY_ALL[compare]}")
        if differs:
            numbers = [
                combined_value(
                    [one.value for one in own], item.level_value, is_grade=is_grade(item.quantity)
                )
                for item, own in zip(there, common, strict=True)
            ]
            line = replace(line, partly=True, differs=False)
    if not all(map(math.isfinite, numbers)):
        return _Line(why=f"no value {_EVERY[compare]}")
    return replace(line, numbers=tuple(numbers))


def _left_out(lines: Iterable[_Line]) -> tuple[tuple[str, int], ...]:
    """Count targets that were left out by the reason; how far slices lie apart is part of it."""
    found: dict[str, list[_Line]] = {}
    for line in lines:
        found.setdefault(line.why, []).append(line)
    return tuple(
        (
            f"{why} ({distance_words(line.apart for line in own)})" if own[0].differs else why,
            len(own),
        )
        for why, own in sorted(found.items())
    )


def _too_few(
    n: int, of: int, exclusions: Sequence[tuple[str, int]], compare: Compare
) -> StatisticsError:
    reasons = "; ".join(f"{count} have {why}" for why, count in exclusions)
    msg = f"{n} of {of} targets can be compared" + (f": {reasons}" if reasons else "")
    remedy = f"(at least {LEAST_TARGETS} are needed)"
    if any("no slice outlined" in why for why, _ in exclusions):
        remedy = f"(--match level compares {compare.value}s by level, whichever slice they took)"
    return StatisticsError(msg, remedy=remedy)
