"""``multifidus inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.printing import print_json, print_table, say


def inspect(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of DICOM or NIfTI.")],
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    show_identifiers: Annotated[
        bool, typer.Option(help="Give calendar dates instead of days from the first exam.")
    ] = False,
) -> None:
    """Say what is in a folder: exams, series, stacks, and what cannot be read.

    Exit codes: 0 something was read; 2 wrong usage; 3 nothing was.
    """
    from multifidus.cli import REFUSED
    from multifidus.formats import scan
    from multifidus.inspection import inspection, inspection_table

    found = scan(*paths)
    if json:
        print_json(inspection(found, show_identifiers=show_identifiers))
    elif found.exams:
        print_table(*inspection_table(found))
    for item in found.skipped[: None if json else 20]:
        say(f"Skipped {item.path}: {item.reason}")
    if len(found.skipped) > 20 and not json:  # noqa: PLR2004 - a screenful; --json lists all
        say(f"... and {len(found.skipped) - 20} more; --json lists all.")
    if not found.exams:
        say("Nothing here can be measured.")
        raise typer.Exit(REFUSED)
