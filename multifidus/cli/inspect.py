"""``multifidus inspect``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.exit_codes import REFUSED
from multifidus.cli.printing import counting, print_groups, print_json, print_remark, say

if TYPE_CHECKING:
    from multifidus.io.scan_result import Scan

MOST_REASONS = 20
"""Reasons for skipping files that are given before the rest is only counted."""

MOST_NAMED = 3
"""Files named for each reason; ``--json`` names all."""

NAMED_AFTER_PATIENTS = (
    "File paths contain patient names or IDs, and a cohort.csv repeats the paths: rename the "
    "folders before sharing either."
)


def inspect(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    paths: Annotated[
        list[Path], typer.Argument(help="Files or folders of DICOM, NIfTI, NRRD or MetaImage.")
    ],
    json: options.Json = False,
    cohort: Annotated[Path | None, typer.Option(help="Write a cohort.csv for these exams.")] = None,
    subject_keys: Annotated[
        Path | None,
        typer.Option(
            help="File with the secret from which subject names are made, written by the "
            "first run; give it to later runs, so that a subject keeps its name. "
            "Default: beside the cohort."
        ),
    ] = None,
    same_person: Annotated[
        Path | None,
        typer.Option(
            help="CSV file of subjects that are the same person: columns subject and same_as, with "
            "names as in cohort.csv."
        ),
    ] = None,
    contrasts: options.Contrasts = None,
    show_identifiers: Annotated[
        bool,
        typer.Option(
            help="Show names, patient IDs, descriptions, and calendar dates instead of days from "
            "the first exam; in a cohort.csv, dates only."
        ),
    ] = False,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing cohort.csv.")] = False,
) -> None:
    """List the exams, series and stacks in a folder, and the files that cannot be read.

    Exit codes: 0 something was read; 2 wrong usage; 3 nothing was read.
    """
    from multifidus.io.cohort_template import join_people, write_cohort
    from multifidus.io.inspect import SPARE_COLUMNS, identifiers_in_paths, inspection, overview
    from multifidus.io.scan import scan
    from multifidus.io.visit_order import all_problems

    keys = subject_keys or (cohort.with_suffix(".subjects.json") if cohort else None)
    _check(same_person, keys)
    with counting("reading headers") as step:
        found = scan(*paths, progress=step, contrasts=contrasts)
    found, same = join_people(found, same_person, keys)
    if json:
        print_json(inspection(found, show_identifiers=show_identifiers))
    else:
        view = overview(found, show_identifiers=show_identifiers)
        if found.exams:
            print_groups(view.headings, view.exams, SPARE_COLUMNS)
        for remark in view.remarks:
            print_remark(remark)
        _say_skipped(found)
    for problem in all_problems(found):
        say(problem.message)
    if any(identifiers_in_paths(exam, found) for exam in found.exams):
        say(NAMED_AFTER_PATIENTS)
    if not found.exams:
        say("Nothing here can be measured.")
        raise typer.Exit(REFUSED)
    if cohort is not None and keys is not None:
        written = write_cohort(
            found, cohort, keys, show_identifiers=show_identifiers, overwrite=overwrite, same=same
        )
        say(f"Wrote {cohort}: {written.subjects} subjects, {written.exams} exams.")
        for remark in written.remarks:
            say(remark)
        if written.made_keys:
            say(f"Keep {keys} with the scans and give it to later runs (--subject-keys).")


def _check(same_person: Path | None, keys: Path | None) -> None:
    if same_person is not None and keys is None:
        msg = "--same-person needs the names of subjects: give --subject-keys, or --cohort."
        raise typer.BadParameter(msg)


def _say_skipped(found: Scan) -> None:
    """Say why files were passed over, those of one reason together."""
    by_reason: dict[str, list[str]] = {}
    for item in found.skipped:
        reason = _kind(found.shortened(item.reason))
        by_reason.setdefault(reason, []).append(found.shortened(str(item.path)))
    for reason, paths in list(by_reason.items())[:MOST_REASONS]:
        more = f" and {len(paths) - MOST_NAMED} more" if len(paths) > MOST_NAMED else ""
        count = f"{len(paths)} files: " if len(paths) > 1 else ""
        say(f"Skipped {count}{', '.join(paths[:MOST_NAMED])}{more}: {reason}")
    rest = sum(len(paths) for paths in list(by_reason.values())[MOST_REASONS:])
    if rest:
        say(f"Skipped {rest} more files for other reasons; --json lists all.")


def _kind(reason: str) -> str:
    """Return a reason without the file that it names, so that all copies have one reason."""
    before, found, named = reason.partition(" as ")
    return f"{before} as another." if found and os.sep in named else reason
