"""How commands print: tables and JSON to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import functools
import json
import math
import re
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import typer

from multifidus.data.printed_table import MOST_ROWS, PrintedTable

if TYPE_CHECKING:
    from multifidus.reporting.tables.paper_table import PaperTable


def print_json(document: object) -> None:
    """Print one JSON document and nothing else."""
    typer.echo(json.dumps(document, indent=1, allow_nan=False))


def print_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], most: int | None = MOST_ROWS
) -> None:
    """Print a table, at most so many rows of it; numbers stand right, words left."""
    print_first_rows(PrintedTable.first_of(headings, rows, most))


def print_first_rows(table: PrintedTable) -> None:
    """Print what is to be printed of a table, and how much more there is."""
    typer.echo("\n".join(_lines(table.headings, table.rows)))
    if table.more:
        say(f"{table.more} more rows are in the files.")


def print_wide_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], wordy: Collection[str] = ()
) -> None:
    """Print a table of many columns without its empty ones.

    Parameters
    ----------
    headings, rows
        The table.
    wordy
        Headings of columns of many words: what is the same in all rows is printed once, below.
    """
    columns = dict(zip(headings, zip(*rows, strict=True), strict=True)) if rows else {}
    alike = {
        name: cells[0]
        for name, cells in columns.items()
        if len(set(cells)) == 1 and (not cells[0] or name in wordy)
    }
    kept = [place for place, name in enumerate(headings) if name not in alike]
    print_table([headings[i] for i in kept], [[row[i] for i in kept] for row in rows])
    everywhere = ", in every row" if len(rows) > 1 else ""
    for name, cell in alike.items():
        if cell:
            print_remark(f"{name.capitalize()}{everywhere}: {cell}.")


WORDY = ("value", "examinations", "slices", "excluded")
"""Columns of a paper's tables whose cells are mostly alike."""


def print_paper_tables(tables: Iterable[PaperTable]) -> None:
    """Print tables of a paper; their notes go to standard error."""
    for table in tables:
        print_wide_table(table.printed_headings, table.printed_rows, WORDY)
        for note in table.notes:
            say(note)


def print_groups(
    headings: Sequence[str],
    groups: Sequence[tuple[str, Sequence[Sequence[str]]]],
    spare: Sequence[str] = (),
) -> None:
    """Print a table in which every group of rows has a title.

    Parameters
    ----------
    headings
        Of the columns.
    groups
        Titles and rows.
    spare
        Headings of columns that a terminal too narrow for all goes without, in this order.
    """
    rows = [row for _, members in groups for row in members]
    kept = list(range(len(headings)))
    lines = _lines(headings, rows)
    left_out = []
    for heading in spare:
        if len(lines[1]) > terminal_width() and heading in headings:
            kept.remove(headings.index(heading))
            left_out.append(heading)
            lines = _lines([headings[i] for i in kept], [[row[i] for i in kept] for row in rows])
    below = iter(lines[2:])
    typer.echo("\n".join(lines[:2]))
    for title, members in groups:
        typer.echo("\n".join((title, *(next(below) for _ in members))))
    if left_out:
        say(f"The terminal is too narrow for the columns {'; '.join(left_out)}.")


def print_remark(remark: str) -> None:
    """Print a sentence or several, wrapped to the terminal."""
    width = terminal_width()
    typer.echo(
        remark if width == math.inf else textwrap.fill(remark, int(width), subsequent_indent="  ")
    )


def terminal_width() -> float:
    """Return how many characters fit a line of standard output; infinity for no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else math.inf


def _lines(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay a table out: a line of headings, a rule, and a line for each row."""
    columns = [_aligned(column) for column in zip(headings, *rows, strict=True)]
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    rule = "  ".join("-" * len(column[0]) for column in columns)
    return [lines[0], rule, *lines[1:]]


def _aligned(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    numeric = all(cell[:1] in "+-0123456789" for cell in column[1:] if cell)
    return [cell.rjust(width) if numeric else cell.ljust(width) for cell in column]


def command_words() -> tuple[str, ...]:
    """Return the words of the command line; files by their names, wherever they lie."""
    return ("multifidus", *map(_without_folder, sys.argv[1:]))


def _without_folder(word: str) -> str:
    is_shard = re.fullmatch(r"(--shard=)?[0-9]+/[0-9]+", word)
    return word if is_shard else re.sub(r"[^=]*[/\\]", "", word)


def say(message: str) -> None:
    """Tell the user something, on standard error."""
    typer.echo(message, err=True)


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[str], Any]]:
    """Show progress on a terminal; quiet elsewhere. Yields what to call after each step."""
    with _bar(what, total) as update:
        yield lambda done: update(advance=1, description=done)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], Any]]:
    """Show progress of what is counted on the way; yields what to call with done and total."""
    with _bar(what) as update:
        yield lambda done, total: update(completed=done, total=total)


@contextlib.contextmanager
def _bar(what: str, total: int | None = None) -> Iterator[Callable[..., Any]]:
    if not sys.stderr.isatty():
        yield lambda **_: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn as Remaining,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield functools.partial(bar.update, bar.add_task(what, total=total))
