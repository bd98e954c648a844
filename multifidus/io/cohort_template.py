"""From a scan to the start of a research study: the rows of a cohort table."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from multifidus.data.cells import folded
from multifidus.data.columns import COHORT_COLUMNS, MORE_COHORT_COLUMNS, reserved_as
from multifidus.data.identity import Person
from multifidus.data.image import Exam
from multifidus.errors import ReadError
from multifidus.io.bids.cohort_rows import CohortRows, RowOptions, bids_rows, split_bids_exams
from multifidus.io.files import name_from, refuse_existing
from multifidus.io.scan_result import ExamKey, Scan
from multifidus.io.subject_keys import (
    SubjectKeys,
    open_subject_keys,
    read_same_person,
    write_subject_keys,
)
from multifidus.io.table_csv import write_rows
from multifidus.io.visit_order import Visit, joined, visits

_MARK_DIGITS = 5
"""Where the mark ends that parts exams of one name: four digits after the letter."""


def _is_reserved(name: str) -> bool:
    """Whether the results have a column of this name, or a cohort table may have it."""
    cohort = (*COHORT_COLUMNS, *MORE_COHORT_COLUMNS)
    return bool(reserved_as(name)) or folded(name) in map(folded, cohort)


def list_cohort(
    scan: Scan, keys: SubjectKeys, folder: Path, *, show_identifiers: bool = False
) -> CohortRows:
    """Return the rows of a cohort table, and remarks about them.

    Exams whose files have BIDS names are called by their labels; see :func:`cohort_rows`.
    """
    visits, others = split_bids_exams(scan)
    how = RowOptions(
        COHORT_COLUMNS,
        _is_reserved,
        folder,
        lambda exam: _sources(exam, scan, folder),
        show_identifiers,
        keys.same,
    )
    named = bids_rows(visits, how)
    rest = replace(scan, exams=tuple(others))
    rows = cohort_rows(rest, keys, folder, show_identifiers=show_identifiers)
    return CohortRows([*rows, *named.rows], [*named.remarks, *_shared_archives(scan)])


def _shared_archives(scan: Scan) -> Iterable[str]:
    """Say which archives hold several exams, of which a table cannot name one."""
    holders: dict[Path, int] = {}
    for exam in scan.exams:
        for archive in {scan.archive_of(path) for path in scan.paths_of(exam)}:
            if archive is not None:
                holders[archive] = holders.get(archive, 0) + 1
    for archive, count in holders.items():
        if count > 1:
            yield f"{archive.name} holds {count} exams: unpack it, so that each can be named."


def cohort_rows(
    scan: Scan, keys: SubjectKeys, folder: Path, *, show_identifiers: bool = False
) -> list[dict[str, Any]]:
    """Return one row an exam; several exams of one subject are timepoints in order of their dates.

    Where nothing says in which order exams were, ``order`` is empty and ``timepoint`` suggests
    none.

    Parameters
    ----------
    scan
        What was found.
    keys
        Gives subjects their neutral names.
    folder
        Where the table goes; paths are relative to it.
    show_identifiers
        Whether calendar dates may stand in the table.
    """
    names = exam_names(scan, keys)
    exams: dict[str, list[Exam]] = {}
    for exam in scan.exams:
        own = names[exam.subject, exam.timepoint]
        exams.setdefault(keys.same.get(own, own), []).append(exam)
    rows = []
    for subject in sorted(exams):
        members = exams[subject]
        in_order = {exam.subject for exam in members} <= scan.in_order
        found = visits(members, in_order=in_order)
        first = found[0].exam.date
        for visit, timepoint in zip(found, _timepoints(found, keys), strict=True):
            row: dict[str, Any] = dict.fromkeys(COHORT_COLUMNS, "")
            row |= {"subject": subject, "timepoint": timepoint, "reading": 1}
            row["order"] = "" if visit.order is None else visit.order
            row["images"] = ";".join(_sources(visit.exam, scan, folder))
            if visit.exam.date is not None and first is not None:
                row["days"] = (visit.exam.date - first).days
                row["date"] = visit.exam.date.isoformat() if show_identifiers else ""
            rows.append(row)
    return rows


def exam_names(scan: Scan, keys: SubjectKeys) -> dict[ExamKey, str]:
    """Return the neutral name of each exam's subject, whoever it is one with.

    Exams with BIDS names have none: they are called by their labels.
    """
    names: dict[ExamKey, str] = {}
    for exam in split_bids_exams(scan)[1]:
        who = exam.subject, exam.timepoint
        names[who] = keys.name_of(_identity(exam), scan.people.get(who, Person()))
    return names


def _timepoints(found: Iterable[Visit], keys: SubjectKeys) -> list[str]:
    """Name a subject's exams; those that share a name get additions that suggest no order."""
    names: list[str] = []
    for visit in found:
        name, repeat = visit.name, 0
        while visit.is_one_of_several and (name == visit.name or name in names):
            uids = sorted(item.uid for series in visit.exam.series for item in series.slices)
            name = f"{visit.name}-{keys.name(f'{uids}{repeat or str()}')[1:_MARK_DIGITS]}"
            repeat += 1
        names.append(name)
    return names


