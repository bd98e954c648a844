"""``multifidus reliability``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import print_json, print_paper_tables, say

if TYPE_CHECKING:
    from multifidus.stats.reliability.results import ReliabilityStudy


def reliability(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    table: options.Table,
    quantity: options.Quantities = None,
    structure: options.Structures = None,
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
    protocol: options.Protocol = None,
    mix_protocols: options.MixProtocols = False,
    review: options.Review = None,
    output: options.Output = None,
    overwrite: options.Overwrite = False,
    json: options.FullJson = False,
) -> None:
    """Estimate inter- and intra-rater reliability: ICC, SEM, MDC, limits of agreement.

    Only examinations that every rater measured enter, on slices that every rater outlined; what
    was left out, and why, is reported.
    """
    from multifidus.stats.requests import ReliabilityRequest, study_reliability

    found = options.read_table(
        table, quantity, structure, protocol, mix_protocols=mix_protocols, review=review
    )
    request = ReliabilityRequest(
        compare=compare,
        by=_names(by),
        raters=_names(raters),
        timepoints=tuple(timepoint or ()),
        group=group,
        match=match,
        mix_protocols=mix_protocols,
    )
    _hand_out(study_reliability(found, request), output, overwrite=overwrite, json=json)


def _hand_out(study: ReliabilityStudy, output: Path | None, *, overwrite: bool, json: bool) -> None:
    """Write the tables, and print them or JSON."""
    from multifidus.reporting.tables.exclusions import exclusions_table
    from multifidus.reporting.tables.paper_table import write_tables
    from multifidus.reporting.tables.reliability import grade_table, reliability_table
    from multifidus.stats.reliability.document import plain_study

    lost = exclusions_table("reliability_left_out", study.exclusions)
    tables = [item for item in (reliability_table(study), grade_table(study), lost) if item.rows]
    if output is not None:
        for path in write_tables(tables, output, overwrite=overwrite):
            say(f"Wrote {path}")
    if json:
        print_json(plain_study(study))
        return
    print_paper_tables(tables)


def _names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
