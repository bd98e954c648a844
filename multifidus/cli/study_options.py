"""Arguments and options that the commands on a study's table share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for the tables as CSV, Markdown and LaTeX."),
]
Overwrite = Annotated[bool, typer.Option(help="Replace existing files.")]
Json = Annotated[bool, typer.Option("--json", help="Print the full result as JSON.")]