def _identity(exam: Exam) -> str:
    """Return what identifies the subject: an identifier, or else the content of the files."""
    return exam.identity or "|".join(series.uid for series in exam.series)


def _sources(exam: Exam, scan: Scan, folder: Path) -> Iterable[str]:
    """Name an exam's files: their folder, where it holds nothing else, or each, or the archive."""
    own = {_lasting(path, scan) for path in scan.paths_of(exam)}
    others = {_lasting(path, scan) for paths in scan.paths.values() for path in paths} - own
    common = Path(os.path.commonpath([path.parent for path in own]))
    packed = own & {archive.resolve() for archive in scan.archives.values()}
    if not packed and not any(path.is_relative_to(common) for path in others):
        return [name_from(common, folder.resolve())]
    return sorted(name_from(path, folder.resolve()) for path in own)


def _lasting(path: Path, scan: Scan) -> Path:
    """Return a file, or the archive that holds it: what was unpacked goes with the program."""
    return (scan.archive_of(path) or path).resolve()


@dataclass(frozen=True, slots=True)
class CohortSummary:
    """What a new cohort table holds."""

    subjects: int
    exams: int
    made_keys: bool
    remarks: tuple[str, ...] = ()


def write_cohort(
    scan: Scan,
    path: Path,
    keys_path: Path,
    *,
    show_identifiers: bool,
    overwrite: bool,
    same: Mapping[str, str] | None = None,
) -> CohortSummary:
    """Write a cohort table, its subjects named by the keys of a file that is made if need be.

    Parameters
    ----------
    scan
        What was found.
    path, keys_path
        Where the table goes, and where the keys are.
    show_identifiers
        Whether calendar dates may stand in the table.
    overwrite
        Whether a table that is there may be replaced.
    same
        Names to the names that stand in their place, as of :func:`join_people`.

    Raises
    ------
    WriteError
        If the table exists and ``overwrite`` is not set.
    ReadError
        If the key file is damaged.
    """
    refuse_existing(path, overwrite=overwrite)
    # Names from BIDS need no key, and one that nobody needs would only be kept by mistake.
    needs_keys = bool(split_bids_exams(scan)[1])
    keys, made = open_subject_keys(keys_path) if needs_keys else (SubjectKeys(b""), False)
    keys = replace(keys, same=same or {})
    listed = list_cohort(scan, keys, path.parent, show_identifiers=show_identifiers)
    known = keys.with_known(
        (name, scan.people.get(who, Person())) for who, name in exam_names(scan, keys).items()
    )
    if known != keys:
        write_subject_keys(known, keys_path)
    write_rows(listed.rows, path, COHORT_COLUMNS, overwrite=overwrite)
    exams = {(row["subject"], row["timepoint"]) for row in listed.rows}
    return CohortSummary(len({who for who, _ in exams}), len(exams), made, tuple(listed.remarks))


def join_people(
    scan: Scan, table: Path | None, keys_path: Path | None
) -> tuple[Scan, Mapping[str, str]]:
    """Join the subjects of a scan that a table says are one person.

    Parameters
    ----------
    scan
        What was found.
    table
        Columns ``subject`` and ``same_as``, names as a cohort.csv has them; None joins nobody.
    keys_path
        The file of keys by which that table's subjects were named.

    Returns
    -------
    tuple
        The scan, and the names that stand in the place of others.

    Raises
    ------
    ReadError
        If there is no such file, or one is damaged.
    CohortError
        If the table names subjects that are unknown, or contradicts itself.
    """
    if table is None:
        return scan, {}
    labelled = {visit.exam.subject for visit in split_bids_exams(scan)[0]}
    if len(labelled) == len({exam.subject for exam in scan.exams}):
        # Labels are names as they are: the rows of a cohort table are joined by them.
        return scan, read_same_person(table, labelled)
    if keys_path is None or not keys_path.exists():
        msg = f"{table} names subjects as keys do, and there is no such key file: {keys_path}."
        remedy = "Write a cohort.csv first, and name its key file: --subject-keys FILE."
        raise ReadError(msg, remedy=remedy)
    keys, _ = open_subject_keys(keys_path)
    names = exam_names(scan, keys)
    same = read_same_person(table, {*names.values(), *keys.known, *labelled})
    first: dict[str, str] = {}
    one_with: dict[str, str] = {}
    for (subject, _), name in names.items():
        one_with[subject] = first.setdefault(same.get(name, name), subject)
    return joined(scan, {s: other for s, other in one_with.items() if s != other}), same
