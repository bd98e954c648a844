"""Arguments and options that the commands on a study's table share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Table = Annotated[Path, typer.Argument(help="measurements.csv of a study.")]
Quantities = Annotated[
    list[str] | None, typer.Option("--quantity", help="Only this quantity; may be repeated.")
]
Structures = Annotated[
    list[str] | None, typer.Option("--structure", help="Only this structure; may be repeated.")
]
Protocol = Annotated[
    str | None,
    typer.Option(
        help="Protocol that selects and combines a level's slices; else the one the table was "
        "measured by."
    ),
]
MixProtocols = Annotated[
    bool,
    typer.Option("--mix-protocols", help="Compare numbers although they are of several protocols."),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Folder for the tables as CSV, Markdown and LaTeX."),
]
Overwrite = Annotated[bool, typer.Option(help="Replace files already there.")]
Json = Annotated[bool, typer.Option("--json", help="Print everything as JSON.")]
