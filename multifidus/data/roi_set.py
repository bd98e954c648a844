"""Outlines, landmarks, levels, statements and grades of an exam, and sets of them merged.

Outlines that name nobody, such as those of a label map, join the reading beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure, choose
from multifidus.data.landmark import Landmark
from multifidus.data.roi import Reading, Roi, RoiKey
from multifidus.errors import RoiError

if TYPE_CHECKING:
    from multifidus.data.image import Exam


class Reason(StrEnum):
    """Why something could not be measured."""

    METAL = "metal"
    MOTION = "motion"
    SCAR = "scar"
    OUTSIDE_IMAGE = "outside_image"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SliceLevel:
    """A level typed by hand for a slice; it wins over landmarks.

    Raises
    ------
    RoiError
        If the level or the slice position is none of the choices.
    """

    slice_uid: str
    level: Level
    slice_position: SlicePosition = SlicePosition.UNKNOWN

    def __post_init__(self) -> None:
        choose(self, {"level": Level, "slice_position": SlicePosition}, RoiError)


@dataclass(frozen=True, slots=True)
class NotMeasurable:
    """What a rater could not outline, and why; in no reading of its own it is of its set's.

    Raises
    ------
    RoiError
        If level, side, structure or reason is none of the choices.
    """

    level: Level
    side: Side
    structure: Structure
    reason: Reason
    note: str = ""
    reading: Reading | None = None

    def __post_init__(self) -> None:
        words = {"level": Level, "side": Side, "structure": Structure, "reason": Reason}
        choose(self, words, RoiError)


GOUTALLIER, MOST_GOUTALLIER = "goutallier", 4
"""The one visual scheme whose range is known here, 0 to 4."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A visual grade entered by a rater, such as Goutallier 0 to 4; of its set's reading, if none.

    It grades the multifidus.

    Raises
    ------
    RoiError
        If there is no such grade: below 0, or above 4 of Goutallier; or no such level or side.
    """

    scheme: str
    level: Level
    side: Side
    value: int
    reading: Reading | None = None

    def __post_init__(self) -> None:
        choose(self, {"level": Level, "side": Side}, RoiError)
        too_high = self.is_goutallier and self.value > MOST_GOUTALLIER
        if self.value < 0 or too_high:
            where = f"{self.side} {self.level}"
            msg = f"There is no grade {self.value} by {self.scheme}, as it was given to {where}."
            known = f"0 to {MOST_GOUTALLIER}" if self.is_goutallier else "0 and more"
            raise RoiError(msg, remedy=f"Grades are {known}.")

    @property
    def is_goutallier(self) -> bool:
        """Whether it is by the scheme of Goutallier, however its name is written."""
        return self.scheme.strip().lower() == GOUTALLIER


Statement = TypeVar("Statement", NotMeasurable, Grade)


@dataclass(frozen=True, slots=True)
class UnnamedLabels:
    """Numbers in a label map that its label scheme does not name, and that are not measured."""

    path: Path
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RoiSet:
    """Outlines with unique keys; the landmarks, levels, statements and grades that belong to them.

    Raises
    ------
    RoiError
        If two outlines have one key.

    Attributes
    ----------
    is_unattributed
        Whether nothing says whose reading they are, as of a label map; its names are the exam's.
    unnamed_labels
        What label maps hold beyond their label schemes.
    """

    rois: tuple[Roi, ...] = ()
    landmarks: tuple[Landmark, ...] = ()
    levels: tuple[SliceLevel, ...] = ()
    not_measurable: tuple[NotMeasurable, ...] = ()
    grades: tuple[Grade, ...] = ()
    reading: Reading = field(default=Reading())
    is_unattributed: bool = field(default=False, compare=False)
    unnamed_labels: tuple[UnnamedLabels, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        seen: set[RoiKey] = set()
        for roi in self.rois:
            if roi.key in seen:
                msg = f"There are two outlines of {roi.key}."
                raise RoiError(msg, remedy="Delete one, or give each a name of its own.")
            seen.add(roi.key)

    def __iter__(self) -> Iterator[Roi]:
        return iter(self.rois)

    def __len__(self) -> int:
        return len(self.rois)

    def __or__(self, other: RoiSet) -> RoiSet:
        """Put two sets together, such as muscles and references from two files.

        Outlines that name no rater join the one reading of the other set (see :func:`merge`).
        """
        return merge((self, other))

    def with_all_of(self, other: RoiSet) -> RoiSet:
        """Add all that another set holds; keys must stay unique."""
        reading = self.reading if self.rois or not other.rois else other.reading
        return RoiSet(
            rois=self.rois + other.rois,
            landmarks=self.landmarks + other.landmarks,
            levels=self.levels + other.levels,
            not_measurable=tuple(
                _with_reading(item, by, reading)
                for by in (self, other)
                for item in by.not_measurable
            ),
            grades=tuple(
                _with_reading(item, by, reading) for by in (self, other) for item in by.grades
            ),
            reading=reading,
            is_unattributed=all(by.is_unattributed for by in (self, other) if by.rois),
            unnamed_labels=self.unnamed_labels + other.unnamed_labels,
        )

    def level_of(self, roi: Roi) -> tuple[Level | None, SlicePosition]:
        """Return the level and slice position of an outline: its own, else its slice's."""
        if roi.level is not None:
            return roi.level, roi.slice_position
        for typed in self.levels:
            if typed.slice_uid == roi.key.slice_uid:
                return typed.level, typed.slice_position
        return None, roi.slice_position

    def read_by(self, reading: Reading) -> RoiSet:
        """Return the same set as read by somebody else, such as the cohort table says."""
        rois = tuple(roi.under(replace(roi.key, reading=reading)) for roi in self.rois)
        return replace(
            self,
            rois=rois,
            not_measurable=tuple(replace(item, reading=None) for item in self.not_measurable),
            grades=tuple(replace(grade, reading=None) for grade in self.grades),
            reading=reading,
            is_unattributed=False,
        )


