"""What a table's columns say of exams and subjects, and where its rows contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multifidus.data.cells import near_names
from multifidus.errors import StatisticsError
from multifidus.stats.values import Value

GROUP_COLUMNS = ("approach", "group")
"""Columns of a cohort table that are always looked at for groups pooled."""

OPERATED_SIDES = ("left", "right", "both", "none")

_REMEDY = "Correct the cohort table, and measure again."


def said_of_exams(values: Iterable[Value], column: str) -> dict[tuple[str, str], str]:
    """Return what a column says of each exam, by subject and timepoint, where it says something.

    Raises
    ------
    StatisticsError
        If the rows of one exam disagree.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for item in values:
        text = item.extra.get(column, "").strip()
        if text:
            found.setdefault((item.subject, item.timepoint), set()).add(text)
    for (subject, timepoint), names in found.items():
        if len(names) > 1:
            what = f"{column.replace('_', ' ').removesuffix('s')}s"
            msg = f"Rows of {subject} {timepoint} name several {what}: {sorted(names)}."
            raise StatisticsError(msg, remedy=_REMEDY)
    return {exam: next(iter(names)) for exam, names in found.items()}


def check_operated_sides(values: Iterable[Value]) -> None:
    """Refuse sides of surgery that are none, and rows of one exam that name several.

    Raises
    ------
    StatisticsError
        Naming the exam and what its rows say.
    """
    for (subject, timepoint), side in said_of_exams(values, "operated_side").items():
        if side not in OPERATED_SIDES:
            msg = f"The operated side of {subject} {timepoint} is {side!r}."
            raise StatisticsError(msg, remedy=f"Write one of: {', '.join(OPERATED_SIDES)}.")


def groups_alike(values: Iterable[Value], column: str = "") -> Iterator[str]:
    """Say which groups of subjects may be one under two spellings."""
    items = list(values)
    for name in dict.fromkeys(filter(None, (column, *GROUP_COLUMNS))):
        yield from near_names("group", {item.extra.get(name, "").strip() for item in items} - {""})
