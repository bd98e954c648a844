"""``multifidus agreement``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli import options
from multifidus.cli.exit_codes import ACTED_ON_SOME, REFUSED
from multifidus.cli.printing import print_json, print_table, say


def agreement(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    outlines: Annotated[
        list[Path], typer.Argument(help="Outline files of one exam, or a cohort.csv.")
    ],
    images: Annotated[
        list[Path] | None,
        typer.Option(
            "--images",
            help="Images of the exam, needed for levels from landmarks; may be repeated.",
        ),
    ] = None,
    labels: options.Labels = None,
    series: options.LabelSeries = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for outline_pairs.csv and the tables."),
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.FullJson = False,
) -> None:
    """Compare raters' outlines of the same slices: Dice, Hausdorff, HD95, mean distance.

    All pairs of readings of an exam are compared, including two readings by one rater.

    Exit codes: 0 done; 1 done, but some exams failed; 2 wrong usage; 3 refused, or all failed.
    """
    from multifidus.io.table_names import is_table
    from multifidus.measuring.agreement.outlines import outline_groups
    from multifidus.reporting.tables.agreement import outline_table, pair_rows, plain_outlines
    from multifidus.reporting.tables.paper_table import write_tables
    from multifidus.study.agreement_requests import compare_cohort, compare_files

    is_cohort = len(outlines) == 1 and is_table(outlines[0])
    if is_cohort and (images or labels or series):
        msg = "With a cohort.csv, images, labels and series are columns of the table, not options."
        raise typer.BadParameter(msg)
    found = (
        compare_cohort(outlines[0])
        if is_cohort
        else compare_files(outlines, images or (), labels, series=series)
    )
    for remark in found.remarks:
        say(remark)
    groups = outline_groups(found.pairs)
    remarks = (*found.problems, *found.failures)
    printed = outline_table(groups, remarks)
    if found.pairs and output is not None:
        raw = {"outline_pairs.csv": pair_rows(found.pairs)}
        for path in write_tables([printed], output, raw, overwrite=overwrite):
            say(f"Wrote {path}")
    if json:
        print_json(plain_outlines(found.pairs, groups, remarks))
    else:
        if found.pairs:
            print_table(printed.headings, printed.rows)
        for note in printed.notes:
            say(note)
    if not found.pairs:
        say("No two readings outline the same muscle on the same slice.")
    if found.failures or not found.pairs:
        raise typer.Exit(ACTED_ON_SOME if found.pairs else REFUSED)
