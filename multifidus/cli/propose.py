"""``multifidus propose``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multifidus.cli import options
from multifidus.cli.printing import say


def propose(  # noqa: PLR0917 - a command has the options that it has
    exam: Annotated[list[Path], typer.Argument(help="Files or folders of one exam.")],
    outlines: Annotated[
        list[Path],
        typer.Option("--outlines", help="Outlines of the muscles; may be repeated."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Outline file to write: *.outlines.json.")
    ],
    labels: options.Labels = None,
    series: options.LabelSeries = None,
    overwrite: Annotated[bool, typer.Option(help="Replace an existing file.")] = False,
) -> None:
    """Propose lean-muscle and fat reference ROIs where none were drawn.

    They are drafts: check, move or delete them in ``multifidus annotate``, and give the file to
    ``multifidus measure`` with the muscle outlines. Values based on drafts are flagged.
    """
    from multifidus.errors import RoiError
    from multifidus.io.outlines import write_rois
    from multifidus.io.read import read_exam
    from multifidus.measuring.propose_references import propose_references
    from multifidus.study.batch import case_of, read_outlines

    images = read_exam(*exam)
    rois = read_outlines(case_of(exam, outlines, labels, series), images)
    proposals = propose_references(images, rois)
    if not len(proposals):
        msg = "No reference ROIs can be proposed: lean muscle and fat cannot be separated."
        raise RoiError(msg, remedy="Outline the back muscles, or draw the reference ROIs by hand.")
    write_rois(proposals, output, overwrite=overwrite)
    say(f"Wrote {len(proposals)} proposed reference ROIs to {output}; check them before use.")
