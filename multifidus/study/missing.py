"""What a research study lacks: which muscle was not outlined in which exam, and why.

What there ought to be is what there is anywhere in the study: every level and muscle that any rater
outlined, or declared not measurable, in any exam, on both sides, is expected of every reading of
every subject's every timepoint. This does not depend on the protocol.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.columns import MISSING_COLUMNS
from multifidus.data.frozen_dict import NOTHING
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.io.table_csv import Row
from multifidus.study.exchanged_sides import SideArea

Place = tuple[Level, Structure, Side]

Notes = Mapping[tuple[Reading, Place], str]
"""What raters wrote, by reading and muscle; it stands in the table of what is missing alone."""

RATER_NOTE = "rater_note"

Who = tuple[str, str, str, int | None]
"""Subject, timepoint, rater and reading; no reading where there is none."""


class Absence(StrEnum):
    """Why a muscle is missing."""

    NOT_MEASURABLE = "not_measurable"
    NOT_OUTLINED = "not_outlined"
    LEVEL_UNKNOWN = "level_unknown"
    CASE_FAILED = "case_failed"
    NOT_MEASURED_YET = "not_measured_yet"
    NOT_READ = "not_read"
    NO_EXAM = "no_exam"
    FAILED_REVIEW = "failed_review"
    TO_BE_REPEATED = "to_be_repeated"

    @property
    def meaning(self) -> str:
        """Its explanation, in one sentence."""
        return _MEANINGS[self]


_MEANINGS = {
    Absence.NOT_MEASURABLE: "The rater declared it not measurable; detail says for what reason, "
    "rater_note what else was written.",
    Absence.NOT_OUTLINED: "The reading has no outline of it; detail says where there is one: on "
    "the other side, by another rater or in another reading, at another timepoint, or of another "
    "subject alone.",
    Absence.LEVEL_UNKNOWN: "The reading has outlines of it on slices whose level is unknown.",
    Absence.CASE_FAILED: "The case could not be measured; detail names the error, failures.csv "
    "says more.",
    Absence.NOT_MEASURED_YET: "The case is in the cohort table and was not measured so far.",
    Absence.NOT_READ: "Others read this exam, this rater did not.",
    Absence.NO_EXAM: "The study names no exam of this subject at this timepoint.",
    Absence.FAILED_REVIEW: "It was measured, and failed the review; detail is its comment.",
    Absence.TO_BE_REPEATED: "It was measured, and is to be repeated by the review; detail is its "
    "comment.",
}


@dataclass(slots=True)
class _Known:
    """Who outlined one place: by subject, at which timepoints."""

    subjects: dict[str, set[str]] = field(default_factory=dict)

    def add(self, by: Reading) -> None:
        self.subjects.setdefault(by.subject, set()).add(by.timepoint)


@dataclass(slots=True)
class _Study:
    """What was outlined and declared, by reading."""

    outlined: dict[Reading, set[Place]] = field(default_factory=dict)
    reasons: dict[Reading, dict[Place, str]] = field(default_factory=dict)
    without_level: dict[Reading, set[tuple[Structure, Side]]] = field(default_factory=dict)
    known: dict[Place, _Known] = field(default_factory=dict)

    @classmethod
    def of(cls, areas: Iterable[SideArea]) -> _Study:
        study = cls()
        for area in areas:
            structure, side = Structure(area.structure), Side(area.side)
            if not area.level:
                study.without_level.setdefault(area.by, set()).add((structure, side))
                continue
            place = (Level(area.level), structure, side)
            if area.reason is None:
                study.outlined.setdefault(area.by, set()).add(place)
                study.known.setdefault(place, _Known()).add(area.by)
            else:
                study.reasons.setdefault(area.by, {})[place] = area.reason
        return study

    @property
    def expected(self) -> list[Place]:
        """All places that any reading knows, on both sides, from cranial to caudal."""
        known = set().union(*self.outlined.values(), *self.reasons.values())
        for level, structure, side in list(known):
            if side in _OTHER:
                known.add((level, structure, _OTHER[side]))
        return sorted(known, key=_place_order)

    def absence(self, by: Reading, place: Place) -> tuple[Absence, str] | None:
        """Return why a reading lacks a place, and more detail; None if it does not."""
        if place in self.outlined.get(by, ()):
            return None
        reason = self.reasons.get(by, {}).get(place)
        if reason is not None:
            return Absence.NOT_MEASURABLE, reason
        if place[1:] in self.without_level.get(by, ()):
            return Absence.LEVEL_UNKNOWN, ""
        return Absence.NOT_OUTLINED, ";".join(self._elsewhere(by, place))

    def _elsewhere(self, by: Reading, place: Place) -> Iterator[str]:
        level, structure, side = place
        if (level, structure, _OTHER.get(side)) in self.outlined.get(by, ()):
            yield "other_side"
        known = self.known.get(place, _Known())
        timepoints = known.subjects.get(by.subject, set())
        if by.timepoint in timepoints:
            yield "other_reading"
        if timepoints - {by.timepoint}:
            yield "other_timepoint"
        elif len(known.subjects) > (by.subject in known.subjects):
            yield "other_subject"


_OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def _place_order(place: Place) -> tuple[int, Structure, Side]:
    level, structure, side = place
    return level.rank, structure, side


def notes_of(rois: RoiSet) -> Notes:
    """Return what raters wrote about muscles that they could not measure."""
    found: dict[tuple[Reading, Place], list[str]] = {}
    for gap in rois.not_measurable:
        for side in (Side.LEFT, Side.RIGHT) if gap.side is Side.BOTH else (gap.side,):
            if gap.note:
                place = gap.level, gap.structure, side
                found.setdefault((gap.reading or rois.reading, place), []).append(gap.note)
    return {where: "; ".join(dict.fromkeys(notes)) for where, notes in found.items()}


def missing_rows(
    areas: Iterable[SideArea],
    measured: Iterable[Reading],
    failed: Mapping[Reading, str],
    notes: Notes = NOTHING,
    *,
    absent: Iterable[Reading] = (),
) -> list[Row]:
    """List what is missing, one row a reading x level x muscle x side.

    Parameters
    ----------
    areas
        Of muscles that were measured, or declared not measurable; see
        :func:`multifidus.study.exchanged_sides.side_areas`.
    measured
        Readings that were measured, with or without rows.
    failed
        Readings that were not, and the name of the error.
    notes
        What raters wrote; see :func:`notes_of`.
    absent
        Readings of the cohort that nobody tried to measure so far.
    """
    study = _Study.of(areas)
    done = set(measured)
    waiting = set(absent) - done
    unknown = waiting | set(failed)
    found: list[Row] = []
    lacking = [*_not_there(done, unknown)]
    for place in study.expected:
        for by in done:
            absence = study.absence(by, place)
            if absence is not None:
                note = notes.get((by, place), "")
                found.append(_row(_who(by), place, *absence) | {RATER_NOTE: note})
        found += [_row(_who(by), place, Absence.CASE_FAILED, error) for by, error in failed.items()]
        found += [_row(_who(by), place, Absence.NOT_MEASURED_YET) for by in waiting]
        found += [_row(who, place, reason) for who, reason in lacking]
    return in_order(found)


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Sort rows of the table by reading, and along the spine."""
    return sorted(rows, key=_row_order)


