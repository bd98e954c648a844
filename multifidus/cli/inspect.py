"""``multifidus inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.printing import counting, print_json, print_table, say

MOST_SKIPPED = 20
"""Files named before the rest is only counted; ``--json`` names all."""


def inspect(  # noqa: PLR0917 - a command has the options that it has
    paths: Annotated[list[Path], typer.Argument(help="Files or folders of DICOM or NIfTI.")],
    json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
    cohort: Annotated[
        Path | None, typer.Option(help="Write a cohort.csv to start a study with.")
    ] = None,
    subject_keys: Annotated[
        Path | None,
        typer.Option(
            help="File of the secret behind subject names, made at the first run; give it again "
            "to later runs, so that a subject keeps its name. Default: beside the cohort."
        ),
    ] = None,
    show_identifiers: Annotated[
        bool, typer.Option(help="Give calendar dates instead of days from the first exam.")
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace a cohort.csv already there.")] = False,
) -> None:
    """Say what is in a folder: exams, series, stacks, and what cannot be read.

    Exit codes: 0 something was read; 2 wrong usage; 3 nothing was.
    """
    from multifidus.cli import REFUSED
    from multifidus.formats import scan
    from multifidus.inspection import inspection, inspection_table

    with counting("reading headers") as step:
        found = scan(*paths, progress=step)
    if json:
        print_json(inspection(found, show_identifiers=show_identifiers))
    elif found.exams:
        print_table(*inspection_table(found))
    for item in found.skipped[: None if json else MOST_SKIPPED]:
        say(f"Skipped {item.path}: {item.reason}")
    if len(found.skipped) > MOST_SKIPPED and not json:
        say(f"... and {len(found.skipped) - MOST_SKIPPED} more; --json lists all.")
    if not found.exams:
        say("Nothing here can be measured.")
        raise typer.Exit(REFUSED)
    if cohort is not None:
        from multifidus.listing import write_cohort

        keys = subject_keys or cohort.with_suffix(".subjects.json")
        written = write_cohort(
            found, cohort, keys, show_identifiers=show_identifiers, overwrite=overwrite
        )
        say(f"Wrote {cohort}: {written.subjects} subjects, {written.exams} exams.")
        if written.made_keys:
            say(f"Keep {keys} with the scans and give it to later runs (--subject-keys).")
