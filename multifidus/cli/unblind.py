"""``multifidus unblind``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.exit_codes import ACTED_ON_SOME
from multifidus.cli.printing import say


def unblind(
    folder: Annotated[Path, typer.Argument(help="Folder of blinded outline files.")],
    key: Annotated[Path, typer.Option("--key", help="The coordinator's key file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the outline files.")],
    cohort: Annotated[
        Path | None,
        typer.Option(help="The study's cohort.csv; the one the key was made from if not given."),
    ] = None,
) -> None:
    """Replace codes by subjects in blinded outline files; write or extend their cohort.csv.

    Exit codes: 0 done; 1 done, but some codes are unknown; 2 wrong usage; 3 refused.
    """
    from multifidus.reading.schedule import LIMITS
    from multifidus.reading.unblind import unblind as run

    done = run(folder, key, output, cohort)
    say(f"Wrote {len(done.files)} outline files and their rows in {done.table}.")
    say(f"For the Methods: {LIMITS}")
    for path in done.unknown:
        say(f"The code in {path} is not in the key.")
    if done.unknown:
        raise typer.Exit(ACTED_ON_SOME)
