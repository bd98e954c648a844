"""Undoing blinding: outline files under codes become files under subjects, and rows of a cohort."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from multifidus.data.cells import is_missing, whole
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import CohortError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.files import name_from, named_path, reading
from multifidus.io.outlines_json import (
    JOURNAL_SUFFIX,
    SUFFIX,
    beside,
    file_name,
    read_outlines,
    write_outlines,
)
from multifidus.io.table_csv import write_rows
from multifidus.io.table_reader import TextRow, read_rows
from multifidus.reading.audit_log import (
    AUDIT_SUFFIX,
    Entry,
    active_seconds,
    audit_path,
    done_at,
    entries,
)
from multifidus.reading.code_key import BLINDED, CodeKey, read_key

TABLE = "cohort.csv"

BLINDED_LIST_NAME = "blinded, in random order"
"""How the table names a reading list that was blinded."""

_PATHS = ("images", "landmarks")
"""Columns of paths that go along; what else a row names of files was another reading's."""

_COLUMNS = ("subject", "timepoint", "rater", "reading", "images", "outlines", "labels")

_MADE = ("blinded", "reading_list", "reread_after_days", "reading_minutes")
"""Columns that are made here."""


@dataclass(frozen=True, slots=True)
class UnblindReport:
    """What was written.

    Attributes
    ----------
    files
        Outline files by the reading that they are of.
    unknown
        Blinded files whose codes the key does not know.
    table
        The cohort table.
    """

    files: Mapping[Reading, Path]
    unknown: tuple[Path, ...]
    table: Path


def unblind(folder: Path, key_path: Path, out: Path, cohort: Path | None = None) -> UnblindReport:
    """Rewrite blinded outline files under their true subjects and timepoints.

    Parameters
    ----------
    folder
        Blinded files, in folders of folders.
    key_path
        The coordinator's key.
    out
        Where they go; a table there gets the rows that it lacks.
    cohort
        The study's table; the one that the key was made of if None.

    Raises
    ------
    MultifidusError
        If the key, a file or the table cannot be read, the table has a column of its own under a
        name that is made here, no file is blinded, two files are of one reading, or a file in
        ``out`` holds something else.
    """
    key = read_key(key_path)
    table = cohort or named_path(key.cohort, key_path.parent)
    read_cohort(table)  # says what is wrong with it, if anything
    study = read_rows(table)
    _refuse_own_columns(study, table)
    found, unknown = _blinded(folder, key)
    if not found:
        msg = f"No outline file in {folder} has a code that the key {key_path} knows."
        raise CohortError(msg, remedy="Give the folder that a rater returned, and the study's key.")
    made = {by: (path, rois.read_by(by)) for by, (path, rois) in found.items()}
    new = _new_rows(study, made, table, out)
    for by, (_, rois) in made.items():
        _refuse_other(out / file_name(by), rois)
    for by, (path, rois) in made.items():
        target = out / file_name(by)
        if not target.exists():
            write_outlines(rois, target)
        _bring_along(path, target)
    _append(out / TABLE, new)
    return UnblindReport({by: out / file_name(by) for by in made}, unknown, out / TABLE)


def _blinded(
    folder: Path, key: CodeKey
) -> tuple[dict[Reading, tuple[Path, RoiSet]], tuple[Path, ...]]:
    """Find the blinded outline files in a folder, and those whose code is not known."""
    found: dict[Reading, tuple[Path, RoiSet]] = {}
    unknown = []
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        rois = read_outlines(path)
        if rois.reading.timepoint != BLINDED:
            continue
        by = key.true(rois.reading)
        if by is None:
            unknown.append(path)
            continue
        if by in found:
            msg = f"{found[by][0]} and {path} are of one reading."
            raise CohortError(msg, remedy="Settle which one counts; see multifidus merge.")
        found[by] = (path, rois)
    return found, tuple(unknown)


def _refuse_other(target: Path, rois: RoiSet) -> None:
    if target.exists() and read_outlines(target) != rois:
        msg = f"{target} already holds other outlines."
        raise WriteError(msg, remedy="Choose another folder, or move that file away.")


