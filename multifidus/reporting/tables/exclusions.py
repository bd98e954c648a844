"""The table of what did not enter a comparison."""

from __future__ import annotations

from collections.abc import Iterable

from multifidus.reporting.tables.paper_table import PaperTable
from multifidus.stats.exclusions import Exclusion

HEADINGS = ("subject", "timepoint", "compared", "has", "lacks", "why", "values", "did you mean")


def exclusions_table(name: str, found: Iterable[Exclusion]) -> PaperTable:
    """Make the table of what a comparison left out; it may have no row.

    One row a subject, timepoint and reason; ``values`` counts the quantities, levels and sides.

    Parameters
    ----------
    name
        Of its files.
    found
        What was left out.
    """
    counts: dict[tuple[str, ...], int] = {}
    for item in found:
        row = (item.subject, item.timepoint, f"{item.compare}s", item.has, item.lacks, item.reason)
        counts[*row, item.nearest] = counts.get((*row, item.nearest), 0) + 1
    rows = tuple((*row, str(count), nearest) for (*row, nearest), count in sorted(counts.items()))
    note = "Values that have nothing to be compared with, and a subject of nearly the same name."
    return PaperTable(name, "What did not enter.", HEADINGS, rows, (note,))
