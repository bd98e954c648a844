"""Values of a study: one number a reading of one muscle at one level."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

from multifidus.data.frozen_dict import NOTHING
from multifidus.data.protocol import LevelValue
from multifidus.errors import StatisticsError
from multifidus.stats.compared_slices import Outlined


class Measured(Protocol):
    """Anything that is about one quantity of one structure."""

    @property
    def quantity(self) -> str: ...  # noqa: D102
    @property
    def method(self) -> str: ...  # noqa: D102
    @property
    def structure(self) -> str: ...  # noqa: D102


M = TypeVar("M", bound=Measured)


class Metric(NamedTuple):
    """Which number of which muscle: what a result, a family of tests or a figure is about."""

    quantity: str
    method: str
    structure: str

    @classmethod
    def about(cls, item: Measured) -> Metric:
        """Return what a value, a pair or a result is of."""
        return cls(item.quantity, item.method, item.structure)

    def of(self, items: Iterable[M]) -> tuple[M, ...]:
        """Return the items that are of it."""
        return tuple(item for item in items if Metric.about(item) == self)

    def __str__(self) -> str:
        return " ".join(filter(None, self))


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
    extra: Mapping[str, str] = NOTHING
    outlined: tuple[Outlined, ...] = ()
    level_value: LevelValue = LevelValue.MEAN


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
