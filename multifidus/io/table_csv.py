"""Tables as CSV: no spreadsheet takes a text in them for a formula, and it is read back unchanged.

A text that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, and is no number,
gets an apostrophe in front; so does one that begins with apostrophes and then one of these, so that
reading can take one away from all of them and from nothing else. ``'tis`` and ``'`` stay as they
are, written and read. A table of 0.1 reads as before, but for a text that began there with an
apostrophe and then one of these characters: nothing tells it from one that this version wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from multifidus.io.files import write_atomically

Row = dict[str, Any]
"""One row of a table to write: values by column."""

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"

_HARMLESS = re.compile(rf"{_NUMBER}(?: to {_NUMBER}| \[{_NUMBER}, {_NUMBER}\])?", re.ASCII)
"""Numbers, and the intervals of numbers that a paper's tables hold."""

_FIRST = frozenset("'=+-@\t\r")

_BEGINS_FORMULA = re.compile(r"('*)([=+\-@\t\r].*)", re.DOTALL)

_QUOTED = re.compile(r'[,"\n\r]')


def guarded(text: str) -> str:
    """Return a text as it is written in CSV.

    Examples
    --------
    >>> guarded("=1+1"), guarded("-1.5"), guarded("'=x"), guarded("'tis")
    ("'=1+1", '-1.5', "''=x", "'tis")
    """
    return f"'{text}" if _is_like_formula(text) else text


def unguarded(cell: str) -> str:
    """Return the text that was written: the inverse of :func:`guarded`."""
    return cell[1:] if cell[:1] == "'" and _is_like_formula(cell) else cell


def _is_like_formula(text: str) -> bool:
    if text[:1] not in _FIRST:  # most cells of a long table
        return False
    found = _BEGINS_FORMULA.fullmatch(text)
    return found is not None and not _HARMLESS.fullmatch(found[2])


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Return rows as CSV, texts guarded, numbers as they are; lines end in ``\n``."""
    return "".join(csv_lines(rows))


def csv_lines(rows: Iterable[Sequence[object]], *, guard: bool = True) -> Iterator[str]:
    """Yield rows as lines of CSV, as :func:`csv_text` puts them together.

    Without ``guard`` texts are as they are: for programs that compute nothing, and would take the
    apostrophe for part of a name.
    """
    write = guarded if guard else str
    return (f"{_line(row, write)}\n" for row in rows)


def csv_cell(value: object) -> str:
    """Return a value as a cell of a line, as :func:`csv_text` writes it."""
    return _cell(value, guarded)


def _line(row: Sequence[object], write: Callable[[str], str]) -> str:
    cells = [_cell(value, write) for value in row]
    # An empty line would be no row.
    return ",".join(cells) if cells != [""] else '""'


def _cell(value: object, write: Callable[[str], str]) -> str:
    if isinstance(value, float):
        return "NaN" if value != value else repr(float(value))  # noqa: PLR0124 - what NaN is
    if value is None:
        return ""
    return _text_cell(str(value), write) if isinstance(value, str) else _quoted(str(value))


@lru_cache(maxsize=4096)
def _text_cell(text: str, write: Callable[[str], str]) -> str:
    """Return a text as a cell; most texts of a long table are in many of its rows."""
    return _quoted(write(text))


def _quoted(text: str) -> str:
    # Python's own writer leaves a lone carriage return bare, which ends a line when it is read.
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def write_rows(
    rows: Iterable[Row],
    path: Path,
    columns: Sequence[str],
    *,
    overwrite: bool = False,
    guard: bool = True,
) -> tuple[str, ...]:
    """Write rows as CSV, and return all columns that were written.

    Columns that rows hold beyond the named ones follow in their order. Rows are gone through twice,
    and are written as they come; ``guard`` is that of :func:`csv_lines`.
    """
    named = dict.fromkeys(columns)
    for row in rows:
        if row.keys() - named.keys():
            named |= dict.fromkeys(name for name in row if name not in named)
    cells: Iterator[Sequence[object]] = ([row.get(name) for name in named] for row in rows)
    lines: Iterator[Sequence[object]] = chain([list(named)], cells)
    write_lines(csv_lines(lines, guard=guard), path, overwrite=overwrite)
    return tuple(named)


def write_lines(lines: Iterable[str], path: Path, *, overwrite: bool = False) -> None:
    """Write lines as they come into a file that is there when all of them are."""

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)

    write_atomically(path, write, overwrite=overwrite)
