"""``multifidus demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    context: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "multifidus_demo"
    ),
    overwrite: Annotated[bool, typer.Option(help="Replace existing results.")] = False,
) -> None:
    """Measure and report the sample exams, a phantom before and after surgery.

    The report needs the extra 'report'; without it, a message says so.
    """
    from multifidus.cli.measure import measure
    from multifidus.cli.printing import say
    from multifidus.cli.report import report
    from multifidus.reporting.report_extra import HOW_TO, NEEDS, can_report
    from multifidus.sample_data import sample_dir

    measure(context, [sample_dir() / "cohort.csv"], output=output, overwrite=overwrite)
    say(f"Open {output / 'index.html'} to review the slices.")
    if can_report():
        report(output, overwrite=overwrite)
    else:
        say(f"No report was written: {NEEDS} {HOW_TO} Then: multifidus report {output}")
