"""The order of timepoints by the columns of a table, and where columns contradict each other."""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import Protocol

from multifidus.data.cells import is_missing
from multifidus.errors import StatisticsError

COLUMNS = ("order", "days", "date")
"""What puts timepoints in order; the first that does is followed."""

Places = dict[str, set[float]]
"""Of one subject: each timepoint, and where its rows put it."""

MOST_SUBJECTS = 10
"""So many subjects are named in one sentence."""


class ExamRow(Protocol):
    """A row of a table about one exam."""

    @property
    def subject(self) -> str:
        """Whose exam."""

    @property
    def timepoint(self) -> str:
        """Which of the subject's."""

    @property
    def extra(self) -> Mapping[str, str]:
        """What else the table says of it."""


def places(rows: Iterable[ExamRow], column: str) -> dict[str, int]:
    """Find each timepoint's place; empty where the column does not order every subject alike.

    Raises
    ------
    StatisticsError
        If a cell puts nothing in order.
    """
    per_subject: dict[str, dict[str, float]] = {}
    for row in rows:
        text = row.extra.get(column, "").strip()
        if text:
            per_subject.setdefault(row.subject, {})[row.timepoint] = _place(column, text)
    if any(len(set(found.values())) < len(found) for found in per_subject.values()):
        return {}  # two timepoints at one place, such as two exams of one day, have no order
    orders = {tuple(sorted(found, key=found.__getitem__)) for found in per_subject.values()}
    longest = max(orders, key=len, default=())
    if any(tuple(name for name in longest if name in order) != order for order in orders):
        return {}
    return {name: place for place, name in enumerate(longest)}


def _place(column: str, text: str) -> float:
    try:
        if column == "date":
            return float(datetime.date.fromisoformat(text).toordinal())
        return float(text)
    except ValueError:
        msg = f"The {column} of a timepoint is {text!r}, which puts nothing in order."
        raise StatisticsError(msg) from None


def contradictions(rows: Iterable[ExamRow]) -> tuple[str, ...]:
    """Report where columns put two timepoints of a subject in opposite orders, in sentences.

    A subject without an order of its own has that of the study, which its changes follow too.
    Cells that put nothing in order are passed over.

    Parameters
    ----------
    rows
        Of a study, in any order.
    """
    rows = [*rows]
    by_column = {column: _places_by_subject(rows, column) for column in COLUMNS}
    contradicted: dict[tuple[str, str, str, str], list[str]] = {}
    for subject in dict.fromkeys(row.subject for row in rows):
        for one, other in combinations(COLUMNS, 2):
            pair = by_column[one].get(subject, {}), by_column[other].get(subject, {})
            for first, second in _reversed(*pair):
                contradicted.setdefault((one, other, first, second), []).append(subject)
    return tuple(_in_words(found, subjects) for found, subjects in contradicted.items())


def _places_by_subject(rows: Sequence[ExamRow], column: str) -> dict[str, Places]:
    """Return where a column puts each subject's timepoints."""
    found: dict[str, Places] = {}
    for subject, timepoint, text in dict.fromkeys(
        (row.subject, row.timepoint, row.extra.get(column, "").strip()) for row in rows
    ):
        if not is_missing(text):
            with contextlib.suppress(StatisticsError):
                place = _place(column, text)
                found.setdefault(subject, {}).setdefault(timepoint, set()).add(place)
    if column == COLUMNS[0]:
        with contextlib.suppress(StatisticsError):
            study = {name: {float(place)} for name, place in places(rows, column).items()}
            for subject in {row.subject for row in rows} - set(found):
                found[subject] = study
    return found


def _reversed(one: Places, other: Places) -> Iterator[tuple[str, str]]:
    """Yield the timepoints, earlier first by one column, that another has the other way round."""
    for first, second in permutations([name for name in one if name in other], 2):
        if min(one[first]) < max(one[second]) and max(other[first]) > min(other[second]):
            yield first, second


def _in_words(found: tuple[str, str, str, str], subjects: list[str]) -> str:
    one, other, first, second = found
    more = len(subjects) - MOST_SUBJECTS
    who = ", ".join(subjects[:MOST_SUBJECTS]) + (f" and {more} more" if more > 0 else "")
    return (
        f"Of {who}, {one} puts {first} before {second}, and {other} puts {second} before {first}: "
        "one is mistaken, and a change that follows it has the wrong sign. Correct the cohort "
        "table, and measure again."
    )
