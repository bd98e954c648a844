"""``multifidus annotate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def annotate(
    exam: Annotated[Path, typer.Argument(help="File or folder of one exam.")],
    rater: Annotated[
        str | None, typer.Option(help="Who outlines; as it was left last time if not given.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where outlines are kept; beside the images if not given.")
    ] = None,
) -> None:
    """Open napari on an exam to outline the muscles; outlines are saved as you go."""
    from multifidus.errors import ReadError

    try:
        from napari_multifidus.annotate import run
    except ImportError as error:
        msg = f"napari is not installed: {error}."
        raise ReadError(msg, remedy='Install it: pip install "multifidus[gui]".') from error
    run(exam, rater=rater, folder=folder)
