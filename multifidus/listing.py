"""From a scan to the start of a research study: the rows of a cohort table."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from multifidus.bids_listing import Listed, Listing, list_visits, part_visits
from multifidus.cells import folded
from multifidus.columns import COHORT_COLUMNS, MORE_COHORT_COLUMNS, reserved_as
from multifidus.image import Exam
from multifidus.io.files import name_from, refuse_existing
from multifidus.io.scan import Scan
from multifidus.io.subject_keys import SubjectKeys, open_subject_keys
from multifidus.io.tables import write_rows


def _is_reserved(name: str) -> bool:
    """Whether the results have a column of this name, or a cohort table may have it."""
    cohort = (*COHORT_COLUMNS, *MORE_COHORT_COLUMNS)
    return bool(reserved_as(name)) or folded(name) in map(folded, cohort)


def list_cohort(
    scan: Scan, keys: SubjectKeys, folder: Path, *, show_identifiers: bool = False
) -> Listed:
    """Return the rows of a cohort table, and what is to be said about them.

    Exams whose files have BIDS names are called by their labels; see :func:`cohort_rows`.
    """
    visits, others = part_visits(scan)
    how = Listing(
        COHORT_COLUMNS,
        _is_reserved,
        folder,
        lambda exam: _sources(exam, scan, folder),
        show_identifiers,
    )
    named = list_visits(visits, how)
    rest = replace(scan, exams=tuple(others))
    rows = cohort_rows(rest, keys, folder, show_identifiers=show_identifiers)
    return Listed([*rows, *named.rows], [*named.remarks, *_shared_archives(scan)])


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
    visits: dict[str, list[Exam]] = {}
    for exam in scan.exams:
        visits.setdefault(keys.name(_identity(exam)), []).append(exam)
    rows = []
    for subject in sorted(visits):
        dated = sorted(visits[subject], key=_by_date)
        first = dated[0].date
        for order, exam in enumerate(dated, 1):
            row: dict[str, Any] = dict.fromkeys(COHORT_COLUMNS, "")
            row |= {"subject": subject, "timepoint": f"t{order}", "order": order, "reading": 1}
            row["images"] = ";".join(_sources(exam, scan, folder))
            if exam.date is not None and first is not None:
                row["days"] = (exam.date - first).days
                row["date"] = exam.date.isoformat() if show_identifiers else ""
            rows.append(row)
    return rows


def _by_date(exam: Exam) -> datetime.date:
    """Exams without a date come last, in the order in which they were found."""
    return exam.date or datetime.date.max


def _identity(exam: Exam) -> str:
    """Return what tells subjects apart; files that name none are told apart by their content."""
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
class Written:
    """What a new cohort table holds."""

    subjects: int
    exams: int
    made_keys: bool
    remarks: tuple[str, ...] = ()


def write_cohort(
    scan: Scan, path: Path, keys_path: Path, *, show_identifiers: bool, overwrite: bool
) -> Written:
    """Write a cohort table, its subjects named by the keys of a file that is made if need be.

    Raises
    ------
    WriteError
        If the table exists and ``overwrite`` is not set.
    ReadError
        If the key file is damaged.
    """
    refuse_existing(path, overwrite=overwrite)
    # Names from BIDS need no key, and one that nobody needs would only be kept by mistake.
    needs_keys = bool(part_visits(scan)[1])
    keys, made = open_subject_keys(keys_path) if needs_keys else (SubjectKeys(b""), False)
    listed = list_cohort(scan, keys, path.parent, show_identifiers=show_identifiers)
    rows = listed.rows
    write_rows(rows, path, COHORT_COLUMNS, overwrite=overwrite)
    exams = {(row["subject"], row["timepoint"]) for row in rows}
    return Written(len({who for who, _ in exams}), len(exams), made, tuple(listed.remarks))
