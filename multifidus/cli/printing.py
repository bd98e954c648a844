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


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table; numbers stand right, words left."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    # Into a file or pipe, lines must not be folded at an invented terminal width.
    console = Console(width=None if sys.stdout.isatty() else 240)
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column, heading in enumerate(headings):
        numeric = all(row[column][:1] in "+-0123456789" for row in rows if row[column])
        table.add_column(heading, justify="right" if numeric else "left", no_wrap=numeric)
    for row in rows[:MOST_ROWS]:
        table.add_row(*row)
    console.print(table)
    if len(rows) > MOST_ROWS:
        say(f"{len(rows) - MOST_ROWS} more rows are in the files.")


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
