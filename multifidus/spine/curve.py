"""The spine as its landmarks mark it: named places from cranial to caudal, and its local axis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.geometry import PATIENT_Z, Plane, unit
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Marks = Mapping[tuple[LandmarkKind, Level], Array]

DISC_STEP_MM = 35.0
"""From a disc to the next in an adult, used where the landmarks mark one disc alone."""

NARROWEST_STEP_MM, WIDEST_STEP_MM = 15.0, 60.0
"""Neighbouring discs nearer or further apart than this are marked wrongly."""

SURE_SHARE = 0.35
"""A slice further than this share of the local distance of discs beyond the outermost landmark may
belong to the next disc, whose landmark was forgotten: half the distance is halfway to it, and
landmarks and slices are placed with errors."""

ENDPLATE_REACH_MM = 5.0
"""Half the height of a disc: so far beyond its vertebra an endplate names slices, and so far beyond
the middle of the disc it may be marked by mistake."""

CAGES_APART_MM = 40.0
"""Cages of one disc, left and right, are no further apart."""

_TRANSITIONAL = frozenset({Level.L5_L6, Level.L6, Level.L6_S1})

_BORDERS = {
    LandmarkKind.SUPERIOR_ENDPLATE: SlicePosition.SUPERIOR_ENDPLATE,
    LandmarkKind.INFERIOR_ENDPLATE: SlicePosition.INFERIOR_ENDPLATE,
}


@dataclass(frozen=True, slots=True, eq=False)
class Station:
    """A named place on the spine: where a disc or a vertebra has its middle or an endplate.

    Parameters
    ----------
    level, slice_position
        What it is.
    position_mm
        LPS, shape (3,).
    reach_mm
        How far a slice may lie from it, to caudal and to cranial, and still be named after it.
    """

    level: Level
    slice_position: SlicePosition
    position_mm: Array
    reach_mm: tuple[float, float]

    def reaches(self, offset_mm: float) -> bool:
        """Whether it names a slice at this signed distance, positive to cranial."""
        return -self.reach_mm[0] <= offset_mm <= self.reach_mm[1]


@dataclass(frozen=True, slots=True, eq=False)
class Spine:
    """Stations from cranial to caudal, and the axis through them.

    A disc's middle is its ``disc_centre``, else the middle of its cages, else the point halfway
    between the endplates that face it; a vertebra's middle is halfway between its own endplates.

    The axis runs through the middles of the discs, and of vertebrae beyond the outermost discs or
    where fewer than two discs are known. At a middle it is the tangent of the circle through this
    and both neighbours, at either end that of a circle that goes on; between middles it turns
    evenly, and beyond the ends it stays as it is. Of two middles alone it is the straight line.

    Attributes
    ----------
    up
        Direction from the most caudal station to the most cranial one, shape (3,); patient z
        where there is one station.
    steps_mm
        Distance of neighbouring discs at the cranial and at the caudal end.
    """

    stations: tuple[Station, ...]
    up: Array
    steps_mm: tuple[float, float]
    _nodes: Array = field(repr=False)
    _tangents: Array = field(repr=False)

    @classmethod
    def marked_by(cls, landmarks: Iterable[Landmark]) -> Spine:
        """Read the spine off its landmarks.

        Raises
        ------
        LevelError
            If there is none, a disc's landmark names a vertebra or the other way round, one is
            marked at two places, an L5-S1 disc stands beside an L6, or they do not run down the
            spine in the order and at the distances of their names.
        """
        marks = _marks(landmarks)
        stations = _stations(marks)
        up = _up(stations)
        nodes = _nodes(stations)
        steps = _disc_steps_mm(_discs(marks)) or [DISC_STEP_MM]
        return cls(stations, up, (steps[0], steps[-1]), nodes, _tangents(nodes))

    @property
    def has_axis(self) -> bool:
        """Whether at least two middles are known."""
        return len(self._nodes) > 1

    def offsets_mm(self, plane: Plane) -> Array:
        """Signed distance of a slice plane from every station along its normal, shape (n,).

        Positive where the slice lies to cranial of the station.
        """
        return self._offsets_mm(plane, np.array([s.position_mm for s in self.stations]))

    def is_beyond(self, station: int, offset_mm: float) -> bool:
        """Whether a slice lies so far beyond an outermost station that the next level is near.

        Parameters
        ----------
        station
            Place in ``stations``.
        offset_mm
            Of the slice from it, positive to cranial.
        """
        above, below = (SURE_SHARE * step for step in self.steps_mm)
        is_first, is_last = station == 0, station == len(self.stations) - 1
        return (is_first and offset_mm > above) or (is_last and offset_mm < -below)

    def axis_at(self, plane: Plane) -> Array:
        """Direction of the spine to cranial where a slice plane cuts it, shape (3,).

        Raises
        ------
        LevelError
            If fewer than two middles are known.
        """
        if not self.has_axis:
            msg = "One landmark has no direction."
            raise LevelError(msg, remedy="Mark the centres of at least two discs.")
        offsets = self._offsets_mm(plane, self._nodes)
        # The slice cuts the spine above the first node from which it lies to cranial.
        lower = next((i for i, offset in enumerate(offsets) if offset > 0), len(offsets))
        if lower in {0, len(offsets)}:
            return np.asarray(self._tangents[min(lower, len(offsets) - 1)])
        share = offsets[lower - 1] / (offsets[lower - 1] - offsets[lower])
        return unit((1 - share) * self._tangents[lower - 1] + share * self._tangents[lower])

    def _offsets_mm(self, plane: Plane, points: Array) -> Array:
        # Zero added, so that nothing is written as -0.0.
        return -plane.distance_mm(points) * (1.0 if plane.normal @ self.up >= 0 else -1.0) + 0.0


def _marks(landmarks: Iterable[Landmark]) -> dict[tuple[LandmarkKind, Level], Array]:
    """Collect landmarks by what they mark; repeats count once, cages are averaged."""
    found: dict[tuple[LandmarkKind, Level], list[Array]] = {}
    for mark in dict.fromkeys(landmarks):
        of_disc = mark.kind not in _BORDERS
        if of_disc != mark.level.is_disc:
            wanted = "a disc, such as L4-L5" if of_disc else "a vertebra, such as L4"
            msg = f"A {_words(mark.kind)} belongs to {wanted}, not to {mark.level}."
            raise LevelError(msg, remedy="Name its level anew.")
        found.setdefault((mark.kind, mark.level), []).append(mark.position_mm)
    if not found:
        msg = "There are no landmarks."
        raise LevelError(msg, remedy="Mark the centres of the discs, or type the levels by hand.")
    for (kind, level), points in found.items():
        apart = max(float(np.linalg.norm(point - points[0])) for point in points)
        if apart > (CAGES_APART_MM if kind is LandmarkKind.CAGE else 0.0):
            msg = f"The {_words(kind)} of {level} is marked at places {apart:.1f} mm apart."
            raise LevelError(msg, remedy="Delete all but one.")
    levels = {level for _, level in found}
    extra = sorted(levels & _TRANSITIONAL, key=lambda level: level.rank)
    if extra and Level.L5_S1 in levels:
        msg = f"Landmarks name both L5-S1 and {extra[0]}; a spine has one or the other."
        raise LevelError(msg, remedy="With an L6, the discs below L5 are L5-L6 and L6-S1.")
    return {key: np.asarray(np.mean(points, axis=0)) for key, points in found.items()}


def _stations(marks: Marks) -> tuple[Station, ...]:
    discs = _discs(marks)
    half = float(np.median(_disc_steps_mm(discs) or [DISC_STEP_MM])) / 2
    found = [
        Station(level, SlicePosition.MID_DISC, point, (half, half))
        for level, point in discs.items()
    ]
    for (kind, level), point in marks.items():
        if kind in _BORDERS:
            above = kind is LandmarkKind.SUPERIOR_ENDPLATE
            reach = (half, ENDPLATE_REACH_MM) if above else (ENDPLATE_REACH_MM, half)
            found.append(Station(level, _BORDERS[kind], point, reach))
            other = marks.get((LandmarkKind.INFERIOR_ENDPLATE, level))
            if above and other is not None:
                middle = (point + other) / 2
                found.append(Station(level, SlicePosition.MID_BODY, middle, (half, half)))
    return tuple(sorted(found, key=_down_the_spine))


def _down_the_spine(station: Station) -> tuple[int, int]:
    order = (
        SlicePosition.SUPERIOR_ENDPLATE,
        SlicePosition.MID_BODY,
        SlicePosition.INFERIOR_ENDPLATE,
    )
    within = 0 if station.level.is_disc else order.index(station.slice_position)
    return station.level.rank, within


def _discs(marks: Marks) -> dict[Level, Array]:
    """Find the middle of every disc, from cranial to caudal."""
    found = {}
    has_l6 = not _TRANSITIONAL.isdisjoint(level for _, level in marks)
    for level in Level:
        if not level.is_disc or (has_l6 and level is Level.L5_S1):
            continue
        above, below = map(Level, level.split("-"))
        facing = (
            marks.get((LandmarkKind.INFERIOR_ENDPLATE, above)),
            marks.get((LandmarkKind.SUPERIOR_ENDPLATE, below)),
        )
        for kind in (LandmarkKind.DISC_CENTRE, LandmarkKind.CAGE):
            if (kind, level) in marks:
                found[level] = marks[kind, level]
                break
        else:
            if facing[0] is not None and facing[1] is not None:
                found[level] = (facing[0] + facing[1]) / 2
    return found


def _disc_steps_mm(discs: Mapping[Level, Array]) -> list[float]:
    """Distances of neighbouring discs from cranial to caudal; refuses distances that cannot be."""
    steps = []
    for (upper, high), (lower, low) in pairwise(discs.items()):
        count = _disc_number(lower) - _disc_number(upper)
        step = float(np.linalg.norm(high - low)) / count
        if not NARROWEST_STEP_MM <= step <= WIDEST_STEP_MM:
            msg = (
                f"The discs {upper} and {lower} are marked {step * count:.1f} mm apart; neighbours "
                f"are {NARROWEST_STEP_MM:g} to {WIDEST_STEP_MM:g} mm apart."
            )
            raise LevelError(msg, remedy="One of them is marked or named wrongly.")
        steps.append(step)
    return steps


def _disc_number(level: Level) -> int:
    """Count discs from T12-L1 down; L5-S1 and L5-L6 are in one place."""
    discs = [disc for disc in Level if disc.is_disc and disc is not Level.L5_S1]
    return discs.index(Level.L5_L6 if level is Level.L5_S1 else level)


def _up(stations: tuple[Station, ...]) -> Array:
    if len(stations) == 1:
        return np.array(PATIENT_Z)
    span = stations[0].position_mm - stations[-1].position_mm
    for upper, lower in pairwise(stations):
        drop = float((upper.position_mm - lower.position_mm) @ span)
        # A disc's middle and its borders are so near that small errors turn them round.
        borders = upper.level is not lower.level and not {
            upper.slice_position, lower.slice_position,
        }.isdisjoint(_BORDERS.values())  # fmt: skip
        least = -ENDPLATE_REACH_MM * float(np.linalg.norm(span)) if borders else 0.0
        if span[2] <= 0 or drop <= least:
            names = (f"{s.level} {_words(s.slice_position)}" for s in (upper, lower))
            msg = f"Landmarks are out of order along the spine near {' and '.join(names)}."
            raise LevelError(msg, remedy="Check their names: L1-L2 lies above L5-S1.")
    return unit(span)


def _nodes(stations: tuple[Station, ...]) -> Array:
    """Return the middles that the axis runs through, shape (n, 3)."""
    middles = [s for s in stations if s.slice_position not in _BORDERS.values()]
    discs = [i for i, s in enumerate(middles) if s.level.is_disc]
    if len(discs) > 1:
        # Vertebrae between discs lie so near to them that small errors would bend the axis.
        ends = range(discs[0], discs[-1] + 1)
        middles = [s for i, s in enumerate(middles) if i in discs or i not in ends]
    return np.array([station.position_mm for station in middles]).reshape(-1, 3)


def _tangents(nodes: Array) -> Array:
    """Return unit tangents to cranial, shape (n, 3), at nodes from cranial to caudal."""
    chords = nodes[:-1] - nodes[1:]
    lengths = np.linalg.norm(chords, axis=1)
    chords = chords / lengths[:, None]
    if len(nodes) <= 2:  # noqa: PLR2004 - a straight line
        return np.repeat(chords, 2, axis=0)
    # On a circle a chord makes half its arc's angle with the tangent at either end.
    inner = [
        unit(chords[i] * lengths[i + 1] + chords[i + 1] * lengths[i])
        for i in range(len(chords) - 1)
    ]
    ends = [
        2 * (chord @ tangent) * chord - tangent
        for chord, tangent in ((chords[0], inner[0]), (chords[-1], inner[-1]))
    ]
    return np.array([ends[0], *inner, ends[1]])


def _words(name: str) -> str:
    return name.replace("_", " ")
