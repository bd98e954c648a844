"""The cases of a run put together, as far as that takes no rows: what failed, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from multifidus.data.measurement import Measurement
from multifidus.data.roi import Reading
from multifidus.io.scan_result import in_words
from multifidus.io.table_csv import Row
from multifidus.study.acquisitions import acquisition_rows
from multifidus.study.exchanged_sides import (
    ExchangedSides,
    SideArea,
    exchanged_sides,
    with_exchanged_sides,
)
from multifidus.study.missing import Place, missing_rows
from multifidus.study.run.record import CaseRecord

RowsOf = Callable[[], Sequence[Measurement]]
"""Returns the rows of a case; read when they are asked for, and not kept."""


@dataclass(frozen=True, slots=True)
class Study:
    """Finished cases in the order of their table, each with a way to its rows.

    Parameters
    ----------
    cases
        Records, and what returns their rows.
    absent
        Readings of the cohort that are not measured yet.
    exchanged
        Readings whose sides look exchanged.
    """

    cases: tuple[tuple[CaseRecord, RowsOf], ...]
    absent: tuple[Reading, ...] = ()
    exchanged: tuple[ExchangedSides, ...] = field(init=False)

    def __post_init__(self) -> None:
        areas = (area for record, _ in self.cases for area in record.areas)
        object.__setattr__(self, "exchanged", exchanged_sides(areas))

    @property
    def n_rows(self) -> int:
        """How many rows all cases have."""
        return sum(record.n_rows for record, _ in self.cases)

    @property
    def failures(self) -> list[Row]:
        """Rows of the table of failures."""
        return [record.failure for record, _ in self.cases if record.failure is not None]

    @property
    def pictures(self) -> list[tuple[str, str]]:
        """File names and captions of all pictures."""
        return [drawn for record, _ in self.cases for drawn in record.pictures or ()]

    @property
    def own_columns(self) -> dict[str, None]:
        """Columns of the study's own, in the order in which sorted rows name them."""
        return {
            name: None
            for _, members in self._by_reading()
            for record, _ in members
            for name in record.own_columns
        }

    def missing(self) -> list[Row]:
        """Rows of the table of what is missing."""
        failed = {
            record.reading: str(record.failure["error"])
            for record, _ in self.cases
            if record.failure is not None
        }
        measured = {by for record, _ in self.cases for by in record.readings}
        notes: dict[tuple[Reading, Place], str] = {}
        for record, _ in self.cases:
            notes |= record.notes
        areas: Iterator[SideArea] = (area for record, _ in self.cases for area in record.areas)
        return missing_rows(areas, measured, failed, notes, absent=self.absent)

    def acquisitions(self, orders: Mapping[tuple[str, str], str]) -> list[Row]:
        """Rows of the table of how images were acquired; ``orders`` of subject and timepoint."""
        return acquisition_rows((record.acquisitions for record, _ in self.cases), orders)

    def notes(self) -> tuple[str, ...]:
        """Return what is doubtful of several cases together, and what was not measured."""
        unnamed: dict[tuple[int, ...], dict[str, None]] = {}
        for record, _ in self.cases:
            for values, name in record.unnamed:
                unnamed.setdefault(values, {})[name] = None
        return (*_not_named(unnamed), *(found.in_words() for found in self.exchanged))

    def readings(self) -> Iterator[list[Measurement]]:
        """Yield the rows of one reading after another, in the order of the tidy table."""
        for by, members in self._by_reading():
            rows = [row for _, rows_of in members for row in rows_of() if row.key.reading == by]
            rows.sort(key=lambda row: row.sort_key)
            yield list(with_exchanged_sides(rows, self.exchanged))

    def _by_reading(self) -> list[tuple[Reading, list[tuple[CaseRecord, RowsOf]]]]:
        """Return readings in their order, and the cases that have rows of each."""
        found: dict[Reading, list[tuple[CaseRecord, RowsOf]]] = {}
        for case in self.cases:
            if case[0].n_rows:
                for by in case[0].readings:
                    found.setdefault(by, []).append(case)
        return sorted(found.items(), key=lambda item: item[0])


def _not_named(unnamed: Mapping[tuple[int, ...], Iterable[str]]) -> list[str]:
    """Report values in label maps that their label scheme does not name."""
    return [
        f"{in_words(paths)}: the label scheme does not name {in_words(map(str, values))}, and "
        f"voxels of {'these values' if len(values) > 1 else 'this value'} are not measured."
        for values, paths in unnamed.items()
    ]
