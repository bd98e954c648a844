"""``multifidus assemble``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multifidus.cli import options
from multifidus.cli.cohort_run import say_failures
from multifidus.cli.exit_codes import ACTED_ON_SOME, REFUSED
from multifidus.cli.printing import command_words, print_first_rows, print_json, say

if TYPE_CHECKING:
    from multifidus.study.run.gathered import Gathering

MOST_NAMED = 10
"""So many cases that are missing are named."""


def assemble(  # noqa: PLR0917 - a command has the options that it has
    folders: Annotated[
        list[Path],
        typer.Argument(help="Folders of one run, or of its shards.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="Folder for the results; may be one of these."),
    ],
    review: options.Review = None,
    tables: options.Tables = None,
    overwrite: options.Overwrite = False,
    json: Annotated[bool, typer.Option("--json", help="Print the measurements as JSON.")] = False,
) -> None:
    """Make tables and page of what shards of a cohort have measured ('measure --shard').

    Folders of different cohorts, protocols, versions or files are refused.

    Exit codes: 0 done; 1 done, but some cases are missing or failed; 2 wrong usage; 3 refused, or
    no case was measured; 4 a fault of the program or the machine.
    """
    from multifidus.study.results_folder import Output
    from multifidus.study.run.gathered import assemble_runs

    target = Output(output, overwrite, review=review, tables=options.further_tables(tables))
    done = assemble_runs(folders, target, command_words())
    study = done.study
    if json:
        _print_as_json(done)
    elif study.n_rows:
        print_first_rows(done.printed)
        say(f"Full results are in {output}.")
    for note in done.notes:
        say(note)
    _say_missing(done)
    say_failures(study.failures)
    if not study.n_rows:
        say("No case was measured.")
        raise typer.Exit(REFUSED)
    if done.absent or study.failures:
        raise typer.Exit(ACTED_ON_SOME)


def _print_as_json(done: Gathering) -> None:
    from multifidus.study.results import as_json, results_of

    cases = [
        {"subject": by.subject, "timepoint": by.timepoint, "rater": by.rater, "reading": by.reading}
        for by in done.absent
    ]
    whole = replace(results_of(done.study), missing=done.missing, notes=done.notes)
    print_json({**as_json(whole), "not_measured": cases})


def _say_missing(done: Gathering) -> None:
    from multifidus.study.run.folder import who

    absent = done.absent
    if not absent:
        return
    named = [who(by) for by in absent[:MOST_NAMED]]
    more = len(absent) - len(named)
    total = len(done.study.cases) + len(absent)
    say(
        f"{len(absent)} of {total} cases are missing: {'; '.join(named)}"
        f"{f'; {more} more' if more else ''}. Run their shards again, and then this."
    )
