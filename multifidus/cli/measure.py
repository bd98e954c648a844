"""``multifidus measure``."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.cohort_run import end_shard, run_and_show, say_failures, show_plan
from multifidus.cli.exit_codes import ACTED_ON_SOME, REFUSED
from multifidus.cli.printing import command_words, print_first_rows, print_json, progress, say
from multifidus.data.drawing import PictureChoice, PictureFormat, PictureStyle

if TYPE_CHECKING:
    from multifidus.data.printed_table import PrintedTable
    from multifidus.data.protocol import MeasurementProtocol
    from multifidus.io.table_csv import Row
    from multifidus.study.requests import MeasureRequest
    from multifidus.study.results_folder import Output
    from multifidus.study.run.cluster_config import ClusterConfig
    from multifidus.study.run.limits import Limits
    from multifidus.study.run.selection import Selection
    from multifidus.study.run.shard import Shard

TIMEOUT_S = 1800.0
"""Time that a case of a cohort may take: most take seconds."""


def measure(  # noqa: PLR0913, PLR0917 - a command has the options that it has
    context: typer.Context,
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
        PictureChoice,
        typer.Option(help="Slices to save images of. Without images there is no page."),
    ] = PictureChoice.ALL,
    no_pictures: Annotated[
        bool, typer.Option("--no-pictures", help="The same as --pictures none.")
    ] = False,
    picture_format: Annotated[
        PictureFormat, typer.Option(help="Format of images; PNG is exact, and the largest.")
    ] = PictureFormat.JPEG,
    review: Annotated[
        Path | None,
        typer.Option(
            help="Table of verdicts, in place of the review.csv in the results folder: what did "
            "not pass has no value in the summary."
        ),
    ] = None,
    tables: options.Tables = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing results.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the measurements as JSON.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Measure every case of a cohort again.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check a cohort and say what would be done; write nothing."),
    ] = False,
    only: Annotated[
        str | None, typer.Option(help="'failed': measure those cases alone that failed before.")
    ] = None,
    include: Annotated[
        list[str] | None,
        typer.Option(help="Cases of a cohort to measure now, COLUMN=VALUE; may be repeated."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Cases of a cohort not to measure now, COLUMN=VALUE; may be repeated."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Measure so many cases of a cohort at most.")
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            help="Measure one share of a cohort, I/N, such as 3/8; 'multifidus assemble' then "
            "makes the tables of all."
        ),
    ] = None,
    executor: Annotated[
        str, typer.Option(help="What hands out the cases of a cohort: processes or dask.")
    ] = "processes",
    executor_config: Annotated[
        Path | None,
        typer.Option(help="TOML file that says which Dask cluster; default: this machine."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes for a cohort; default: all cores.")
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.001, help="Seconds that a case of a cohort may take.")
    ] = TIMEOUT_S,
    memory: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="GB of memory for each process (kept on Linux); default: 90 % of the machine's, "
            "shared between them.",
        ),
    ] = None,
) -> None:
    """Measure area and fat of segmented muscles; write tables, images and an HTML page.

    Measures one exam with its outlines, or every case of a cohort.csv. A case that fails is
    listed in failures.csv, and the others are measured. The same command again measures what is
    missing or failed.

    Exit codes: 0 done; 1 done, but some cases failed, or all of a shard; 2 wrong usage; 3 refused,
    or all failed; 4 a fault of the program or the machine, what was finished is kept.
    """
    from multifidus.study.run.limits import Limits, memory_share, usable_cores

    processes = jobs or usable_cores()
    used = memory_share(processes) if memory is None else int(memory * 1e9)
    _begin_early(context, exam, used, is_wanted=executor == "processes" and not dry_run)
    from multifidus.io.protocol_toml import load_protocol
    from multifidus.study.requests import MeasureRequest
    from multifidus.study.results_folder import Output
    from multifidus.study.run.selection import FAILED, Selection

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
    if only not in {None, FAILED}:
        raise typer.BadParameter(f"--only takes {FAILED!r} and nothing else.")
    if (review is not None or tables) and output is None:
        raise typer.BadParameter("--review and --tables are for a results folder (-o DIR).")
    target = None
    if output is not None:
        drawn = not no_pictures and pictures is not PictureChoice.NONE
        target = Output(
            output, overwrite, drawn, review, options.further_tables(tables),
            PictureStyle(pictures is PictureChoice.FLAGGED, picture_format),
        )  # fmt: skip
    if not request.is_cohort:
        of_a_cohort = (force, dry_run, only, include, exclude, limit, shard, jobs, memory)
        if any(of_a_cohort) or executor_config or executor != "processes":
            words = "--force, --dry-run, --only, --include, --exclude, --limit, --shard, --jobs, "
            raise typer.BadParameter(f"{words}--memory and --executor are for a cohort.csv.")
        return _measure_exam(request, target, how, json=json)
    chosen = Selection(tuple(include or ()), tuple(exclude or ()), only == FAILED, limit)
    share = _shard(shard)
    cluster = _cluster(executor, executor_config)
    is_elsewhere = cluster is not None and not cluster.is_here
    if share.of > 1 or is_elsewhere:
        _check_part(share, has_output=output is not None, has_tables=bool(tables))
    if memory is None and is_elsewhere:
        used = None  # what each machine has
    limits = Limits(processes, timeout, used)
    asked = _Asked(request, how, chosen, limits, force, dry_run, json, share, cluster)
    if target is not None:
        return _measure_cohort(asked, target)
    with tempfile.TemporaryDirectory() as scratch:
        return _measure_cohort(asked, Output(Path(scratch), pictures=False))


def _begin_early(
    context: typer.Context, exam: Sequence[Path] | None, memory: int | None, *, is_wanted: bool
) -> None:
    """Have the first process of a cohort get ready while the rest of this program is imported."""
    from multifidus.io.table_names import is_table
    from multifidus.study.run.spare import spare_process

    if is_wanted and exam and len(exam) == 1 and is_table(exam[0]):
        # The command's end is that of the process, if no case has come to it.
        context.with_resource(spare_process(memory))


def _shard(text: str | None) -> Shard:
    """Return the share that was asked for; all of the cohort where none was."""
    from multifidus.errors import CohortError
    from multifidus.study.run.shard import WHOLE, Shard

    try:
        return WHOLE if text is None else Shard.from_text(text)
    except CohortError as error:
        raise typer.BadParameter(str(error)) from None


def _check_part(share: Shard, *, has_output: bool, has_tables: bool) -> None:
    """Refuse what neither a shard nor a cluster of other machines can do."""
    if not has_output:
        raise typer.BadParameter("Give a results folder (-o DIR) for a shard or a cluster.")
    if share.of > 1 and has_tables:
        raise typer.BadParameter("A shard has no tables: give --tables to 'multifidus assemble'.")


def _cluster(executor: str, config: Path | None) -> ClusterConfig | None:
    """Return where Dask hands out cases; None where it does not."""
    from multifidus.study.run.cluster_config import ClusterConfig, read_cluster_config
    from multifidus.study.run.engine import DASK, EXECUTORS

    if executor not in EXECUTORS:
        raise typer.BadParameter(f"--executor takes {' or '.join(EXECUTORS)}.")
    if config is not None and executor != DASK:
        raise typer.BadParameter("--executor-config is for --executor dask.")
    if executor != DASK:
        return None
    return ClusterConfig() if config is None else read_cluster_config(config)


def _measure_exam(
    request: MeasureRequest, target: Output | None, how: MeasurementProtocol, *, json: bool
) -> None:
    """Measure one exam here: there is no other that it could end."""
    from multifidus.study.requests import prepare
    from multifidus.study.results import as_json, write_results

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
    elif target is not None and results.rows:
        _print_summary(results.printed, target.folder)
    for note in results.notes:
        say(note)
    _end(results.failures, n_rows=len(results.rows))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was asked of a cohort."""

    request: MeasureRequest
    protocol: MeasurementProtocol
    selection: Selection
    limits: Limits
    force: bool
    dry_run: bool
    json: bool
    shard: Shard
    cluster: ClusterConfig | None


