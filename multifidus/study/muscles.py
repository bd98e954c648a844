"""The small table: the multifidus, one row a reading, level and side, with the usual numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from multifidus.data.anatomy import Side, Structure
from multifidus.data.columns import MUSCLE_COLUMNS, summary_column
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.io.table_csv import Row

_FRACTIONS = {FatMethod.LINEAR, FatMethod.SIGNAL, FatMethod.DIXON}
"""Methods without a class of fat pixels."""


OWN = "own"
"""Under what name a muscle's row holds the columns of the study's own."""


def fat_method(protocol: MeasurementProtocol) -> str:
    """Return the method of visible fat that is shown; empty where the protocol has none."""
    found = (method for method in protocol.fat_methods if method not in _FRACTIONS)
    return str(next(found, ""))


def muscle_rows(
    summary: Iterable[Row], protocol: MeasurementProtocol, own: Sequence[str] = ()
) -> Iterator[Row]:
    """Make rows of the small table of rows of the wide one.

    Slices of unknown level are not among them; the table of what is missing names them.

    Parameters
    ----------
    summary
        Rows of the wide table.
    protocol
        By which they were measured.
    own
        Columns of the study's own, which stand together in ``OWN``.
    """
    method = fat_method(protocol)
    numbers = {
        "area_mm2": str(Quantity.TCSA_MM2),
        "fat_pct": summary_column(Quantity.FI_PCT, method),
        "fcsa_mm2": summary_column(Quantity.FCSA_MM2, method),
        "ff_signal_pct": str(Quantity.FF_SIGNAL_PCT),
        "ff_dixon_pct": str(Quantity.DIXON_FF_MEAN_PCT),
        "pdff_pct": str(Quantity.PDFF_MEAN_PCT),
    }
    for row in filter(_is_multifidus, summary):
        ours = {name: row.get(column) for name, column in numbers.items()}
        ours["fat_method"] = method
        muscle = {name: ours.get(name, row.get(name)) for name in MUSCLE_COLUMNS}
        yield {**muscle, OWN: {name: row.get(name) for name in own}}


@dataclass(frozen=True, slots=True)
class MuscleTable:
    """Rows as the table of muscles shows them: its columns alone."""

    muscles: Iterable[Row]

    def __iter__(self) -> Iterator[Row]:
        """Yield all."""
        return ({name: row[name] for name in MUSCLE_COLUMNS} for row in self.muscles)


def _is_multifidus(row: Row) -> bool:
    is_sided = row["side"] in {Side.LEFT, Side.RIGHT}
    return bool(row["structure"] == Structure.MULTIFIDUS and is_sided and row["level"])
