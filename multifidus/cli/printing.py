"""How commands print: tables and JSON to standard output, everything else to standard error."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import typer


def print_json(document: object) -> None:
    """Print one JSON document and nothing else."""
    typer.echo(json.dumps(document, indent=1, allow_nan=False))


MOST_ROWS = 60
"""Longer tables are cut when printed; the files hold all."""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; numbers stand right, words left."""
    shown = [list(headings), *map(list, rows[:MOST_ROWS])]
    columns = [_aligned(column) for column in zip(*shown, strict=True)]
    lines = ["  ".join(cells).rstrip() for cells in zip(*columns, strict=True)]
    rule = "  ".join("-" * len(column[0]) for column in columns)
    typer.echo("\n".join((lines[0], rule, *lines[1:])))
    if len(rows) > MOST_ROWS:
        say(f"{len(rows) - MOST_ROWS} more rows are in the files.")


def _aligned(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    numeric = all(cell[:1] in "+-0123456789" for cell in column[1:] if cell)
    return [cell.rjust(width) if numeric else cell.ljust(width) for cell in column]


def say(message: str) -> None:
    """Tell the user something, on standard error."""
    typer.echo(message, err=True)


@contextlib.contextmanager
def progress(total: int, what: str) -> Iterator[Callable[[str], Any]]:
    """Show progress on a terminal; quiet elsewhere. Yields what to call after each step."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, advance=1, description=done)


@contextlib.contextmanager
def counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show progress of what is counted on the way; yields what to call with done and total."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
