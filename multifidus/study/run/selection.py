"""Which cases of a cohort a run measures."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from multifidus.data.cohort import Case
from multifidus.data.roi import Reading
from multifidus.errors import CohortError

FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of the cases that are to be measured are measured now; tables hold all that are done.

    Parameters
    ----------
    include, exclude
        ``COLUMN=VALUE``: several of one column are alternatives, several columns go together.
    only_failed
        Whether to measure those alone that failed before.
    limit
        How many at most, the first of the table; None for all.

    Raises
    ------
    CohortError
        If one of them has no ``=``.
    """

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    only_failed: bool = False
    limit: int | None = None

    def __post_init__(self) -> None:
        for text in (*self.include, *self.exclude):
            if "=" not in text:
                msg = f"{text!r} names no column and value."
                raise CohortError(msg, remedy="Write COLUMN=VALUE, such as subject=S01.")

    def of(
        self, todo: Sequence[Case], failed: Collection[Reading], cohort: Sequence[Case]
    ) -> tuple[Case, ...]:
        """Return the cases to measure now.

        Parameters
        ----------
        todo
            Those that are not done.
        failed
            Readings that failed before.
        cohort
            All cases, whose columns may be named.

        Raises
        ------
        CohortError
            If a column is named that no case has.
        """
        known = {name for case in cohort for name in _cells(case)}
        for text in (*self.include, *self.exclude):
            column = text.partition("=")[0].strip()
            if column not in known:
                msg = f"The cohort has no column {column!r} to choose cases by."
                raise CohortError(msg, remedy=f"It has: {', '.join(sorted(known))}.")
        wanted = _by_column(self.include)
        unwanted = _by_column(self.exclude)
        chosen = [
            case
            for case in todo
            if all(_cells(case).get(name) in values for name, values in wanted.items())
            and not any(_cells(case).get(name) in values for name, values in unwanted.items())
            and (case.reading in failed or not self.only_failed)
        ]
        return tuple(chosen[: self.limit])


def _by_column(texts: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text in texts:
        column, _, value = text.partition("=")
        found.setdefault(column.strip(), set()).add(value.strip())
    return found


def _cells(case: Case) -> dict[str, str]:
    by = case.reading
    names = {"subject": by.subject, "timepoint": by.timepoint, "rater": by.rater}
    return {**case.extra, **names, "reading": str(by.reading), "series": case.series or ""}
