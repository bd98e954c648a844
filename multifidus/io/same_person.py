"""A table of who is one: subjects that were taken for several people, joined by hand.

It has the columns ``subject`` and ``same_as``, both names of a cohort.csv; one row a subject whose
exams are those of another.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from multifidus.errors import CohortError
from multifidus.io.table_reader import ExpectedTable, read_table

COLUMNS = ("subject", "same_as")

_REMEDY = "Give the names of subjects in a cohort.csv that was written with the same key file."


def read_same_person(path: Path, known: Container[str]) -> dict[str, str]:
    """Read which subjects are one with which other.

    Parameters
    ----------
    path
        A CSV file of the columns ``subject`` and ``same_as``.
    known
        Names of subjects that there are, or were in earlier runs.

    Returns
    -------
    dict
        Subject to the one whose name it takes; of several in a row, the last.

    Raises
    ------
    ReadError
        If the file cannot be read.
    CohortError
        If columns are missing, a name is unknown or missing, a subject is the same as two others,
        or names go in a circle; names the line.
    """
    table = read_table(path, ExpectedTable("a table of who is one person", known=COLUMNS))
    missing = [name for name in COLUMNS if name not in table.header]
    if missing:
        msg = f"{path} lacks the columns {', '.join(missing)}."
        raise CohortError(msg, remedy=f"Required are: {', '.join(COLUMNS)}.")
    same: dict[str, str] = {}
    for line, row in zip(table.lines, table.rows, strict=True):
        where = f"{path}, line {line}"
        subject, other = (row[name].strip() for name in COLUMNS)
        for name in (subject, other):
            if not name:
                msg = f"{where} lacks a name."
                raise CohortError(msg, remedy="Name two subjects in each line.")
            if name not in known:
                msg = f"{where}: there is no subject {name!r}."
                raise CohortError(msg, remedy=_REMEDY)
        if same.setdefault(subject, other) != other:
            msg = f"{where}: {subject} is the same as {same[subject]} and as {other}."
            raise CohortError(msg, remedy="Say each subject's other name once.")
    return {subject: _last(subject, same, path) for subject in same}


def _last(subject: str, same: dict[str, str], path: Path) -> str:
    passed = [subject]
    while passed[-1] in same:
        following = same[passed[-1]]
        if following in passed:
            msg = f"{path}: {' is the same as '.join([*passed, following])}: a circle."
            raise CohortError(msg, remedy="Choose one of the names, and let the others be its.")
        passed.append(following)
    return passed[-1]
