"""Tables as people save them: CSV in its kinds, and Excel workbooks; the one reader of all of them.

How a file was read is reported (:attr:`RawTable.remark`); what is ambiguous is refused:

- the separator is that of a first line ``sep=;``, else the comma, semicolon or tab
  that makes the most columns of the header;
- the encoding is UTF-8, or UTF-16 where the file begins with its mark;
- rows and columns without any text are passed over;
- names of columns are read without blanks around them, and known ones without regard to case;
- :mod:`multifidus.io.table_numbers` says what becomes of decimal commas.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from multifidus.data.cells import folded
from multifidus.data.columns import KNOWN
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.files import reading
from multifidus.io.table_csv import unguarded
from multifidus.io.table_names import WORKBOOK
from multifidus.io.table_numbers import DecimalCommas, with_points
from multifidus.io.workbook import read_sheet

SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab"}

_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?[,;\t]*\s*", re.IGNORECASE)

_OLD_EXCEL, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"

TextRow = dict[str, str]
"""One row of a table as it was read: texts by column."""

Records = Iterator[tuple[int, list[str]]]
"""Line at which a row begins, and its cells."""


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How a file is to be read: what separates its fields, its encoding, and from which line."""

    separator: str = ","
    encoding: str = "utf-8-sig"
    first_line: int = 0


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it was read.

    Parameters
    ----------
    header
        Names of its columns, those without any text left out.
    rows
        Texts by column.
    lines
        At which line of the file each row begins.
    remark
        How it was read, if not as plain CSV: one sentence; empty where there is nothing to say.
    """

    header: tuple[str, ...]
    rows: list[TextRow]
    lines: list[int]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class ExpectedTable:
    """What is expected of a table.

    Parameters
    ----------
    what
        What it should be, for errors.
    known
        Names of columns that are known whatever their case and blanks.
    where
        Keep only rows whose columns hold one of these texts; a column that is not there keeps all.
    error
        Raised where the table contradicts itself.
    """

    what: str = "a table"
    known: Collection[str] = ()
    where: Mapping[str, Collection[str]] | None = None
    error: type[MultifidusError] = ReadError


def read_table(path: str | Path, expected: ExpectedTable = ExpectedTable()) -> RawTable:
    """Read a table.

    Raises
    ------
    ReadError
        If the file cannot be opened or decoded.
    MultifidusError
        Of the kind that is expected, if the table contradicts itself: see the module.
    """
    file = Path(path)
    with reading(file, expected.what):
        with file.open("rb") as raw:
            start = raw.read(4)
        if start == _OLD_EXCEL:
            msg = f"{file} is an old Excel workbook, or one with a password."
            raise ReadError(msg, remedy=f"Save it as {WORKBOOK} without a password, or as CSV.")
        if start == _ZIP:
            sheet, records = read_sheet(file)
            origin = f"sheet {sheet!r} of a workbook"
            return _table(file, expected, lambda: iter(records), origin, may_have_commas=False)
        dialect = _dialect(file, start)
        words = [] if dialect.separator == "," else [f"{SEPARATORS[dialect.separator]}-separated"]
        words += ["UTF-16"] if dialect.encoding == "utf-16" else []
        return _table(
            file, expected, lambda: _records(file, dialect, expected), ", ".join(words),
            may_have_commas=dialect.separator != ",",
        )  # fmt: skip


def read_rows(
    path: str | Path, where: Mapping[str, Collection[str]] | None = None
) -> list[TextRow]:
    """Return the rows of a table of results: texts by column.

    Parameters
    ----------
    path
        Its file.
    where
        Keep only rows whose columns hold one of these texts; a column that is not there keeps all.

    Raises
    ------
    ReadError
        If the file cannot be opened, or as :func:`read_table`.
    """
    return read_table(path, ExpectedTable(known=KNOWN, where=where)).rows


def read_header(path: Path, known: Collection[str] = ()) -> tuple[str, ...]:
    """Return the names of a table's columns, reading no more of it than that takes.

    Raises
    ------
    ReadError
        If the file cannot be opened or decoded, or no header can be made of it.
    """
    expected = ExpectedTable(known=known)
    with reading(path, expected.what):
        with path.open("rb") as raw:
            start = raw.read(4)
        if start in {_OLD_EXCEL, _ZIP}:
            return read_table(path, expected).header
        lines = _records(path, _dialect(path, start), expected)
        cells = next((cells for _, cells in lines if any(map(str.strip, cells))), [])
        return tuple(filter(None, _header(cells, known, lambda what, _: ReadError(what))))


def _dialect(file: Path, start: bytes) -> CsvDialect:
    marked = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if marked else "utf-8-sig"
    with file.open(encoding=encoding, newline="") as text:
        found = _SEPARATOR_LINE.fullmatch(text.readline())
        if found is None:
            return CsvDialect(_separator(file, encoding), encoding)
    if found[1] not in SEPARATORS:
        msg = f"{file} says that its fields are separated by {found[1]!r}."
        raise ReadError(msg, remedy="Separate fields by commas.")
    return CsvDialect(found[1], encoding, first_line=1)


def _separator(file: Path, encoding: str) -> str:
    """Return what makes the most columns of the header."""
    counts: dict[str, int] = {}
    for separator in SEPARATORS:
        with file.open(encoding=encoding, newline="") as text:
            try:
                cells = next((c for c in csv.reader(text, delimiter=separator) if any(c)), [])
            except csv.Error:
                continue
        counts[separator] = sum(bool(cell.strip()) for cell in cells)
    most = max(counts.values(), default=0)
    best = [separator for separator, count in counts.items() if count == most]
    if len(best) > 1 and most > 1:
        names = " or ".join(SEPARATORS[separator] for separator in best)
        msg = f"{file}: fields may be separated by {names}."
        raise ReadError(msg, remedy="Quote names of columns that hold commas.")
    return best[0] if best and most > 1 else ","


def _records(file: Path, dialect: CsvDialect, expected: ExpectedTable) -> Records:
    # Line by line: a large study's table is larger than the memory it may take. And by the module
    # that knows what a line is: a line break, a vertical tab or U+2028 may be part of a cell.
    with file.open(encoding=dialect.encoding, newline="") as text:
        lines = csv.reader(text, delimiter=dialect.separator, strict=True)
        end = 0
        try:
            for cells in lines:
                start, end = end + 1, lines.line_num
                if start > dialect.first_line:
                    yield start, cells
        except csv.Error as error:
            msg = f"{file}, line {end + 1}: {error}."
            remedy = "Check the quotation marks: a cell that begins with one ends with one."
            raise expected.error(msg, remedy=remedy) from error


Refuse = Callable[[int, str, str], MultifidusError]
"""Makes the error of a line: what is wrong there, and what to do."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table, and lines made to fit them."""

    header: Sequence[str]
    unnamed: Sequence[int]
    refuse: Refuse

    @classmethod
    def of(cls, header: Sequence[str], refuse: Refuse) -> _Columns:
        return cls(header, [n for n, name in enumerate(header) if not name], refuse)

    def fit(self, line: int, cells: list[str]) -> list[str]:
        """Return a line with as many cells as the header."""
        width = len(self.header)
        if len(cells) > width:
            if any(map(str.strip, cells[width:])):
                what = "has more fields than the header."
                raise self.refuse(line, what, "Quote fields that contain commas.")
            cells = cells[:width]
        full = [*cells, *[""] * (width - len(cells))]
        for place in self.unnamed:
            if full[place].strip():
                what = f"has {full[place]!r} in column {place + 1}, which has no name."
                raise self.refuse(line, what, "Name the column in the first line, or empty it.")
        return full


