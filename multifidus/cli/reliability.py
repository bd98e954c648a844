"""``multifidus reliability``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.printing import print_json, print_wide_table, say

WORDY = ("value", "examinations", "slices", "left out")
"""Columns whose cells are mostly alike."""


def reliability(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    table: Annotated[Path, typer.Argument(help="measurements.csv of a study.")],
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Only this quantity; may be repeated."),
    ] = None,
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", help="Only this structure; may be repeated."),
    ] = None,
    compare: Annotated[
        str, typer.Option(help="rater: between raters. reading: each rater's own readings.")
    ] = "rater",
    by: Annotated[
        str,
        typer.Option(
            help="What is kept apart: level, side, timepoint; what is not named is pooled."
        ),
    ] = "level,side",
    raters: Annotated[
        str, typer.Option(help="Which raters, such as A,B: bias is A minus B. All if empty.")
    ] = "",
    timepoint: Annotated[
        list[str] | None,
        typer.Option("--timepoint", help="Only examinations at this timepoint; may be repeated."),
    ] = None,
    group: Annotated[
        str,
        typer.Option(
            help="A column of the cohort that keeps groups of subjects apart, such as approach; or "
            "one group of it alone: approach=open."
        ),
    ] = "",
    match: Annotated[
        str,
        typer.Option(
            help="slice: only slices that all outlined are compared. level: whichever slices of a "
            "level. Else as the protocol says: level where it takes the nearest slice, else slice."
        ),
    ] = "",
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Which of a level's slices enter; else the protocol the table was measured by."
        ),
    ] = None,
    mix_protocols: Annotated[
        bool,
        typer.Option(
            "--mix-protocols", help="Compare numbers although they are of several protocols."
        ),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the table as CSV, Markdown and LaTeX."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files already there.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Estimate inter- and intra-rater reliability: ICC, SEM, MDC, limits of agreement.

    Only examinations that every rater measured enter, on slices that every rater outlined; what
    was left out, and why, is reported.
    """
    from multifidus.io.table_csv import read_results
    from multifidus.reporting.tables.exclusions import left_out_table
    from multifidus.reporting.tables.paper_table import check_paper_table, write_paper_table
    from multifidus.reporting.tables.reliability import grade_table, reliability_table
    from multifidus.stats.reliability.document import plain_study
    from multifidus.stats.reliability.study import reliability as of_study
    from multifidus.stats.reliability.target_groups import TargetRule
    from multifidus.stats.study_table import study_table
    from multifidus.stats.values import of_quantities
    from multifidus.study.level_value import matching_of
    from multifidus.study.results import PROTOCOL

    read = read_results(table)
    if read.remark:
        say(read.remark)
    found = study_table(
        read.rows, table.parent / PROTOCOL, protocol, lines=read.lines, mix_protocols=mix_protocols
    )
    study = of_study(
        of_quantities(found.values, quantity or (), structure or ()),
        compare=compare,
        by=_names(by),
        raters=_names(raters),
        targets=TargetRule(
            match or matching_of(found.protocol), tuple(timepoint or ()), group, mix_protocols
        ),
    )
    study = replace(study, problems=(*study.problems, *found.remarks))
    lost = left_out_table("reliability_left_out", study.left_out)
    tables = [item for item in (reliability_table(study), grade_table(study), lost) if item.rows]
    if output is not None:
        for printed in tables:
            check_paper_table(printed, output, overwrite=overwrite)
        for printed in tables:
            for path in write_paper_table(printed, output, overwrite=overwrite):
                say(f"Wrote {path}")
    if json:
        print_json(plain_study(study))
        return
    for printed in tables:
        print_wide_table(printed.headings, printed.rows, WORDY)
        for note in printed.notes:
            say(note)


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
