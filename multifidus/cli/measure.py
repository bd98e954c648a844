"""``multifidus measure``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.exit_codes import ACTED_ON_SOME, REFUSED
from multifidus.cli.printing import print_json, print_table, progress, say

if TYPE_CHECKING:
    from multifidus.study.requests import MeasureRequest
    from multifidus.study.results import Results


def measure(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    exam: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Files or folders of one exam (DICOM, NIfTI, NRRD, MetaImage), or a cohort.csv.",
            show_default=False,
        ),
    ] = None,
    outlines: Annotated[
        list[Path] | None,
        typer.Option("--outlines", help="Outline file or label map of the exam; may be repeated."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the results.")
    ] = None,
    labels: options.Labels = None,
    protocol: Annotated[
        str, typer.Option(help="Measurement protocol: a preset or a TOML file.")
    ] = "default",
    fat: Annotated[Path | None, typer.Option(help="Fat image of a Dixon pair.")] = None,
    water: Annotated[Path | None, typer.Option(help="Water image of a Dixon pair.")] = None,
    pair_by: Annotated[
        str,
        typer.Option(help="Pair fat and water by geometry, or by index if their headers disagree."),
    ] = "geometry",
    contrasts: options.Contrasts = None,
    series: Annotated[
        str | None,
        typer.Option(
            help="Series that a label map was drawn on, where several share one geometry: its "
            "number in 'multifidus inspect', UID or weighting."
        ),
    ] = None,
    rater: Annotated[
        str, typer.Option(help="Rater of outlines that name no rater, such as a label map.")
    ] = "",
    reading: Annotated[
        int | None, typer.Option(min=1, help="Reading of outlines that name no rater: 1, 2, ...")
    ] = None,
    pictures: Annotated[
        bool, typer.Option(help="Save an image of every measured slice and an HTML page.")
    ] = True,
    overwrite: Annotated[bool, typer.Option(help="Replace existing results.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the measurements as JSON.")] = False,
) -> None:
    """Measure area and fat of segmented muscles; write tables, images and an HTML page.

    Measures one exam with its outlines, or every case of a cohort.csv. A case that fails is
    listed in failures.csv, and the others are measured.

    Exit codes: 0 done; 1 done, but some cases failed; 2 wrong usage; 3 refused, or all failed.
    """
    from multifidus.io.protocol_toml import load_protocol
    from multifidus.study.requests import MeasureRequest, prepare
    from multifidus.study.results import as_json, write_results
    from multifidus.study.results_folder import Output
    from multifidus.study.results_page import printable

    request = MeasureRequest(
        exam=tuple(exam or ()),
        outlines=tuple(outlines or ()),
        labels=labels,
        fat=fat,
        water=water,
        pair_by=pair_by,
        contrasts=contrasts,
        series=series,
        rater=rater,
        reading=reading,
    )
    missing = _missing(request, prints=json or output is not None)
    if missing:
        raise typer.BadParameter(missing)
    how = load_protocol(protocol)
    target = None if output is None else Output(output, overwrite=overwrite, pictures=pictures)
    if target is not None:
        target.check()
    run = prepare(request, how)
    for remark in run.remarks:
        say(remark)
    with progress(run.total, "measuring") as step:
        results = write_results(
            run.outcomes, target, how, lambda outcome: step(outcome.case.reading.subject)
        )
    if json:
        print_json(as_json(results))
    elif results.rows:
        headings, cells = printable(results.rows, "multifidus", how)
        if cells:
            print_table(headings, cells)
        else:
            say("No muscle was outlined, so there is no summary.")
        say(f"Full results are in {output}.")
    for note in results.notes:
        say(note)
    _end(results)


def _end(results: Results) -> None:
    """Say what failed, or that there was nothing to measure, and exit by it."""
    for failure in results.failures:
        who = f"{failure['subject']} {failure['timepoint']} {failure['rater']}".strip()
        say(f"Failed: {who}: {failure['message']} {failure['remedy']}".rstrip())
    if not results.rows and not results.failures:
        say("Nothing was measured: the files contain landmarks or levels, but no outlines.")
        raise typer.Exit(REFUSED)
    if results.failures:
        raise typer.Exit(ACTED_ON_SOME if results.rows else REFUSED)


def _missing(request: MeasureRequest, *, prints: bool) -> str:
    """Say what a request lacks; empty where it is complete."""
    if not request.exam and request.fat is None:
        return "Give an exam, a Dixon pair (--fat, --water) or a cohort.csv."
    if not request.outlines and not request.is_cohort:
        return "Give the outlines (--outlines FILE), or a cohort.csv."
    if not prints:
        return "Give a results folder (-o DIR), or print the results (--json)."
    return ""
