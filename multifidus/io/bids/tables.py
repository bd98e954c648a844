"""The tables of a BIDS dataset: who takes part, and when images were acquired."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from multifidus.errors import ReadError
from multifidus.io.bids.names import bids_name
from multifidus.io.files import reading
from multifidus.io.table_reader import TextRow

PARTICIPANTS = "participants.tsv"

_NOT_AVAILABLE = {"", "n/a"}

_DATE = re.compile(r"\d{4}-\d\d-\d\d(?=$|[T ])")

_IDENTIFYING = re.compile(
    r"(patient|first|last|family|given|full|birth)?[ _]?names?|(patient|hospital)[ _]?(id|number)|"
    r"mrn|(birth[ _]?date|date[ _]?of[ _]?birth|dob)",
    re.IGNORECASE,
)
"""Columns called so identify a person, whatever stands in them."""

_LOOKS_LIKE_DATE = re.compile(r"\d{4}-\d\d-\d\d|\d{4}/\d\d/\d\d|\d{1,2}[./]\d{1,2}[./]\d{2,4}")


def read_tsv(path: Path) -> list[TextRow]:
    """Read a table of BIDS; what is not available is empty.

    Raises
    ------
    ReadError
        If it cannot be opened, is no UTF-8 text, or a row has more fields than the header.
    """
    with reading(path, "a table of BIDS"):
        text = path.read_text(encoding="utf-8-sig")
    rows = []
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    for row in table:
        if None in row:
            msg = f"{path}, line {table.line_num} has more fields than the header."
            raise ReadError(msg, remedy="Part fields by single tabs.")
        cells = {name.strip(): (value or "").strip() for name, value in row.items()}
        rows.append({n: "" if v.lower() in _NOT_AVAILABLE else v for n, v in cells.items()})
    return rows


def participants(dataset: Path) -> dict[str, TextRow] | None:
    """Return what a dataset says of each subject, by label; None where it says nothing.

    Raises
    ------
    ReadError
        If its table cannot be read, names nobody, or names a subject twice.
    """
    path = dataset / PARTICIPANTS
    if not path.is_file():
        return None
    found: dict[str, TextRow] = {}
    for row in read_tsv(path):
        who = row.pop("participant_id", "").removeprefix("sub-")
        if not who:
            msg = f"{path} has a row without a participant_id."
            raise ReadError(msg, remedy="Name the subject of each row, such as sub-01.")
        if who in found:
            msg = f"{path} names sub-{who} twice."
            raise ReadError(msg, remedy="Keep one row a subject.")
        found[who] = row
    return found


def identifies(name: str, values: Iterator[str]) -> bool:
    """Whether a column holds what identifies a person: names, numbers, calendar dates."""
    named = _IDENTIFYING.fullmatch(name.strip()) is not None
    return named or any(_LOOKS_LIKE_DATE.match(value) for value in values)


@dataclass(frozen=True, slots=True)
class AcquisitionDate:
    """When an image was acquired, as far as its dataset says.

    Attributes
    ----------
    date
        None where nothing is said.
    problem
        Why what is said cannot be used; empty where it can.
    """

    date: datetime.date | None = None
    problem: str = ""


def acquisition_date(path: Path, dataset: Path) -> AcquisitionDate:
    """Return when an image was acquired, by the table of its session's or subject's scans.

    Parameters
    ----------
    path
        The image.
    dataset
        The folder in which it is looked for, up from the image's own.
    """
    name = bids_name(path)
    whose = f"sub-{name.subject}"
    scans = [f"{whose}_ses-{name.session}_scans.tsv"] if name.session else []
    for folder in path.parents:
        file = path.relative_to(folder).as_posix()
        asked = [(folder / table, "filename", file) for table in (*scans, f"{whose}_scans.tsv")]
        if name.session:
            asked.append((folder / f"{whose}_sessions.tsv", "session_id", f"ses-{name.session}"))
        for table, column, wanted in asked:
            found = _said(table, column, wanted) if table.is_file() else AcquisitionDate()
            if found != AcquisitionDate():
                return found
        if folder == dataset:
            break
    return AcquisitionDate()


def _said(table: Path, column: str, wanted: str) -> AcquisitionDate:
    try:
        rows = read_tsv(table)
    except ReadError:
        return AcquisitionDate(problem=f"{table.name} cannot be read")
    times = {
        row.get("acq_time", "")
        for row in rows
        if row.get(column, "").replace("\\", "/").removeprefix("./") == wanted
    } - {""}
    if not times:
        return AcquisitionDate()
    dates = {_DATE.match(time) and time[:10] for time in times}
    try:
        (day,) = {datetime.date.fromisoformat(date or "") for date in dates}
    except ValueError:
        return AcquisitionDate(problem=f"{table.name} gives an acq_time that is no day")
    return AcquisitionDate(day)
