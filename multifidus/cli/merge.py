"""``multifidus merge``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli.exit_codes import ACTED_ON_SOME
from multifidus.cli.printing import print_json, print_table, say

if TYPE_CHECKING:
    import datetime

    from multifidus.reading.merge import ConflictVersion, MergeConflict


def merge(
    returned: Annotated[
        list[Path], typer.Argument(help="Folders or zip archives returned by the raters.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="New folder for the merged readings.")
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Merge the readings returned by raters; keep every version where they conflict.

    Identical readings are kept once. Nothing is overwritten; conflicts are listed and kept apart.

    Exit codes: 0 done; 1 done, with conflicts or unreadable files; 2 wrong usage; 3 refused.
    """
    from multifidus.reading.merge import merge_readings

    merged = merge_readings(returned, output)
    if json:
        print_json(merged.as_json())
    else:
        if merged.conflicts:
            rows = [
                _row(conflict, number, version)
                for conflict in merged.conflicts
                for number, version in enumerate(conflict.versions, 1)
            ]
            print_table(("conflict", "version", "outlines", "finished", "last save", "file"), rows)
        for conflict in merged.conflicts:
            say(f"{conflict.what} differs in {'; '.join(conflict.differs)}.")
            say(f"Kept as {', '.join(str(version.kept) for version in conflict.versions)}.")
        for path, reason in merged.unreadable:
            say(f"Not read: {path}: {reason}")
        say(
            f"{len(merged.files)} readings are in {output}, {len(merged.identical)} more were the "
            f"same, {len(merged.conflicts)} in conflict, {len(merged.unreadable)} unreadable."
        )
    if not merged.is_clean:
        raise typer.Exit(ACTED_ON_SOME)


def _row(conflict: MergeConflict, number: int, version: ConflictVersion) -> tuple[str, ...]:
    told = ("", "", "")
    if version.outlines is not None:
        told = (
            str(version.outlines),
            _when(version.finished) or "no",
            _when(version.saved) or "unknown",
        )
    return str(conflict.what), str(number), *told, str(version.file)


def _when(moment: datetime.datetime | None) -> str:
    return "" if moment is None else f"{moment.astimezone():%Y-%m-%d %H:%M}"
