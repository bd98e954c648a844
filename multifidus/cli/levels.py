"""``multifidus levels``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import print_json, print_table, say


def levels(
    exam: Annotated[list[Path], typer.Argument(help="Files or folders of one exam.")],
    landmarks: Annotated[
        Path,
        typer.Option(
            "--landmarks", help="Outline file with landmarks; it may contain landmarks only."
        ),
    ],
    protocol: Annotated[
        str, typer.Option(help="Measurement protocol, for the tilt axis.")
    ] = "default",
    json: options.Json = False,
) -> None:
    """List the level of every axial slice, from landmarks, with its margin.

    Levels given in the file take precedence over its landmarks. Offsets are distances from the
    landmark to the slice plane, positive cranially. The margin is the extra distance to the
    nearest landmark of another level.

    Exit codes: 0 done; 2 wrong usage; 3 refused.
    """
    from multifidus.io.outlines import read_rois
    from multifidus.io.protocol_toml import load_protocol
    from multifidus.io.read import read_exam
    from multifidus.spine.level_table import level_rows, level_table

    images = read_exam(*exam)
    rows = level_rows(images, read_rois(landmarks, images), load_protocol(protocol))
    if json:
        print_json({"levels": rows})
        return
    print_table(*level_table(rows))
    without = sum(row["level"] is None for row in rows)
    if without:
        say(f"{without} of {len(rows)} slices lie beyond the landmarks; no level is assigned.")