def _with_reading(item: Statement, by: RoiSet, reading: Reading) -> Statement:
    """Give a statement a reading of its own where that is not the set's."""
    own = item.reading or by.reading
    # A set that names nobody is of whoever it comes to.
    return replace(item, reading=None if own in {reading, Reading()} else own)


_EXAM = ("subject", "timepoint")
"""The names that say which exam a reading is of."""

_INVENTED = re.compile(r"(?:subject|exam)-\d+")

_REMEDY = "Say whose it is: --rater ID, and --reading N where a rater has several."


def is_invented(name: str) -> bool:
    """Whether a name is a neutral number given to what has none; it identifies nobody.

    Examples
    --------
    >>> is_invented("subject-1"), is_invented("S01")
    (True, False)
    """
    return _INVENTED.fullmatch(name) is not None


def check_one_exam(sets: Iterable[RoiSet]) -> None:
    """Refuse to put sets together whose real names say that they are of several exams.

    Raises
    ------
    RoiError
        If two subjects or two timepoints are named; neutral and empty names name none.
    """
    for name in _EXAM:
        real = _real_names(name, (by for found in sets for by in _all_readings(found)))
        if len(real) > 1:
            msg = f"Outlines that go together name two {name}s: {' and '.join(map(repr, real))}."
            raise RoiError(msg, remedy="Check which files belong to this exam.")


def check_of_exam(exam: Exam, rois: RoiSet) -> None:
    """Refuse outlines of one person or timepoint on the exam of another.

    Raises
    ------
    RoiError
        If both have a real name and these differ; neutral and empty names never do.
    """
    for name in _EXAM:
        ours = getattr(exam, name)
        if not ours or is_invented(ours):
            continue
        for theirs in _real_names(name, _readings(rois)):
            if theirs != ours:
                msg = f"Outlines of {name} {theirs!r} do not belong to the exam of {name} {ours!r}."
                remedy = (
                    "Load the outlines of this exam. Where both names mean the same, give the "
                    "exam's to the outlines (RoiSet.read_by)."
                )
                raise RoiError(msg, remedy=remedy)


def _real_names(name: str, readings: Iterable[Reading]) -> list[str]:
    words = sorted({getattr(by, name) for by in readings} - {""})
    return [word for word in words if not is_invented(word)]


def join(sets: Sequence[RoiSet], rater: str = "", number: int | None = None) -> list[RoiSet]:
    """Give outlines that name no rater to the reading they go with.

    A label map is of the one reading beside it; so is an outline file without a rater beside one
    reading with one. A neutral name, as of an exam without names, gives way to a real one. Sets of
    landmarks and levels alone stay as they are.

    Parameters
    ----------
    sets
        Of one exam.
    rater, number
        Whose outlines they are that name nobody; by default those of the only reading.

    Returns
    -------
    list of RoiSet
        The same sets in the same order.

    Raises
    ------
    RoiError
        If several readings could be meant, real names differ, or all sets name another rater.
    """
    loose = [found for found in sets if _has_outlines(found) and _names_nobody(found)]
    named = sorted({by for found in sets for by in _readings(found) if by.rater})
    if rater and not any(by.rater == rater for by in named):
        return _attributed(sets, loose, rater, number)
    unnamed = {found.reading for found in loose if not found.is_unattributed}
    # Two outline files without a rater keep their own numbers; a label map has none.
    joining = [found for found in loose if named or found.is_unattributed]
    fitting = [
        by
        for by in (named or sorted(unnamed))
        if (not rater or by.rater == rater) and number in {None, by.reading}
    ]
    if not joining or not (named or unnamed):
        return [_numbered(found, number, loose) for found in sets]
    if not fitting:
        fitting = sorted({replace(by, reading=number or 1) for by in (named or sorted(unnamed))})
    if len(fitting) > 1:
        names = "; ".join(map(str, fitting))
        msg = f"Outlines without a rater stand beside {len(fitting)} readings: {names}."
        raise RoiError(msg, remedy=_REMEDY)
    return _joined(sets, joining, fitting[0])


