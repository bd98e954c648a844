"""``multifidus report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.printing import say


def report(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    folder: Annotated[Path, typer.Argument(help="Results folder, as 'measure -o' wrote it.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the report; else 'report' in the other."),
    ] = None,
    reliability: Annotated[
        Path | None,
        typer.Option(
            "--reliability",
            help="What 'multifidus reliability --json' printed; else the study's own readings.",
        ),
    ] = None,
    change: Annotated[
        Path | None,
        typer.Option(
            "--change",
            help="What 'multifidus change --json' printed of this study: its timepoints, rule and "
            "errors are taken over.",
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Report this quantity; may be repeated."),
    ] = None,
    structure: Annotated[str, typer.Option(help="Which muscle.")] = "multifidus",
    value: Annotated[
        str | None,
        typer.Option(help="Whose value enters a change: first, mean, consensus or rater:ID."),
    ] = None,
    before: Annotated[str, typer.Option("--from", help="Timepoint before; else the first.")] = "",
    after: Annotated[str, typer.Option("--to", help="Timepoint after; else the last.")] = "",
    group: Annotated[
        str, typer.Option(help="Column that keeps groups of subjects apart, such as approach.")
    ] = "",
    model: Annotated[
        str | None,
        typer.Option(
            help="What the mixed model has fixed beside the timepoint: zone, level, side or a "
            "column; else the groups, the zone or the level."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Protocol of the results; else the one that stands among them."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--figures", help="Format of the figures: pdf, svg or png; may be repeated."),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace files already there.")] = False,
) -> None:
    """Make a study's report: a page, text and tables for a paper, figures, a sheet a subject.

    Exit codes: 0 done; 2 wrong usage; 3 refused.
    """
    from multifidus.reporting.build import FORMATS, ReportRequest, load_study, write_report
    from multifidus.study.results import REPORT

    strange = sorted({*(formats or ())} - {*FORMATS})
    if strange:
        msg = f"Figures are written as {', '.join(FORMATS)}, not as {', '.join(strange)}."
        raise typer.BadParameter(msg)
    if change is not None and (value or before or after):
        msg = "--change says whose values and which timepoints; leave out --value, --from and --to."
        raise typer.BadParameter(msg)
    request = ReportRequest(
        folder=folder,
        reliability=reliability,
        change=change,
        quantities=tuple(dict.fromkeys(quantity or ())),
        structure=structure,
        value=value or "first",
        before=before,
        after=after,
        column=group,
        model=model,
        protocol=protocol,
    )
    data = load_study(request)
    target = output or folder / REPORT
    written = write_report(
        data, target, tuple(dict.fromkeys(formats or ("pdf",))), overwrite=overwrite
    )
    for remark in data.remarks:
        say(remark)
    say(f"Wrote {len(written)} files to {target}. Open {written[0]}.")