def _who(by: Reading) -> Who:
    return by.subject, by.timepoint, by.rater, by.reading


def _not_there(measured: set[Reading], unknown: set[Reading]) -> Iterator[tuple[Who, Absence]]:
    """Yield exams that a subject lacks, and exams that a rater did not read."""
    readings = measured | unknown
    exams = {(by.subject, by.timepoint) for by in readings}
    read = {(by.subject, by.timepoint, by.rater) for by in readings}
    # A case of no rater that nobody has looked into may be anybody's.
    anybody = {(by.subject, by.timepoint) for by in unknown if not by.rater}
    raters = {by.rater for by in readings if by.rater or by not in unknown}
    timepoints = {timepoint for _, timepoint in exams}
    for subject in {subject for subject, _ in exams}:
        for timepoint in timepoints:
            exam = (subject, timepoint)
            if exam not in exams:
                yield (*exam, "", None), Absence.NO_EXAM
            elif exam not in anybody:
                for rater in raters:
                    if (*exam, rater) not in read:
                        yield (*exam, rater, None), Absence.NOT_READ


def _row(who: Who, place: Place, reason: Absence, detail: str = "") -> Row:
    level, structure, side = place
    values = (*who, level.value, structure.value, side.value, reason.value, detail, "")
    return dict(zip(MISSING_COLUMNS, values, strict=True))


def _row_order(row: Row) -> tuple[Any, ...]:
    who = (row["subject"], row["timepoint"], row["rater"], row["reading"] or 0)
    rank = Level(row["level"]).rank if row["level"] else -1
    return (*who, rank, row["structure"], row["side"])