def _attributed(
    sets: Sequence[RoiSet], loose: Sequence[RoiSet], rater: str, number: int | None
) -> list[RoiSet]:
    """Name the rater of outlines that name nobody, where no file is of this rater."""
    if not loose:
        raters = sorted({by.rater for found in sets for by in _readings(found) if by.rater})
        msg = f"All outlines name their rater ({', '.join(raters)}), and none is {rater!r}."
        raise RoiError(msg, remedy="Leave out --rater; it is for outlines that name nobody.")
    own = [found for found in loose if not found.is_unattributed] or list(loose)
    by_old = {
        by: replace(by, rater=rater, reading=number or by.reading)
        for found in own
        for by in _readings(found)
    }
    named = [_renamed(found, by_old) if _is_in(found, own) else found for found in sets]
    return join(named, rater, number)


def _numbered(found: RoiSet, number: int | None, loose: Sequence[RoiSet]) -> RoiSet:
    if number is None or not _is_in(found, loose):
        return found
    return _renamed(found, {by: replace(by, reading=number) for by in _readings(found)})


def _joined(sets: Sequence[RoiSet], joining: Sequence[RoiSet], target: Reading) -> list[RoiSet]:
    """Put sets into one reading, under the real names among theirs."""
    names = {}
    moved = {target, *(by for found in joining for by in _readings(found))}
    for name in _EXAM:
        given = sorted({getattr(by, name) for by in moved} - {""})
        real = _real_names(name, moved)
        if len(real) > 1:
            msg = f"Outlines that go together name two {name}s: {' and '.join(map(repr, real))}."
            raise RoiError(msg, remedy="Check which files belong to this exam.")
        names[name] = (*real, getattr(target, name), *given, "")[0]
    final = replace(target, **names)
    return [
        _renamed(found, dict.fromkeys((*moved,) if _is_in(found, joining) else (target,), final))
        for found in sets
    ]


def _is_in(found: RoiSet, sets: Sequence[RoiSet]) -> bool:
    return any(found is other for other in sets)


def _renamed(rois: RoiSet, by_old: Mapping[Reading, Reading]) -> RoiSet:
    """Replace readings in a set; who is not named there stays."""
    if not _has_outlines(rois) or by_old.keys().isdisjoint(_readings(rois)):
        return rois
    outlines = tuple(
        roi.under(replace(roi.key, reading=by_old.get(roi.key.reading, roi.key.reading)))
        for roi in rois
    )
    reading = by_old.get(rois.reading, outlines[0].key.reading if outlines else rois.reading)
    return replace(
        rois,
        rois=outlines,
        not_measurable=tuple(_moved(item, by_old) for item in rois.not_measurable),
        grades=tuple(_moved(grade, by_old) for grade in rois.grades),
        reading=reading,
        is_unattributed=False,
    )


def _moved(item: Statement, by_old: Mapping[Reading, Reading]) -> Statement:
    """Replace the reading of what states one; what states none is of its set's."""
    return (
        item
        if item.reading is None
        else replace(item, reading=by_old.get(item.reading, item.reading))
    )


def _has_outlines(rois: RoiSet) -> bool:
    """Whether it holds anything of a reading: outlines, not-measurable statements or grades."""
    return bool(rois.rois or rois.not_measurable or rois.grades)


def _names_nobody(rois: RoiSet) -> bool:
    return not any(by.rater for by in _readings(rois))


def _all_readings(rois: RoiSet) -> set[Reading]:
    """Return the readings of outlines and statements, and the set's own, that of its landmarks."""
    own = {rois.reading} if rois.landmarks or rois.levels else set()
    return _readings(rois) | own


def _readings(rois: RoiSet) -> set[Reading]:
    if not _has_outlines(rois):
        return set()
    own = {item.reading for item in rois.not_measurable if item.reading}
    own |= {grade.reading for grade in rois.grades if grade.reading}
    return {roi.key.reading for roi in rois} | own or {rois.reading}


def merge(sets: Sequence[RoiSet], rater: str = "", number: int | None = None) -> RoiSet:
    """Put several sets of one exam together; keys must stay unique.

    What names no rater, such as a label map, joins the one reading beside it.

    Raises
    ------
    RoiError
        If two outlines have one key, several readings could be joined, or real names of the
        subject or the timepoint differ; names given for want of one never do.
    """
    check_one_exam(sets)
    found = join(sets, rater, number)
    merged = found[0] if found else RoiSet()
    for other in found[1:]:
        merged = merged.with_all_of(other)
    return merged