def _table(
    file: Path,
    expected: ExpectedTable,
    records: Callable[[], Records],
    words: str,
    *,
    may_have_commas: bool,
) -> RawTable:
    """Make a table of its lines; they are gone through twice where commas may be decimal."""

    def refuse(line: int, what: str, remedy: str) -> MultifidusError:
        return expected.error(f"{file}, line {line} {what}", remedy=remedy)

    def content() -> Records:
        return ((line, cells) for line, cells in records() if any(map(str.strip, cells)))

    top, names = next(content(), (0, []))
    columns = _Columns.of(_header(names, expected.known, lambda *what: refuse(top, *what)), refuse)
    places = _decimal_commas(content(), columns) if may_have_commas else frozenset()
    wanted = [
        (columns.header.index(name), texts)
        for name, texts in (expected.where or {}).items()
        if name in columns.header
    ]
    kept = [(place, name) for place, name in enumerate(columns.header) if name]
    rows, starts = [], []
    for line, cells in islice(content(), 1, None):
        full = columns.fit(line, cells)
        if not all(unguarded(full[place]) in texts for place, texts in wanted):
            continue
        full = [unguarded(cell) if cell[:1] == "'" else cell for cell in full]
        if places:
            full = with_points(full, places)
        rows.append({name: full[place] for place, name in kept})
        starts.append(line)
    words += ", decimal commas" if places else ""
    remark = f"{file.name}: read as {words}." if words else ""
    return RawTable(tuple(name for _, name in kept), rows, starts, remark)


def _decimal_commas(content: Records, columns: _Columns) -> frozenset[int]:
    found = DecimalCommas(columns.header, columns.refuse)
    for line, cells in islice(content, 1, None):
        found.see(line, columns.fit(line, cells))
    return found.places()


def _header(
    cells: Sequence[str], known: Collection[str], refuse: Callable[[str, str], MultifidusError]
) -> list[str]:
    """Return the names of columns as they are known; empty for columns without a name."""
    homes = {folded(name): name for name in known}
    header = [homes.get(folded(cell)) or " ".join(unguarded(cell).split()) for cell in cells]
    seen: dict[str, str] = {}
    for name, cell in zip(header, cells, strict=True):
        if name and folded(name) in seen:
            what = f"names two columns {seen[folded(name)]!r} and {cell!r}: they are one name."
            raise refuse(what, "Rename or delete one of them.")
        seen[folded(name)] = cell
    while header and not header[-1]:
        header.pop()
    return header
