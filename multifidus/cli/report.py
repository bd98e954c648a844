"""``multifidus report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import say


def report(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    folder: Annotated[
        Path, typer.Argument(help="Results folder written by 'multifidus measure -o'.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for the report; default: 'report' in the results folder."
        ),
    ] = None,
    reliability: Annotated[
        Path | None,
        typer.Option(
            "--reliability",
            help="JSON output of 'multifidus reliability --json'; default: from this study.",
        ),
    ] = None,
    change: Annotated[
        Path | None,
        typer.Option(
            "--change",
            help="JSON output of 'multifidus change --json' for this study; its timepoints, "
            "readings and measurement error are used.",
        ),
    ] = None,
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", help="Quantity to report; may be repeated."),
    ] = None,
    structure: Annotated[str, typer.Option(help="Muscle to report.")] = "multifidus",
    value: Annotated[
        str | None,
        typer.Option(help="Reading used for analysis: first, mean, consensus or rater:ID."),
    ] = None,
    before: options.Before = "",
    after: options.After = "",
    group: options.Group = "",
    model: Annotated[
        str | None,
        typer.Option(
            help="Fixed factor of the mixed model beside time: zone, level, side or a column; "
            "default: group, zone or level."
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Protocol of the results; default: the one in the results folder."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option("--figures", help="Format of the figures: pdf, svg or png; may be repeated."),
    ] = None,
    review: options.Review = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Write the study report: HTML page, manuscript text, tables, figures, one sheet per subject.

    Exit codes: 0 done; 2 wrong usage; 3 refused.
    """
    from multifidus.reporting.build import FORMATS, ReportRequest, load_study, write_report
    from multifidus.study.results_folder import REPORT

    strange = sorted({*(formats or ())} - {*FORMATS})
    if strange:
        msg = f"Figures are written as {', '.join(FORMATS)}, not as {', '.join(strange)}."
        raise typer.BadParameter(msg)
    if change is not None and (value or before or after):
        msg = "--change sets readings and timepoints; omit --value, --from and --to."
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
        review=review,
    )
    data = load_study(request)
    target = output or folder / REPORT
    written = write_report(
        data, target, tuple(dict.fromkeys(formats or ("pdf",))), overwrite=overwrite
    )
    for remark in (*data.absent, *data.remarks):
        say(remark)
    say(f"Wrote {len(written)} files to {target}. Open {written[0]}.")
