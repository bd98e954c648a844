"""Left and right exchanged between two readings of one person, found by the muscles' areas.

A mirrored image, or a label scheme taken the wrong way round at one visit, turns every asymmetry
of the person round. Muscles change, and one side may shrink after surgery; but all of a person's
muscles do not exchange their sizes.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from multifidus.data.anatomy import Side
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Quantity
from multifidus.data.roi import Reading

AREA = Quantity.TCSA_MM2
"""The quantity by which sides are compared."""

Muscle = tuple[str, str]
"""Structure and level."""

AREA_ERROR = 0.03
"""Standard error of an area outlined again, as a share of it: 2.0 to 2.2 % where the same image is
outlined again, more where the slice lies elsewhere."""

DIFFERENCE_ERROR = 2 * AREA_ERROR
"""Standard error of the difference of two asymmetries, logarithms of left over right: four areas
enter."""

EVIDENCE = 30.0
"""How much better exchanged sides have to fit than straight ones, in squared standard errors."""

FEWEST_MUSCLES = 3
"""So many muscles have to speak for it, by ``EACH`` squared standard errors or more: one or two may
have shrunk after surgery."""

EACH = 2.0

FITS = 3.0
"""Asymmetries fit where their squared standard errors add up to no more than chance gives, and so
many of its standard deviations."""


@dataclass(frozen=True, slots=True)
class SideArea:
    """The area of one muscle on one side, by one reading.

    Parameters
    ----------
    by
        The reading.
    structure, level, side
        Which muscle.
    mm2
        Its area; NaN is passed over.
    reason
        Why the rater declared it not measurable; None where it was outlined.
    """

    by: Reading
    structure: str
    level: str
    side: str
    mm2: float
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ExchangedSides:
    """Readings of one person whose left and right look exchanged.

    Parameters
    ----------
    subject
        The person.
    readings
        Those that differ from most others of this person; all that differ, where neither
        way round is in the majority.
    others
        Readings that they were compared with.
    muscles
        How many muscles show it, in the pair that has most.
    """

    subject: str
    readings: frozenset[Reading]
    others: frozenset[Reading]
    muscles: int

    def in_words(self) -> str:
        """Return it as a sentence."""
        theirs, rest = (_named(found) for found in (self.readings, self.others - self.readings))
        against = f" against {rest}" if rest else ""
        return (
            f"Subject {self.subject}: left and right look exchanged at {theirs}{against}: the "
            f"asymmetries of {self.muscles} muscles have all turned round. Check the sides."
        )


def exchanged_sides(areas: Iterable[SideArea]) -> tuple[ExchangedSides, ...]:
    """Find readings whose sides are exchanged against others of the same person.

    Two readings are taken to be exchanged where all muscles together are as asymmetric the other
    way round as errors of outlining allow (``FITS``), where that fits better than straight sides
    by ``EVIDENCE``, and at least ``FEWEST_MUSCLES`` muscles speak for it. Who is too symmetric to
    judge is never flagged.

    Parameters
    ----------
    areas
        Of a study; several of one muscle, side and reading (its slices) enter with their mean.

    Returns
    -------
    tuple of ExchangedSides
        One a person, in the order of their names.
    """
    found = (_of_subject(subject, own) for subject, own in sorted(_asymmetries(areas).items()))
    return tuple(item for item in found if item is not None)


def side_areas(rows: Iterable[Measurement]) -> Iterator[SideArea]:
    """Take the areas of muscles from what was measured."""
    for row in rows:
        key = row.key
        if row.quantity == AREA and key.structure.is_muscle:
            reason = str(row.parameters["reason"]) if row.is_not_measurable else None
            level = row.provenance.level or ""
            yield SideArea(key.reading, key.structure, level, key.side, row.value, reason)


def with_exchanged_sides(
    rows: Iterable[Measurement], exchanged: Iterable[ExchangedSides]
) -> Iterator[Measurement]:
    """Flag every row of a side of the readings concerned."""
    concerned = {by for found in exchanged for by in found.readings}
    for row in rows:
        is_concerned = row.key.reading in concerned and row.key.side != Side.NONE
        yield row.with_flags(Flag.SIDES_EXCHANGED) if is_concerned else row


def _of_subject(
    subject: str, own: Mapping[Reading, Mapping[Muscle, float]]
) -> ExchangedSides | None:
    compared = {
        pair: _compared(own[pair[0]], own[pair[1]]) for pair in combinations(sorted(own), 2)
    }
    turned = {pair: -n for pair, n in compared.items() if n < 0}
    if not turned:
        return None
    against = Counter(by for pair in turned for by in pair)
    agree = Counter(by for pair, n in compared.items() if n > 0 for by in pair)
    odd = frozenset(by for by in against if against[by] > agree[by])
    majority = frozenset(against) - odd
    return ExchangedSides(
        subject,
        odd if odd and majority else frozenset(against),
        frozenset(against),
        max(turned.values()),
    )


def _compared(first: Mapping[Muscle, float], second: Mapping[Muscle, float]) -> int:
    """Return how many muscles show it: above 0 the same way round, below 0 exchanged, 0 neither."""
    pairs = [(first[muscle], second[muscle]) for muscle in sorted(first.keys() & second.keys())]
    straight, turned = (
        [((b + sign * a) / DIFFERENCE_ERROR) ** 2 for a, b in pairs] for sign in (-1, 1)
    )
    for fits, other, way in ((straight, turned, 1), (turned, straight, -1)):
        better = [apart - near for near, apart in zip(fits, other, strict=True)]
        showing = sum(gain >= EACH for gain in better)
        limit = len(pairs) + FITS * math.sqrt(2 * len(pairs))
        if showing >= FEWEST_MUSCLES and sum(better) >= EVIDENCE and sum(fits) <= limit:
            return way * showing
    return 0


def _asymmetries(
    areas: Iterable[SideArea],
) -> dict[str, dict[Reading, dict[Muscle, float]]]:
    """Return logarithms of left over right by subject, reading and muscle."""
    sizes: dict[tuple[Reading, Muscle], dict[str, list[float]]] = {}
    for item in areas:
        if item.side in {"left", "right"} and item.mm2 > 0:
            key = item.by, (item.structure, item.level)
            sizes.setdefault(key, {}).setdefault(item.side, []).append(item.mm2)
    found: dict[str, dict[Reading, dict[Muscle, float]]] = {}
    for (by, muscle), sides in sizes.items():
        if len(sides) == len(("left", "right")):
            left, right = (_mean(sides[side]) for side in ("left", "right"))
            own = found.setdefault(by.subject, {}).setdefault(by, {})
            own[muscle] = math.log(left / right)
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def _named(readings: Iterable[Reading]) -> str:
    return ", ".join(
        (by.timepoint or "the exam")
        + (f" (rater {by.rater}, reading {by.reading})" if by.rater else "")
        for by in sorted(readings)
    )
