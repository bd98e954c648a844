"""A table as it is printed: its first rows, and how many more there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

MOST_ROWS = 60
"""Longer tables are cut when printed; the files hold all."""


class PrintedTable(NamedTuple):
    """The first rows of a table.

    Parameters
    ----------
    more
        How many rows it has beyond.
    """

    headings: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    more: int = 0

    @classmethod
    def first_of(
        cls, headings: Sequence[str], rows: Iterable[Sequence[str]], most: int | None = MOST_ROWS
    ) -> PrintedTable:
        """Take so many rows of a table, all where ``most`` is None, and count the rest."""
        left = iter(rows)
        return cls(headings, [*islice(left, most)], sum(1 for _ in left))
