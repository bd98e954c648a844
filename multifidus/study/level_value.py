"""Which of a level's outlined slices speak for it, and what they say together."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from multifidus.data.protocol import LevelValue, MeasurementProtocol, SliceSelection

Place = TypeVar("Place", bound=Hashable)


class Matching(StrEnum):
    """What two readings have to share to be compared.

    ``SLICE``: the slice, so that a difference is one of drawing. ``LEVEL``: the level, whichever
    slices of it were outlined, so that choosing the slice is part of the error.
    """

    SLICE = "slice"
    LEVEL = "level"


def matching_of(protocol: MeasurementProtocol) -> Matching:
    """Return what readings are matched by where nobody says.

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


def level_value(
    values: Sequence[float], protocol: MeasurementProtocol, *, is_grade: bool = False
) -> float:
    """Return one value for the slices of a level.

    NaN where there is none or one of them is NaN. Grades have no mean, so they must agree.
    """
    return combined_value(values, protocol.level_value, is_grade=is_grade)


def combined_value(values: Sequence[float], how: LevelValue, *, is_grade: bool = False) -> float:
    """Return the mean or the largest of slices' values, as :func:`level_value`."""
    differ = is_grade and len(set(values)) > 1
    if not values or differ or any(map(math.isnan, values)):
        return math.nan
    return max(values) if how is LevelValue.MAX else math.fsum(values) / len(values)


def level_uncertainty(
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
    """Say what a level's value is: ``mean of all slices``, ``nearest slice``, ``max within 5 mm``.

    Near to, and within, is of the level's landmark.
    """
    how = protocol.slice_selection
    if how is SliceSelection.NEAREST:
        return "nearest slice"
    where = "of all slices" if how is SliceSelection.ALL else f"within {protocol.band_mm:g} mm"
    return f"{protocol.level_value.value} {where}"
