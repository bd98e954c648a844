"""Implausible numbers: of another unit than the table names, or impossible in any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

from multifidus.data.measurement import Quantity
from multifidus.errors import StatisticsError
from multifidus.stats.values import Value

LEAST_FOR_UNIT = 5
"""So many percentages are needed to recognise fractions."""

LEAST_SUBJECTS = 3
"""With fewer it is unknown which numbers are in another unit."""

MOST_EXAMS = 5
"""So many exams are named."""

SIZES = ("_mm2", "_ml")
"""Ends of quantities that are sizes, of which there are none below 0."""

MOST_PERCENT = 100


def check_units(values: Sequence[Value]) -> None:
    """Refuse numbers that are none of their quantity.

    Raises
    ------
    StatisticsError
        If a size is below 0, fat takes less than nothing or more than all of a muscle, percentages
        are fractions, or areas are of several units.
    """
    _check_possible(values)
    _check_percentages(values)
    _check_units(values)


def _check_possible(values: Iterable[Value]) -> None:
    """Refuse numbers that no muscle has, on any of a value's slices."""
    for item in values:
        is_fat = item.quantity == Quantity.FI_PCT
        if not (is_fat or item.quantity.endswith(SIZES)):
            continue
        most = MOST_PERCENT if is_fat else math.inf
        for number in (item.value, *(one.value for one in item.outlined)):
            if not (math.isnan(number) or 0 <= number <= most):
                words = (item.subject, item.timepoint, item.rater, item.level, item.side)
                msg = (
                    f"{item.quantity} of {' '.join(filter(None, words))} is {number:g}, which is "
                    f"{'below 0' if number < 0 else f'above {most:g}'}."
                )
                remedy = "Correct the number, or leave it empty where it is not known."
                raise StatisticsError(msg, remedy=remedy)


def _check_percentages(values: Sequence[Value]) -> None:
    """Refuse fractions under the name of percentages, of all or of one rater or timepoint.

    A side-to-side difference of one rater may well be below 1 %; fat of five muscles is not.
    """
    for (quantity, of), numbers in _parts(values, "_pct").items():
        fat = not quantity.startswith(Quantity.ASYMMETRY_PCT.split("_", maxsplit=1)[0])
        if (fat or not of) and 0 < max(map(abs, numbers)) <= 1:
            msg = f"All {len(numbers)} values of {quantity}{of} lie between 0 and 1."
            raise StatisticsError(msg, remedy="Percentages are 0 to 100; multiply them by 100.")


FAR_APART = 20.0
"""No muscle is so many times as large to one rater, or at one timepoint, as to another."""

_WHOLE_AREAS = (Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.VALID_CSA_MM2)


def _check_units(values: Sequence[Value]) -> None:
    """Refuse areas that only another unit can explain, whatever the table calls it."""
    areas = [item for item in values if item.quantity in _WHOLE_AREAS]
    middles: dict[str, dict[str, float]] = {}
    for (quantity, of), numbers in _parts(areas, "").items():
        if of:
            middles.setdefault(quantity, {})[of] = median(numbers)
    for quantity, found in middles.items():
        low, high = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
        if found[high] > FAR_APART * found[low] > 0:
            msg = (
                f"The median of {quantity} is {found[high]:g}{high} and {found[low]:g}{low}: "
                "these are not of one unit."
            )
            raise StatisticsError(msg, remedy="Give all areas in mm2.")


def _parts(values: Iterable[Value], ending: str) -> dict[tuple[str, str], list[float]]:
    """Gather the values of quantities with an ending: all, and those of each rater and timepoint.

    Parts of fewer than :data:`LEAST_FOR_UNIT` values are left out.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for item in values:
        if item.quantity.endswith(ending) and math.isfinite(item.value):
            for of in ("", f" by {item.rater}", f" at {item.timepoint}"):
                found.setdefault((item.quantity, of), []).append(item.value)
    return {key: numbers for key, numbers in found.items() if len(numbers) >= LEAST_FOR_UNIT}


def other_units(values: Iterable[Value]) -> tuple[str, ...]:
    """Report exams whose areas look as if they were in another unit than the others'.

    One rater's numbers of one exam are held against the middle of all.
    """
    found: dict[tuple[str, str], dict[Exam, list[float]]] = {}
    for item in values:
        if item.quantity in _WHOLE_AREAS and item.value > 0:
            own = found.setdefault((item.quantity, item.structure), {})
            own.setdefault((item.subject, item.timepoint, item.rater), []).append(item.value)
    return tuple(
        sentence
        for (quantity, structure), numbers in sorted(found.items())
        for sentence in _far_from_all(
            f"{quantity} of {structure}" if structure else quantity,
            {exam: median(own) for exam, own in numbers.items()},
        )
    )


Exam = tuple[str, str, str]
"""Subject, timepoint and rater."""


def _far_from_all(what: str, middles: Mapping[Exam, float]) -> Iterator[str]:
    if len({subject for subject, _, _ in middles}) < LEAST_SUBJECTS:
        return
    middle = median(middles.values())
    strange = [
        f"{' '.join(filter(None, exam))} ({number:g})"
        for exam, number in sorted(middles.items())
        if max(number, middle) > FAR_APART * min(number, middle)
    ]
    if strange:
        more = len(strange) - MOST_EXAMS
        names = ", ".join(strange[:MOST_EXAMS]) + (f" and {more} more" if more > 0 else "")
        yield (
            f"The median of {what} is {middle:g} over all exams, and far from it in {names}: "
            "check that these are in the same unit."
        )
