"""``cohort.csv``: the table that says which exams make a research study; a workbook as well."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from multifidus.data.cells import is_missing, whole
from multifidus.data.clinical import Clinical
from multifidus.data.cohort import Case, Cohort
from multifidus.data.columns import COHORT_COLUMNS, MORE_COHORT_COLUMNS, check_extra
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.roi import Reading
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.files import is_file, named_path
from multifidus.io.table_reader import ExpectedTable, read_table

REQUIRED = ("subject", "timepoint", "images")

_OWN = {
    "subject", "timepoint", "rater", "reading",
    "images", "outlines", "labels", "landmarks", "series",
}  # fmt: skip

_KNOWN = (*COHORT_COLUMNS, *MORE_COHORT_COLUMNS)

LEVELS_BY = ("shared", "rater")
"""Who sets levels: once for all raters of an exam, or each rater."""


def read_cohort(path: str | Path) -> Cohort:
    """Read a cohort table; paths in it are relative to it, ``;`` between several.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    CohortError
        If columns are missing, one has the name of a column of the results, a row lacks what it
        needs or holds an invalid value, or a reading is listed twice; names the line.
    """
    file = Path(path)
    expected = ExpectedTable("a cohort table", known=_KNOWN, error=CohortError)
    table = read_table(file, expected)
    missing = [name for name in REQUIRED if name not in table.header]
    if missing:
        msg = f"{file} lacks the columns {', '.join(missing)}."
        raise CohortError(msg, remedy=f"Required are: {', '.join(REQUIRED)}.")
    try:
        check_extra({*table.header} - _OWN)
        lines = zip(table.lines, table.rows, strict=True)
        cases = tuple(_case(row, file, line) for line, row in lines)
        return Cohort(cases, (table.remark,) if table.remark else ())
    except CohortError as error:
        if error.message.startswith(str(file)):
            raise
        raise CohortError(f"{file}: {error.message}", remedy=error.remedy) from error


def _case(row: Mapping[str, str], file: Path, line: int) -> Case:
    cells = {name: _cell(name, value.strip()) for name, value in row.items()}
    for name in REQUIRED:
        if not cells[name]:
            why = f": {row[name].strip()!r} stands for nothing" if row[name].strip() else ""
            raise CohortError(f"{file}, line {line} has no {name}{why}.")
    try:
        number = whole(cells.get("reading", ""))
        names = (cells["subject"], cells["timepoint"], cells.get("rater", ""))
        by = Reading(*names, 1 if number is None else number)
        clinical = Clinical.from_cells(cells)
    except MultifidusError as error:
        msg = f"{file}, line {line}: {error.message}"
        raise CohortError(msg, remedy=error.remedy) from error
    except ValueError as error:
        msg = f"{file}, line {line}: reading: {error}."
        raise CohortError(msg, remedy="Readings count 1, 2, ...") from error

    def paths(name: str) -> tuple[Path, ...]:
        parts = (part.strip() for part in cells.get(name, "").split(";"))
        return tuple(named_path(part, file.parent) for part in parts if part)

    extra = {name: value for name, value in cells.items() if name not in _OWN}
    landmarks = paths("landmarks")
    if landmarks or "levels_by" in cells:
        extra["levels_by"] = _levels_by(cells, file, line)
    labels = _labels(cells.get("labels", ""), file.parent)
    return Case(
        by, paths("images"), paths("outlines"), labels, FrozenDict(extra), clinical,
        landmarks, file.parent, cells.get("series") or None, line,
    )  # fmt: skip


def _labels(cell: str, folder: Path) -> str | None:
    """Return label schemes with files among them named from where we are."""
    found = []
    for part in map(str.strip, cell.split(";")):
        path = named_path(part, folder)
        found.append(str(path) if Path(part).suffix and is_file(path) else part)
    return ";".join(found) or None


def _cell(name: str, text: str) -> str:
    """Return a cell; nothing where it says NA in a column that is understood.

    A rater may have these initials, and other columns are the study's own.
    """
    return "" if name in _KNOWN and name != "rater" and is_missing(text) else text


def _levels_by(cells: Mapping[str, str], file: Path, line: int) -> str:
    """Return who sets levels: as the table says, and shared where landmarks are named."""
    named, shares = cells.get("levels_by", ""), bool(cells.get("landmarks"))
    if named not in {"", *LEVELS_BY}:
        msg = f"{file}, line {line} has levels_by {named!r}."
        raise CohortError(msg, remedy=f"Allowed are: {', '.join(LEVELS_BY)}.")
    if named and (named == "shared") != shares:
        has = "names landmarks" if shares else "names no landmarks"
        msg = f"{file}, line {line} has levels_by {named!r} and {has}."
        remedy = "Shared levels need the column landmarks; levels set by each rater leave it empty."
        raise CohortError(msg, remedy=remedy)
    return named or ("shared" if shares else "")
