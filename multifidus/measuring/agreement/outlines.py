"""How far outlines of the same muscle by different raters, or by one rater twice, agree."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, Structure
from multifidus.data.image import Exam
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading, Roi, check_sides
from multifidus.data.roi_set import RoiSet
from multifidus.errors import RoiError
from multifidus.measuring.agreement.metrics import Distances, dice, outline_distances
from multifidus.measuring.locate import place, slice_words
from multifidus.measuring.midline import check_midline, wrong_sides
from multifidus.spine.resolve import LevelResolver

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEFT_OUT = frozenset({Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT})
"""Samples lie where each rater puts them; that they differ says nothing of an outline."""


@dataclass(frozen=True, slots=True)
class OutlinePair:
    """Two outlines of one structure on one slice.

    Parameters
    ----------
    first, second
        Whose.
    level
        None where neither landmarks nor raters say it, or raters say two.
    dice
        Of the exact polygons.
    distances
        Of their borders.
    area_difference_mm2
        First minus second.
    """

    first: Reading
    second: Reading
    slice_uid: str
    level: Level | None
    structure: Structure
    side: str
    name: str
    dice: float
    distances: Distances
    area_difference_mm2: float


@dataclass(frozen=True, slots=True)
class OutlineGroup:
    """All pairs of two raters at one level and side.

    Parameters
    ----------
    first, second
        Rater and reading of each.
    n
        Pairs of outlines.
    dice_mean, dice_least, hausdorff_mm, hd95_mm, mean_mm, area_difference_mm2
        Means over the pairs, and the least Dice; distances in millimetres.
    """

    structure: Structure
    level: str
    side: str
    first: str
    second: str
    n: int
    dice_mean: float
    dice_least: float
    hausdorff_mm: float
    hd95_mm: float
    mean_mm: float
    area_difference_mm2: float


def compare_outlines(
    readings: Sequence[RoiSet], exam: Exam | None = None
) -> tuple[list[OutlinePair], list[str]]:
    """Compare every two readings of one exam, outline by outline.

    Outlines belong together that are of one structure, side and name on one slice: of one UID, or
    in one place where de-identification changed the UIDs.

    Parameters
    ----------
    readings
        Each of one rater's one pass.
    exam
        Its images, which landmarks need to say levels; without, levels are those that were typed.

    Returns
    -------
    tuple
        The pairs, and what is wrong: which outlines have no counterpart, and how far away the
        nearest is; which have nothing in common, or a doubtful side; which slices have two levels.

    Raises
    ------
    RoiError
        If two readings are of one name, or of different exams, UIDs and places disagree, or left
        and right are surely swapped.
    """
    _check(readings)
    pairs: list[OutlinePair] = []
    problems: list[str] = []
    placed: list[list[Levelled]] = []
    for rois in readings:
        found_levels, doubts = _levelled(rois, exam)
        placed.append(found_levels)
        problems += doubts
    for (one, ours), (other, theirs) in combinations(zip(readings, placed, strict=True), 2):
        rest = list(theirs)
        said: list[str] = []
        for roi, level in ours:
            found = next((item for item in rest if _belong(roi, item[0])), None)
            if found is None:
                problems.append(_alone(other.reading, (roi, level), theirs))
                continue
            rest.remove(found)
            pairs.append(_pair(roi, found[0], _agreed(level, found[1])))
            said += _differences(pairs[-1], level, found[1])
        problems += dict.fromkeys(said)
        problems += [_alone(one.reading, item, ours) for item in rest]
    return pairs, problems


Levelled = tuple[Roi, Level | None]
"""An outline and the level of its slice."""


def _alone(by: Reading, item: Levelled, others: Iterable[Levelled]) -> str:
    """Say that a reading lacks an outline, and how far away it has the nearest of its level."""
    roi, level = item
    words = f"{by.rater or '?'} has no outline like {roi.key}"
    ours = (roi.key.structure, roi.key.side, roi.key.name)
    away = [
        _distance_mm(roi, other)
        for other, at in others
        if ours == (other.key.structure, other.key.side, other.key.name) and at is level
    ]
    if not away:
        return f"{words}."
    where = "" if level is None else f" of {level}"
    return f"{words}; its nearest{where} is on another slice, {min(away):.1f} mm away."


def _distance_mm(roi: Roi, other: Roi) -> float:
    """Return how far the middle of one outline lies from the plane of another."""
    middle = np.concatenate(roi.paths_mm).mean(axis=0)
    return abs(float(other.plane.distance_mm(middle[None])[0]))


def _check(readings: Sequence[RoiSet]) -> None:
    names = [rois.reading for rois in readings]
    exams = {(name.subject, name.timepoint) for name in names}
    if len(exams) > 1:
        words = "; ".join(f"{subject or '?'} {timepoint}" for subject, timepoint in sorted(exams))
        msg = f"These outlines are of different exams: {words}."
        raise RoiError(msg, remedy="Compare outlines of one exam, or give a cohort.csv.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        msg = f"Two sets of outlines are of {twice}."
        raise RoiError(msg, remedy="Name another rater or reading in one of them.")


def _levelled(rois: RoiSet, exam: Exam | None) -> tuple[list[Levelled], list[str]]:
    """Return outlines with their levels, and which of them lie on a doubtful side."""
    wanted = [roi for roi in rois if roi.key.structure not in LEFT_OUT]
    if exam is None:
        check_sides(rois)
        return [(roi, rois.level_of(roi)[0]) for roi in wanted], []
    placed = place(wanted, exam)
    check_sides(rois, slice_words(placed, rois))
    resolver = LevelResolver.of(exam, rois, MeasurementProtocol())
    wrong = wrong_sides(placed, resolver.spine)
    try:
        check_midline(wrong)
    except RoiError as error:
        msg = f"{error.message} So it is by {_who(rois.reading)}."
        raise RoiError(msg, remedy=error.remedy) from error
    levels = (
        resolver.resolve(item.series, item.index, *rois.level_of(item.roi)).level for item in placed
    )
    doubts = [
        f"{item.placed.roi.key} lies {item.across_mm:.0f} mm across the midline that "
        f"{item.midline.source} give; left and right may be exchanged."
        for item in wrong
    ]
    return list(zip((item.roi for item in placed), levels, strict=True)), doubts


def _differences(pair: OutlinePair, ours: Level | None, theirs: Level | None) -> Iterator[str]:
    """Say that two raters call one slice by two levels, or outlined nothing in common there."""
    first, second = _who(pair.first), _who(pair.second)
    where = f"slice {pair.slice_uid or '?'}"
    if ours is not theirs and None not in {ours, theirs}:
        yield (
            f"{where.capitalize()} is {ours} by {first} and {theirs} by {second}; its outlines are "
            "compared without a level."
        )
    if round(pair.dice, 2) == 0:
        what = " ".join(filter(None, (pair.side, pair.structure.value, pair.name)))
        yield (
            f"The {what} on {where} by {first} and by {second} have nothing in common; look "
            "whether one of them has left and right exchanged."
        )


def _belong(roi: Roi, other: Roi) -> bool:
    ours, theirs = roi.key, other.key
    if (ours.structure, ours.side, ours.name) != (theirs.structure, theirs.side, theirs.name):
        return False
    same_place = roi.shape == other.shape and roi.plane.is_same(other.plane, roi.shape)
    if ours.slice_uid and ours.slice_uid == theirs.slice_uid and not same_place:
        msg = f"Two outlines of {ours} name one slice, and lie on different pixel grids."
        raise RoiError(msg, remedy="Draw both on the same images.")
    return same_place


def _agreed(one: Level | None, other: Level | None) -> Level | None:
    """Return the level that was said, unless two were."""
    return one or other if one is other or None in {one, other} else None


def _pair(first: Roi, second: Roi, level: Level | None) -> OutlinePair:
    ours, theirs = (_in_plane_mm(roi, first) for roi in (first, second))
    return OutlinePair(
        first=first.key.reading,
        second=second.key.reading,
        slice_uid=first.key.slice_uid,
        level=level,
        structure=first.key.structure,
        side=first.key.side.value,
        name=first.key.name,
        dice=dice(ours, theirs),
        distances=outline_distances(ours, theirs),
        area_difference_mm2=first.area_mm2 - second.area_mm2,
    )


def _in_plane_mm(roi: Roi, frame: Roi) -> list[Array]:
    """Return its paths in millimetres along the rows and columns of one plane."""
    plane = frame.plane
    size = np.array([np.linalg.norm(step) for step in (plane.row_step_mm, plane.column_step_mm)])
    return [plane.to_pixels(path) * size for path in roi.paths_mm]


def outline_groups(pairs: Iterable[OutlinePair]) -> list[OutlineGroup]:
    """Put pairs together by structure, level, side and who drew them, from cranial to caudal."""
    groups: dict[tuple[str, ...], list[OutlinePair]] = {}
    for pair in pairs:
        level = "" if pair.level is None else pair.level.value
        key = (pair.structure.value, level, pair.side, _who(pair.first), _who(pair.second))
        groups.setdefault(key, []).append(pair)
    return [_group(key, groups[key]) for key in sorted(groups, key=_down_the_spine)]


def _down_the_spine(key: tuple[str, ...]) -> tuple[object, ...]:
    structure, level, *rest = key
    return structure, Level(level).rank if level else -1, *rest


def _who(reading: Reading) -> str:
    return f"{reading.rater or '?'} {reading.reading}"


def _group(key: tuple[str, ...], members: Sequence[OutlinePair]) -> OutlineGroup:
    structure, level, side, first, second = key
    far = [pair.distances for pair in members]
    overlaps = [pair.dice for pair in members]
    return OutlineGroup(
        structure=Structure(structure),
        level=level,
        side=side,
        first=first,
        second=second,
        n=len(members),
        dice_mean=statistics.fmean(overlaps),
        dice_least=math.nan if any(map(math.isnan, overlaps)) else min(overlaps),
        hausdorff_mm=statistics.fmean(item.hausdorff_mm for item in far),
        hd95_mm=statistics.fmean(item.hd95_mm for item in far),
        mean_mm=statistics.fmean(item.mean_mm for item in far),
        area_difference_mm2=statistics.fmean(pair.area_difference_mm2 for pair in members),
    )
