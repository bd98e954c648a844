"""Values that stand out in a study: far from those of others, or from the same muscle's before.

An outlier is a value to look at, never one that is left out by itself.

The robust z of a value is ``0.6745 * (value - median) / MAD`` with the median absolute deviation
(MAD) from the median of its group; above 3.5 it stands out: Iglewicz and Hoaglin 1993, How to
Detect and Handle Outliers, ASQC Quality Press, ISBN 0-87389-247-X (a book without a DOI; the MAD in
its place: Leys et al. 2013, doi:10.1016/j.jesp.2013.03.013).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from multifidus.data.columns import summary_column
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import StatisticsError
from multifidus.io.table_csv import Row
from multifidus.study import exam_order

LIMIT_Z = 3.5
"""Robust z beyond which a value stands out."""

LIMIT_AREA_PCT = 60.0
"""Change of an area from one timepoint to the next, of the earlier, that stands out."""

LIMIT_FAT_POINTS = 40.0
"""The same of a percentage of fat, in points."""

SMALLEST_GROUP = 5
"""Of fewer values the median and its deviation say nothing."""

_NORMAL = 0.6745
"""MAD of a normal distribution, in standard deviations."""

AREA = str(Quantity.TCSA_MM2)


class Place(NamedTuple):
    """One muscle of one reading."""

    subject: str
    timepoint: str
    rater: str
    reading: int
    level: str
    structure: str
    side: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outlier:
    """A value that stands out.

    Parameters
    ----------
    place
        Of which muscle; of a change, that of the later timepoint.
    column
        Which of the wide table's columns.
    value
        The value there.
    z, centre, n
        Its robust z, and median and size of its group; NaN and 0 of a change.
    earlier, before
        The earlier timepoint of a change and the value then; empty and NaN otherwise.
    """

    place: Place
    column: str
    value: float
    z: float = math.nan
    centre: float = math.nan
    n: int = 0
    earlier: str = ""
    before: float = math.nan

    @property
    def is_change(self) -> bool:
        """Whether it stands out against the same muscle's value before."""
        return not math.isnan(self.before)

    @property
    def places(self) -> tuple[Place, ...]:
        """What has to be looked at: of a change, both timepoints may be wrong."""
        if not self.is_change:
            return (self.place,)
        return self.place._replace(timepoint=self.earlier), self.place

    @property
    def change(self) -> float:
        """Change from the earlier value: of an area in percent of it, of fat in points."""
        if self.column == AREA:
            return 100 * (self.value / self.before - 1)
        return self.value - self.before


def robust_z(values: Sequence[float]) -> list[float]:
    """Return the robust z of each value among all.

    NaN where there are fewer than :data:`SMALLEST_GROUP`, or where more than half of them are one
    number: then no distance from it can be called large or small.

    Examples
    --------
    >>> [round(z, 4) for z in robust_z([1, 2, 3, 4, 50])]
    [-1.349, -0.6745, 0.0, 0.6745, 31.7015]
    """
    if len(values) < SMALLEST_GROUP:
        return [math.nan] * len(values)
    centre = median(values)
    spread = median(abs(value - centre) for value in values)
    if not spread:
        return [math.nan] * len(values)
    return [_NORMAL * (value - centre) / spread for value in values]


def watched_columns(protocol: MeasurementProtocol) -> tuple[str, ...]:
    """Return the columns of the wide table that are looked at: the area, and fat."""
    methods = protocol.fat_methods[:1]
    return (
        AREA,
        *(summary_column(Quantity.FI_PCT, method) for method in methods),
        *map(str, (Quantity.FF_SIGNAL_PCT, Quantity.DIXON_FF_RATIO_PCT, Quantity.PDFF_MEAN_PCT)),
    )


def place_of(row: Row) -> Place:
    """Return which muscle a row of the wide table is of."""
    return Place(*(row[name] for name in Place._fields))


def find_outliers(summary: Iterable[Row], columns: Sequence[str]) -> list[Outlier]:
    """Find the values that stand out.

    Parameters
    ----------
    summary
        Rows of the wide table.
    columns
        Which to look at, as of :func:`watched_columns`.

    Returns
    -------
    list
        By the rows' order: far from the median of all of the same level, structure, side and
        timepoint, whoever read them; and changed too much since the timepoint before, in the
        readings of one rater.
    """
    order, values = _Exams(), _Values()
    for row in summary:
        order.add(row)
        for column in columns:
            value = row.get(column)
            # What a table holds for "not measured" is no number.
            if isinstance(value, float | int) and math.isfinite(value):
                values.add(place_of(row), column, float(value))
    found = [*values.far(), *values.changed(order.timepoints())]
    return sorted(found, key=lambda item: (values.rank[item.place], columns.index(item.column)))


@dataclass(slots=True)
class _Values:
    """Numbers of a study, by their place."""

    by_column: dict[str, dict[Place, float]] = field(default_factory=dict)
    rank: dict[Place, int] = field(default_factory=dict)

    def add(self, place: Place, column: str, value: float) -> None:
        self.by_column.setdefault(column, {})[place] = value
        self.rank.setdefault(place, len(self.rank))

    def far(self) -> Iterator[Outlier]:
        """Yield those far from the rest of their group."""
        for column, values in self.by_column.items():
            groups: dict[tuple[str, ...], list[Place]] = {}
            for place in values:
                group = (place.timepoint, place.level, place.structure, place.side, place.name)
                groups.setdefault(group, []).append(place)
            for members in groups.values():
                numbers = [values[place] for place in members]
                for place, z in zip(members, robust_z(numbers), strict=True):
                    if abs(z) > LIMIT_Z:
                        yield Outlier(
                            place, column, values[place], z, median(numbers), len(numbers)
                        )

    def changed(self, timepoints: Mapping[str, Sequence[str]]) -> Iterator[Outlier]:
        """Yield those that changed too much since the timepoint before."""
        for column, values in self.by_column.items():
            for place, value in values.items():
                names = timepoints[place.subject]
                earlier = reversed(names[: names.index(place.timepoint)])
                same = ((name, values.get(place._replace(timepoint=name))) for name in earlier)
                last = next(((name, before) for name, before in same if before is not None), None)
                if last is None or (column == AREA and not last[1]):
                    continue
                item = Outlier(place, column, value, earlier=last[0], before=last[1])
                limit = LIMIT_AREA_PCT if column == AREA else LIMIT_FAT_POINTS
                if abs(item.change) > limit:
                    yield item


class _Exam(NamedTuple):
    """An exam, as :mod:`multifidus.study.exam_order` asks for it."""

    subject: str
    timepoint: str
    extra: Mapping[str, str]


@dataclass(slots=True)
class _Exams:
    """The exams of a study, and what its table says of their order."""

    seen: dict[tuple[str, str], _Exam] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        exam = row["subject"], row["timepoint"]
        if exam not in self.seen:
            said = {name: str(row.get(name) or "") for name in exam_order.COLUMNS}
            self.seen[exam] = _Exam(*exam, FrozenDict(said))

    def timepoints(self) -> dict[str, list[str]]:
        """Return each subject's timepoints in order; without one, as the rows have them."""
        places: dict[str, int] = {}
        for column in exam_order.COLUMNS:
            # What a report refuses is no reason to show no page.
            with contextlib.suppress(StatisticsError):
                places = places or exam_order.places(self.seen.values(), column)
        found: dict[str, list[str]] = {}
        for subject, timepoint in self.seen:
            found.setdefault(subject, []).append(timepoint)
        return {
            subject: sorted(names, key=lambda name: places.get(name, len(places)))
            for subject, names in found.items()
        }
