"""Facts of exams and subjects in a table's columns, and where its rows contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from multifidus.data.cells import near_names
from multifidus.errors import StatisticsError
from multifidus.stats.values import Value

GROUP_COLUMNS = ("approach", "group")
"""Columns of a cohort table that are always looked at for groups pooled."""

OPERATED_SIDES = ("left", "right", "both", "none")

_REMEDY = "Correct the cohort table, and measure again."


def facts_of_exams(values: Iterable[Value], column: str) -> dict[tuple[str, str], str]:
    """Return the content of a column by exam (subject and timepoint), where there is any.

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
        Naming the exam and the contents of its rows.
    """
    for (subject, timepoint), side in facts_of_exams(values, "operated_side").items():
        if side not in OPERATED_SIDES:
            msg = f"The operated side of {subject} {timepoint} is {side!r}."
            raise StatisticsError(msg, remedy=f"Write one of: {', '.join(OPERATED_SIDES)}.")


def groups_alike(values: Iterable[Value], column: str = "") -> Iterator[str]:
    """Report groups of subjects that may be one under two spellings."""
    items = list(values)
    for name in dict.fromkeys(filter(None, (column, *GROUP_COLUMNS))):
        yield from near_names("group", {item.extra.get(name, "").strip() for item in items} - {""})
