"""``multifidus merge``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli.exit_codes import ACTED_ON_SOME
from multifidus.cli.printing import print_json, print_table, say


def merge(
    folders: Annotated[list[Path], typer.Argument(help="Folders returned by the raters.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New folder for the merged readings.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Merge the readings returned by raters; keep every version where they conflict.

    Identical readings are kept once. Nothing is overwritten; conflicts are listed and kept apart.

    Exit codes: 0 done; 1 done, with conflicts or unreadable files; 2 wrong usage; 3 refused.
    """
    from multifidus.reading.merge import merge_folders

    merged = merge_folders(folders, output)
    if json:
        print_json(merged.as_json())
    else:
        if merged.conflicts:
            rows = [(str(c.what), "; ".join(c.differs)) for c in merged.conflicts]
            print_table(("conflict", "differs in"), rows)
        for conflict in merged.conflicts:
            say(f"{conflict.what}: kept as {', '.join(map(str, conflict.kept))}.")
        for path, reason in merged.unreadable:
            say(f"Not read: {path}: {reason}")
        say(
            f"{len(merged.files)} readings are in {output}, {len(merged.identical)} more were the "
            f"same, {len(merged.conflicts)} in conflict, {len(merged.unreadable)} unreadable."
        )
    if not merged.is_clean:
        raise typer.Exit(ACTED_ON_SOME)
