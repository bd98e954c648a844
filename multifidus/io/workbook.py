"""Excel workbooks: the one sheet that holds something, its cells as the text that people see."""

from __future__ import annotations

import datetime
import re
import warnings
from pathlib import Path
from typing import Any

from multifidus.data.cells import is_missing
from multifidus.errors import ReadError

_ZEROS = re.compile(r"0{2,}")
_AS_CSV = "Save the table as CSV, or as a workbook with values alone."

Record = tuple[int, list[str]]
"""Number of a row in its sheet, and the texts of its cells."""


def read_sheet(path: Path) -> tuple[str, list[Record]]:
    """Read the only visible sheet of a workbook that holds something.

    Returns
    -------
    tuple
        Name of the sheet, and its rows.

    Raises
    ------
    ReadError
        If openpyxl is not installed, the file is no workbook, several sheets hold something, or a
        cell has no value of its own: a formula that was never computed, an error, a percentage,
        a duration, or cells that were merged.
    """
    values, formulas = (_opened(path, computed=computed) for computed in (True, False))
    # Sheets of charts alone have no cells.
    sheets = [s for s in values.worksheets if s.sheet_state == "visible" and _holds_something(s)]
    if len(sheets) > 1:
        names = ", ".join(repr(sheet.title) for sheet in sheets)
        msg = f"{path} has several sheets that hold something: {names}."
        raise ReadError(msg, remedy="Keep the table in a workbook of its own.")
    if not sheets:
        return "", []
    sheet = sheets[0]
    if sheet.merged_cells.ranges:
        first = min(str(found) for found in sheet.merged_cells.ranges)
        msg = f"{path}, sheet {sheet.title!r} has merged cells: {first}."
        raise ReadError(msg, remedy="Unmerge them and give every row its own values.")
    written = formulas[sheet.title]
    rows = []
    for cells in sheet.iter_rows():
        texts = [_text(cell, written[cell.coordinate], path) for cell in cells]
        rows.append((cells[0].row, texts))
    return sheet.title, rows


def _opened(path: Path, *, computed: bool) -> Any:
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        msg = f"{path} is an Excel workbook, and openpyxl, which reads these, is not installed."
        remedy = 'pip install "multifidus[excel]", or save the table as CSV.'
        raise ReadError(msg, remedy=remedy) from error
    with warnings.catch_warnings():
        # Extensions that it does not know, such as lists to choose from, hold no values.
        warnings.simplefilter("ignore")
        try:
            return load_workbook(path, data_only=computed)
        except OSError:
            raise
        except Exception as error:
            msg = f"{path} is no Excel workbook that can be read: {error}."
            raise ReadError(msg, remedy="Save it again as .xlsx, or as CSV.") from error


def _holds_something(sheet: Any) -> bool:
    return any(
        not is_missing(cell.value) for cells in sheet.iter_rows() for cell in cells
    )  # fmt: skip


def _text(cell: Any, written: Any, path: Path) -> str:
    value, where = cell.value, f"{path}, cell {cell.coordinate}"
    if value is None:
        if written.data_type == "f":
            msg = f"{where} is a formula without a value."
            raise ReadError(msg, remedy="Open the workbook in Excel and save it, or save as CSV.")
        return ""
    if cell.data_type == "e" and not is_missing(value):
        raise ReadError(f"{where} holds the error {value}.", remedy=_AS_CSV)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, (int, float)):
        return _number(value, str(cell.number_format), where)
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, (datetime.time, datetime.timedelta)):
        raise ReadError(f"{where} is a time or a duration.", remedy="Write it as a number or text.")
    return str(value)


def _number(value: float, shown_as: str, where: str) -> str:
    if "%" in shown_as:
        msg = f"{where} holds {value!r} and shows it in percent."
        raise ReadError(msg, remedy="Format the column as a number: 25 for 25 %.")
    text = repr(int(value) if value == int(value) else value)
    # Subjects 001, 002 are often numbers that are shown with their zeros.
    return text.zfill(len(shown_as)) if _ZEROS.fullmatch(shown_as) else text
