"""``multifidus demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "multifidus_demo"
    ),
    overwrite: Annotated[bool, typer.Option(help="Replace results already there.")] = False,
) -> None:
    """Measure the sample exams (a phantom, before and after surgery) and show the table."""
    from multifidus.cli.measure import measure
    from multifidus.cli.printing import say
    from multifidus.sample import sample_dir

    measure([sample_dir() / "cohort.csv"], output=output, overwrite=overwrite)
    say(f"Open {output / 'index.html'} to look through the slices.")
    say(f"multifidus report {output} tells what changed between the exams.")
