"""Tables that are written where they are asked for: spreadsheets, Parquet, REDCap, BIDS."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path

from multifidus.data.roi import Reading
from multifidus.errors import WriteError
from multifidus.io.parquet import check_parquet
from multifidus.io.table_csv import write_rows
from multifidus.study.exam_table import ExamTable
from multifidus.study.phenotype import check_labels, write_phenotype
from multifidus.study.redcap import write_redcap
from multifidus.study.table_files import BIDS, FILES, REDCAP, WIDE, FurtherTable


def check_tables(tables: Collection[str], readings: Iterable[Reading] = ()) -> None:
    """Refuse, before anything is measured, tables that could not be written.

    Raises
    ------
    WriteError
        If there is no table of a name, or Parquet is asked for and pyarrow is not installed.
    CohortError
        If BIDS could not tell exams apart.
    """
    unknown = sorted({*tables} - {*FurtherTable})
    if unknown:
        msg = f"There is no table called {', '.join(unknown)}."
        raise WriteError(msg, remedy=f"Ask for: {', '.join(FurtherTable)}.")
    if FurtherTable.PARQUET in tables:
        check_parquet()
    if FurtherTable.BIDS in tables:
        check_labels((by.subject, by.timepoint) for by in readings)


def write_exam_tables(
    table: ExamTable, tables: Collection[str], folder: Path
) -> dict[str, dict[str, str]]:
    """Write what is made of the exam table.

    Parameters
    ----------
    table
        With the columns of the study's own.
    tables
        Which are asked for.
    folder
        The results folder.

    Returns
    -------
    dict
        For the dictionary: what each column holds, by file.
    """
    if FurtherTable.REDCAP in tables:
        write_redcap(table, *(folder / name for name in REDCAP))
    if FurtherTable.BIDS in tables:
        write_phenotype(table, *(folder / name for name in BIDS))
    if FurtherTable.WIDE not in tables:
        return {}
    write_rows(table, folder / WIDE, tuple(table.explained), overwrite=True)
    return {WIDE: table.explained}


def remove_further(folder: Path, kept: Collection[str] = ()) -> None:
    """Remove further tables of an earlier run that were not asked for now."""
    for table, names in FILES.items():
        for name in names if table not in kept else ():
            (folder / name).unlink(missing_ok=True)
            if "/" in name:
                with contextlib.suppress(OSError):  # it holds something else, or is not there
                    (folder / name).parent.rmdir()