def _measure_cohort(asked: _Asked, output: Output) -> None:
    from multifidus.io.contrast import load_contrasts
    from multifidus.study.requests import cohort_of, cohort_remarks, privacy_remarks
    from multifidus.study.results import as_json, results_of
    from multifidus.study.run.cohort import CohortRun

    contrasts = asked.request.contrasts
    load_contrasts(contrasts)  # a mistake in it is no failure of each case
    cohort = cohort_of(asked.request)
    run = CohortRun(
        asked.request.exam[0], cohort.cases, output, asked.protocol, contrasts, asked.selection,
        asked.limits, asked.force, command_words(), asked.shard,
        asked.cluster,
    )  # fmt: skip
    if asked.dry_run:
        return show_plan(run)
    for remark in cohort_remarks(cohort):
        say(remark)
    result = run_and_show(run)
    study = result.study
    # It takes a look into every exam, for which no case has to wait.
    for remark in privacy_remarks(replace(cohort, cases=run.share)) if run.share else ():
        say(remark)
    if run.shard.of > 1:
        return end_shard(run, study, json=asked.json)
    if asked.json:
        whole = replace(results_of(study), missing=[*result.missing], notes=result.notes)
        print_json(as_json(whole))
    elif study.n_rows:
        _print_summary(result.printed, output.folder)
    for note in result.notes:
        say(note)
    return _end(study.failures, n_rows=study.n_rows)


def _print_summary(table: PrintedTable, folder: Path) -> None:
    if table.rows:
        print_first_rows(table)
    else:
        say("No muscle was outlined, so there is no summary.")
    say(f"Full results are in {folder}.")


def _end(failures: Sequence[Row], *, n_rows: int) -> None:
    """Say what failed, or that there was nothing to measure, and exit by it."""
    say_failures(failures)
    if not n_rows and not failures:
        say("Nothing was measured: the files contain landmarks or levels, but no outlines.")
        raise typer.Exit(REFUSED)
    if failures:
        raise typer.Exit(ACTED_ON_SOME if n_rows else REFUSED)


def _missing(request: MeasureRequest, *, prints: bool) -> str:
    """Say what a request lacks; empty where it is complete."""
    if not request.exam and request.fat is None:
        return "Give an exam, a Dixon pair (--fat, --water) or a cohort.csv."
    if not request.outlines and not request.is_cohort:
        return "Give the outlines (--outlines FILE), or a cohort.csv."
    if not prints:
        return "Give a results folder (-o DIR), or print the results (--json)."
    return ""
