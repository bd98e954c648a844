"""What a study keeps of one finished case: small facts, apart from its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Level, Side, Structure, word_or_text
from multifidus.data.cohort import Case
from multifidus.data.frozen_dict import NOTHING, FrozenDict
from multifidus.data.roi import Reading
from multifidus.io.files import name_from
from multifidus.io.table_csv import Row
from multifidus.study.acquisitions import Known, acquisitions_of
from multifidus.study.batch import Failure, Measured
from multifidus.study.exchanged_sides import SideArea, side_areas
from multifidus.study.missing import Notes, notes_of

Pictures = tuple[tuple[str, str], ...]
"""File names in the folder of pictures, and their captions."""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One finished case without its rows: measured, or failed.

    Parameters
    ----------
    reading
        As the case's table names it.
    readings
        Those that were measured, as its outlines name them.
    areas
        Of its muscles, with what was declared not measurable.
    notes
        What raters wrote of what they could not measure.
    unnamed
        Values that label schemes do not name, and the label map that holds them.
    pictures
        What was drawn; None where none was asked for.
    failure
        Row of the table of failures; None where the case was measured.
    own_columns
        Columns of the study's own in its rows.
    acquisitions
        How the series that it was measured on were acquired.
    n_rows, n_flagged
        How many rows it has, and how many of them carry a flag.
    facts
        How it came about: key, hashes of its files, versions, times; for those who ask later.
    """

    reading: Reading
    readings: tuple[Reading, ...] = ()
    areas: tuple[SideArea, ...] = ()
    notes: Notes = NOTHING
    unnamed: tuple[tuple[tuple[int, ...], str], ...] = ()
    pictures: Pictures | None = None
    failure: Row | None = None
    own_columns: tuple[str, ...] = ()
    acquisitions: tuple[Known, ...] = ()
    n_rows: int = 0
    n_flagged: int = 0
    facts: Mapping[str, Any] = NOTHING


def record_of(outcome: Measured | Failure, pictures: Pictures | None = None) -> CaseRecord:
    """Take from a case what a study needs of it beside its rows."""
    case = outcome.case
    if isinstance(outcome, Failure):
        return CaseRecord(case.reading, failure=failure_row(outcome))
    rows = outcome.rows
    return CaseRecord(
        case.reading,
        tuple(sorted({row.key.reading for row in rows} or {outcome.rois.reading})),
        tuple(side_areas(rows)),
        notes_of(outcome.rois),
        tuple((held.values, _called(held.path, case)) for held in outcome.rois.unnamed_labels),
        pictures,
        own_columns=tuple(case.extra),
        acquisitions=acquisitions_of(outcome),
        n_rows=len(rows),
        n_flagged=sum(bool(row.flags) for row in rows),
    )


def _called(path: Path, case: Case) -> str:
    """Name a file from the case's table; one given by hand by its name alone."""
    return path.name if case.folder is None else name_from(path, case.folder)


def failure_row(failure: Failure) -> Row:
    """Return a case that failed as a row of the table of failures."""
    by, folder = failure.case.reading, failure.case.folder
    images = failure.case.images
    named = [p.as_posix() if folder is None else name_from(p, folder) for p in images]
    return {
        "subject": by.subject,
        "timepoint": by.timepoint,
        "rater": by.rater,
        "reading": by.reading,
        "path": ";".join(named),
        "error": failure.error,
        "message": failure.message,
        "remedy": failure.remedy,
    }


def as_plain(record: CaseRecord) -> dict[str, Any]:
    """Return a record as plain values for JSON; an undefined area is null."""
    numbers = {by: place for place, by in enumerate(record.readings)}
    return {
        "reading": names_of(record.reading),
        "readings": [names_of(by) for by in record.readings],
        "areas": [
            [numbers[area.by], area.structure, area.level, area.side,
             None if area.mm2 != area.mm2 else float(area.mm2), area.reason]
            for area in record.areas
        ],
        "notes": [
            [names_of(by), *map(str, place), note] for (by, place), note in record.notes.items()
        ],
        "unnamed": [[list(values), name] for values, name in record.unnamed],
        "pictures": None if record.pictures is None else list(map(list, record.pictures)),
        "failure": record.failure,
        "own_columns": list(record.own_columns),
        "acquisitions": list(record.acquisitions),
        "n_rows": record.n_rows,
        "n_flagged": record.n_flagged,
        "facts": dict(record.facts),
    }  # fmt: skip


def from_plain(plain: Mapping[str, Any]) -> CaseRecord:
    """Return the record that was written."""
    readings = tuple(Reading(*names) for names in plain["readings"])
    drawn = plain["pictures"]
    return CaseRecord(
        Reading(*plain["reading"]),
        readings,
        tuple(_area(readings, values) for values in plain["areas"]),
        FrozenDict(
            {
                (Reading(*by), (Level(level), Structure(structure), Side(side))): note
                for by, level, structure, side, note in plain["notes"]
            }
        ),
        tuple((tuple(values), name) for values, name in plain["unnamed"]),
        None if drawn is None else tuple((name, caption) for name, caption in drawn),
        plain["failure"],
        tuple(plain["own_columns"]),
        tuple(plain["acquisitions"]),
        plain["n_rows"],
        plain["n_flagged"],
        FrozenDict(plain["facts"]),
    )


def _area(readings: Sequence[Reading], values: Sequence[Any]) -> SideArea:
    place, structure, level, side, mm2, reason = values
    known = word_or_text(structure, Structure), word_or_text(side, Side)
    return SideArea(
        readings[place], known[0], level, known[1], float("nan") if mm2 is None else mm2, reason
    )


def names_of(by: Reading) -> list[str | int]:
    """Return a reading as plain values; ``Reading(*names)`` is it again."""
    return [by.subject, by.timepoint, by.rater, by.reading]


def with_facts(record: CaseRecord, facts: Mapping[str, Any]) -> CaseRecord:
    """Return a record that says more about how it came about."""
    return replace(record, facts=FrozenDict({**record.facts, **facts}))
