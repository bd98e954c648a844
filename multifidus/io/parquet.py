"""The tidy table as Parquet, which reads a column of millions of rows in a moment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from multifidus.data.columns import COLUMNS
from multifidus.data.measurement import Measurement
from multifidus.errors import WriteError
from multifidus.io.measurements_csv import tidy_row

_NUMBERS = ("value", "tilt_deg", "valid_fraction", "offset_mm", "uncertainty")
_COUNTS = ("reading", "slice_index", "n_pixels")

_ROWS = 20_000
"""Rows of one group: enough to be read fast, and few enough to be kept."""


def check_parquet() -> None:
    """Refuse to write Parquet where nothing can.

    Raises
    ------
    WriteError
        If pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401 - whether it is there
    except ImportError as error:
        msg = "Parquet is written by pyarrow, which is not installed."
        remedy = 'pip install "multifidus[parquet]", or leave out --tables parquet.'
        raise WriteError(msg, remedy=remedy) from error


@dataclass(slots=True)
class ParquetTable:
    """A Parquet file that rows are added to; no more than one group of them is in memory.

    Parameters
    ----------
    writer, schema
        pyarrow's.
    """

    writer: Any
    schema: Any
    _waiting: list[Mapping[str, Any]] = field(default_factory=list)

    def add(self, rows: Iterable[Measurement]) -> None:
        """Add rows, in the order of the table."""
        self._waiting += map(tidy_row, rows)
        if len(self._waiting) >= _ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what waits."""
        import pyarrow as pa

        if self._waiting:
            columns = [
                pa.array([_plain(row.get(column.name)) for row in self._waiting], column.type)
                for column in self.schema
            ]
            self.writer.write_table(pa.Table.from_arrays(columns, schema=self.schema))
            self._waiting.clear()


def _plain(value: object) -> object:
    return str(value) if isinstance(value, str) else value


@contextlib.contextmanager
def parquet_table(path: Path, own: Iterable[str] = ()) -> Iterator[ParquetTable]:
    """Open a Parquet file of the tidy table's columns, and then those of the study's own.

    Numbers are numbers, undefined is NaN; all else is text, as in the CSV. Each column's
    explanation stands with it.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys((*COLUMNS, *own))
    schema = pa.schema([_field(pa, name) for name in names])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        table = ParquetTable(writer, schema)
        yield table
        table.flush()


def _field(pa: Any, name: str) -> Any:
    kind = pa.string()
    if name in _NUMBERS:
        kind = pa.float64()
    elif name in _COUNTS:
        kind = pa.int64()
    explained = COLUMNS.get(name, "Column of the cohort table.")
    return pa.field(name, kind, metadata={"description": explained})
