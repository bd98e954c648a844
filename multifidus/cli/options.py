"""Arguments and options that several commands share, and how the table of a study is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli.printing import say

if TYPE_CHECKING:
    from multifidus.stats.study_table import StudyTable

Labels = Annotated[
    str | None,
    typer.Option(help="Label definitions of a label map: a preset, or a TOML or TSV file."),
]
LabelSeries = Annotated[
    str | None,
    typer.Option(help="Series that a label map was drawn on: number, UID or weighting."),
]
Contrasts = Annotated[
    Path | None, typer.Option(help="TOML file of contrast names used by your scanners.")
]
Before = Annotated[str, typer.Option("--from", help="Baseline timepoint; default: the first.")]
After = Annotated[str, typer.Option("--to", help="Follow-up timepoint; default: the last.")]
Group = Annotated[str, typer.Option(help="Grouping column, such as approach.")]
Table = Annotated[Path, typer.Argument(help="measurements.csv of a study.")]
Quantities = Annotated[
    list[str] | None,
    typer.Option("--quantity", help="Quantity to analyse; may be repeated. Default: all."),
]
Structures = Annotated[
    list[str] | None,
    typer.Option("--structure", help="Structure to analyse; may be repeated. Default: all."),
]
Protocol = Annotated[
    str | None,
    typer.Option(
        help="Protocol that selects slices within a level and sets the minimum valid fraction; "
        "default: the one used for the table."
    ),
]
MixProtocols = Annotated[
    bool,
    typer.Option("--mix-protocols", help="Compare values measured with different protocols."),
]
Review = Annotated[
    Path | None,
    typer.Option(
        help="Table of verdicts (pass, fail, repeat): what did not pass is left out. Default: the "
        "review.csv beside the table, if there is one."
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for the tables as CSV, Markdown and LaTeX."),
]
Overwrite = Annotated[bool, typer.Option(help="Replace existing files.")]
FullJson = Annotated[bool, typer.Option("--json", help="Print the full result as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print as JSON.")]


def read_table(
    path: Path,
    quantity: list[str] | None,
    structure: list[str] | None,
    protocol: str | None,
    *,
    mix_protocols: bool,
    review: Path | None = None,
) -> StudyTable:
    """Read a study's table, and say how where that is not the usual way."""
    from multifidus.stats.requests import read_study

    table, remark = read_study(
        path,
        quantities=quantity or (),
        structures=structure or (),
        protocol=protocol,
        mix_protocols=mix_protocols,
        review=review,
    )
    if remark:
        say(remark)
    return table


Tables = Annotated[
    list[str] | None,
    typer.Option(
        help="Further tables: wide, parquet, redcap or bids; may be repeated.", show_default=False
    ),
]


def further_tables(names: list[str] | None) -> tuple[str, ...]:
    """Return the tables that are asked for.

    Raises
    ------
    typer.BadParameter
        If there is none of a name.
    """
    from multifidus.study.table_files import FurtherTable

    for name in names or ():
        if name not in {*FurtherTable}:
            msg = f"--tables takes {', '.join(FurtherTable)}, not {name!r}."
            raise typer.BadParameter(msg)
    return tuple(names or ())
