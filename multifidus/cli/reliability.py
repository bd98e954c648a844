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
        typer.Option("--quantity", help="Quantity to analyse; may be repeated. Default: all."),
    ] = None,
    structure: Annotated[
        list[str] | None,
        typer.Option("--structure", help="Structure to analyse; may be repeated. Default: all."),
    ] = None,
    compare: Annotated[
        str, typer.Option(help="rater: inter-rater reliability. reading: intra-rater reliability.")
    ] = "rater",
    by: Annotated[
        str,
        typer.Option(help="Analyse separately by level, side or timepoint; all others are pooled."),
    ] = "level,side",
    raters: Annotated[
        str, typer.Option(help="Raters to include, such as A,B: bias is A minus B. Default: all.")
    ] = "",
    timepoint: Annotated[
        list[str] | None,
        typer.Option("--timepoint", help="Timepoint to include; may be repeated. Default: all."),
    ] = None,
    group: Annotated[
        str,
        typer.Option(
            help="Grouping column of the cohort, such as approach; or one group of it only: "
            "approach=open."
        ),
    ] = "",
    match: Annotated[
        str,
        typer.Option(
            help="slice: compare only slices that all raters outlined. level: compare any slices "
            "of a level. Default: level if the protocol selects the nearest slice, else slice."
        ),
    ] = "",
    protocol: Annotated[
        str | None,
        typer.Option(
            help="Protocol that selects slices within a level; default: the one used for the table."
        ),
    ] = None,
    mix_protocols: Annotated[
        bool,
        typer.Option("--mix-protocols", help="Compare values measured with different protocols."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the table as CSV, Markdown and LaTeX."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing files.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the full result as JSON.")] = False,
) -> None:
    """Estimate inter- and intra-rater reliability: ICC, SEM, MDC, limits of agreement.

    Only examinations that every rater measured enter, on slices that every rater outlined; what
    was left out, and why, is reported.
    """
    from multifidus.io.table_csv import read_results
    from multifidus.reporting.tables.exclusions import exclusions_table
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
    lost = exclusions_table("reliability_left_out", study.exclusions)
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