def _bring_along(path: Path, target: Path) -> None:
    """Copy what stands beside an outline file; none of it holds a name."""
    for suffix in (AUDIT_SUFFIX, JOURNAL_SUFFIX):
        source = beside(path, suffix)
        if source.exists():
            with reading(source, "a file beside outlines"):
                shutil.copyfile(source, beside(target, suffix))


# --- rows of the cohort ----------------------------------------------------------------------


def _new_rows(
    study: Sequence[TextRow],
    made: Mapping[Reading, tuple[Path, RoiSet]],
    table: Path,
    out: Path,
) -> list[TextRow]:
    """Make a row of each reading: its exam's row in the study's table, under its own name."""
    exams: dict[tuple[str, str], TextRow] = {}
    for row in study:
        exams.setdefault((row["subject"].strip(), row["timepoint"].strip()), row)
    logs = _logs(made, out)
    new = []
    for by in sorted(made):
        if (by.subject, by.timepoint) not in exams:
            msg = f"{table} has no row of subject {by.subject}, timepoint {by.timepoint}."
            raise CohortError(msg, remedy="Name the study's table: --cohort FILE.")
        row = exams[by.subject, by.timepoint]
        moved = {name: _moved(row[name], table.parent, out) for name in _PATHS if name in row}
        own = {"rater": by.rater, "reading": str(by.reading), "outlines": file_name(by)}
        new.append({**row, **moved, **own, "labels": "", **_reading_facts(by, logs)})
    return new


def _refuse_own_columns(study: Sequence[TextRow], table: Path) -> None:
    """Refuse a study's own columns under the names of columns that are made here.

    Rows that an earlier unblinding wrote hold them rightly, and say so.
    """
    for row in study:
        if row.get("reading_list", "").strip() == BLINDED_LIST_NAME:
            continue
        for name in _MADE:
            if not is_missing(row.get(name)):
                msg = f"{table} has a column {name!r}, in which unblinding says how it was read."
                raise CohortError(msg, remedy=f"Rename it, for example 'study_{name}'.")


def _logs(made: Mapping[Reading, tuple[Path, RoiSet]], out: Path) -> dict[Reading, Sequence[Entry]]:
    """Read what was logged of each reading, and of the first of its exam if that came earlier."""
    firsts = {replace(by, reading=1) for by in made}
    earlier = {by: entries(audit_path(out / file_name(by))) for by in firsts}
    return {**earlier, **{by: entries(audit_path(path)) for by, (path, _) in made.items()}}


def _reading_facts(by: Reading, logs: Mapping[Reading, Sequence[Entry]]) -> TextRow:
    """Return how an exam was read, as far as its log says; for the report. No date is given."""
    seconds = active_seconds(logs[by])
    minutes = f"{seconds / 60:.1f}" if seconds else ""
    values = ("yes", BLINDED_LIST_NAME, _days_since_first(by, logs), minutes)
    return dict(zip(_MADE, values, strict=True))


def _days_since_first(by: Reading, logs: Mapping[Reading, Sequence[Entry]]) -> str:
    """Days from the end of a rater's first reading of an exam to that of this one."""
    first = replace(by, reading=1)
    if by == first:
        return ""
    before, after = done_at(logs[first]), done_at(logs[by])
    if before is None or after is None:
        return ""
    return f"{(after - before).total_seconds() / 86400:.1f}"


def _moved(cell: str, start: Path, out: Path) -> str:
    """Name the same files from another folder."""
    parts = (named_path(part.strip(), start) for part in cell.split(";") if part.strip())
    return ";".join(name_from(path.resolve(), out.resolve()) for path in parts)


def _append(path: Path, new: Sequence[TextRow]) -> None:
    """Add the rows that a table lacks; those that it has stay as they are."""
    old = read_rows(path) if path.exists() else []
    have = {_reading_of(row) for row in old}
    added = [row for row in new if _reading_of(row) not in have]
    write_rows([*old, *added], path, _COLUMNS, overwrite=True)


def _reading_of(row: TextRow) -> tuple[str, ...]:
    names = (row.get(name, "").strip() for name in ("subject", "timepoint", "rater", "reading"))
    *who, number = names
    return (*who, str(whole(number) or 1))
