"""``multifidus phantom``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def phantom(
    out: Annotated[Path, typer.Argument(help="Folder to write to.")],
) -> None:
    """Write a digital lumbar phantom."""
