"""Which of a level's outlined slices enter its value, and what that value is: the one rule."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from multifidus.data.measurement import Measurement, Quantity, is_grade
from multifidus.data.protocol import LevelValue, MeasurementProtocol, SliceSelection

Place = TypeVar("Place", bound=Hashable)

OF_MANY_SLICES = frozenset({Quantity.VOLUME_ML})
"""Quantities of a run of slices, so that no slice is selected for them."""

SliceId = tuple[str, int, str]
"""Series, place in it (-1 where it is not counted) and UID of a slice."""


class Matching(StrEnum):
    """What two readings have to share to be compared.

    ``SLICE``: the slice, so that a difference is one of drawing. ``LEVEL``: the level, whichever
    slices of it were outlined, so that choosing the slice is part of the error.
    """

    SLICE = "slice"
    LEVEL = "level"


def matching_of(protocol: MeasurementProtocol) -> Matching:
    """Return what readings are matched by unless it is asked for.

    A protocol that takes the slice nearest to the level's landmark compares levels, each by a
    slice of the reader's own; all others take slices that were given.
    """
    nearest = protocol.slice_selection is SliceSelection.NEAREST
    return Matching.LEVEL if nearest else Matching.SLICE


def chosen_slices(
    offset_mm: Mapping[Place, float], protocol: MeasurementProtocol, *, has_level: bool = True
) -> set[Place]:
    """Return the slices of one level that the protocol takes.

    Parameters
    ----------
    offset_mm
        Distance of each slice's plane from the landmark of its level, signed; NaN where no
        landmark says it. Such slices are taken only where all are.
    protocol
        Says which.
    has_level
        Without a level there is nothing to be near to: all are taken.
    """
    how = protocol.slice_selection
    if how is SliceSelection.ALL or not has_level:
        return set(offset_mm)
    known = [(abs(away), place) for place, away in offset_mm.items() if not math.isnan(away)]
    if how is SliceSelection.NEAREST:
        return {place for _, place in sorted(known)[:1]}
    return {place for away, place in known if away <= (protocol.band_mm or 0.0)}


def slice_of(row: Measurement) -> SliceId | None:
    """Return which slice a number is of; None of a run of slices and of a level as a whole."""
    origin, uid = row.provenance, row.key.slice_uid
    index = -1 if origin.slice_index is None else origin.slice_index
    nowhere = not (origin.series or uid or index >= 0)
    return None if nowhere or row.quantity in OF_MANY_SLICES else (origin.series, index, uid)


def slices_taken(rows: Iterable[Measurement], protocol: MeasurementProtocol) -> set[SliceId]:
    """Return the slices that the protocol takes of one muscle at one level of one reading.

    Parameters
    ----------
    rows
        All rows of that muscle there: slices are taken for all of its quantities alike.
    protocol
        Says which.
    """
    offsets: dict[SliceId, float] = {}
    has_level = False
    for row in rows:
        place = slice_of(row)
        has_level = has_level or bool(row.provenance.level)
        if place is not None:
            offsets[place] = row.provenance.offset_mm
    return chosen_slices(offsets, protocol, has_level=has_level)


@dataclass(frozen=True, slots=True)
class LevelNumber:
    """One quantity of one muscle at one level of one reading.

    Parameters
    ----------
    value
        Mean or largest, as the protocol says; NaN where there is no row, where one is NaN, and
        where slices have different grades.
    uncertainty
        Its standard uncertainty; NaN where none is stated.
    rows
        Those that make it.
    """

    value: float
    uncertainty: float
    rows: tuple[Measurement, ...]


def level_number(
    rows: Iterable[Measurement], taken: set[SliceId], protocol: MeasurementProtocol
) -> LevelNumber:
    """Return the value of a level: the rule of the wide table, of statistics and of the report.

    Parameters
    ----------
    rows
        Of one quantity by one method, of one muscle at one level of one reading.
    taken
        Slices that enter, as of :func:`slices_taken`; what is of no one slice always does.
    protocol
        Whether their mean is taken, or the largest.
    """
    entering = [row for row in rows if (place := slice_of(row)) is None or place in taken]
    # A level that a rater gave up on some slices and outlined on others has a value.
    entering = [row for row in entering if not row.is_not_measurable] or entering
    values = [row.value for row in entering]
    of_grades = any(is_grade(row.quantity) for row in entering)
    return LevelNumber(
        combined_value(values, protocol.level_value, is_grade=of_grades),
        _uncertainty(values, [row.uncertainty for row in entering], protocol),
        tuple(entering),
    )


def combined_value(values: Sequence[float], how: LevelValue, *, is_grade: bool = False) -> float:
    """Return the mean or the largest of slices' values.

    NaN where there is none or one of them is NaN. Grades have no mean, so they must agree.
    """
    differ = is_grade and len(set(values)) > 1
    if not values or differ or any(map(math.isnan, values)):
        return math.nan
    return max(values) if how is LevelValue.MAX else math.fsum(values) / len(values)


def _uncertainty(
    values: Sequence[float], uncertainties: Sequence[float], protocol: MeasurementProtocol
) -> float:
    """Return the uncertainty of a level's value.

    One rater's slices share the rater's habits and the exam's threshold, so their errors do not
    cancel: that of a mean is the mean of theirs, that of the largest value is its own.
    """
    if not uncertainties or any(map(math.isnan, values)):
        return math.nan
    if protocol.level_value is LevelValue.MAX:
        return max(zip(values, uncertainties, strict=True))[1]
    return math.fsum(uncertainties) / len(uncertainties)


def selection_name(protocol: MeasurementProtocol) -> str:
    """Name which slices are taken: ``all``, ``nearest``, ``band 5 mm``."""
    how = protocol.slice_selection
    return how.value if protocol.band_mm is None else f"{how.value} {protocol.band_mm:g} mm"


def rule_in_words(protocol: MeasurementProtocol) -> str:
    """Describe a level's value: ``mean of all slices``, ``nearest slice``, ``max within 5 mm``.

    Near to, and within, is of the level's landmark.
    """
    how = protocol.slice_selection
    if how is SliceSelection.NEAREST:
        return "nearest slice"
    where = "of all slices" if how is SliceSelection.ALL else f"within {protocol.band_mm:g} mm"
    return f"{protocol.level_value.value} {where}"
