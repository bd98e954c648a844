"""How a run over a cohort is shown: what it will do, each case as it ends, and what failed."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from multifidus.cli.exit_codes import ACTED_ON_SOME, CRASHED, INTERRUPTED, REFUSED
from multifidus.cli.interrupts import first_interrupt
from multifidus.cli.printing import print_json, progress, say

if TYPE_CHECKING:
    from multifidus.data.cohort import Case
    from multifidus.io.table_csv import Row
    from multifidus.study.run.cohort import CohortRun, RunResult
    from multifidus.study.run.folder import Plan
    from multifidus.study.run.record import CaseRecord
    from multifidus.study.run.study import Study

STOPPING = (
    "Stopping: cases that are running are finished first. Press Ctrl-C again to stop at once."
)
GO_ON = "Run the same command again to go on."
MOST_NAMED = 10
"""So many failures of one cause are named."""


def show_plan(run: CohortRun) -> None:
    """Say what a run would do and what would fail, and write nothing."""
    from multifidus.study.run.checks import problems_of_cases
    from multifidus.study.run.cohort import planned_run

    plan, now = planned_run(run)
    problems = [*problems_of_cases(run.share)]
    for problem in problems:
        typer.echo(f"{run.table.name}, {problem.in_words()}")
    typer.echo(_plan_words(plan, now, len(run.share)))
    if problems:
        say(f"{_count(len(problems), 'problem')} in {run.table.name}.")
        raise typer.Exit(REFUSED)
    typer.echo("No problems found. Nothing was measured.")


def run_and_show(run: CohortRun) -> RunResult:
    """Measure a cohort and show how it goes on."""
    from multifidus.errors import MultifidusError
    from multifidus.study.results_folder import RUN
    from multifidus.study.run.cluster_config import EngineError
    from multifidus.study.run.cohort import Reporter, measure_cohort_into

    if (run.output.folder / RUN).exists():
        say("Comparing the cohort with what was measured before ...")
    try:
        with first_interrupt(STOPPING) as stopping, _shown(run) as (planned, finished):
            result = measure_cohort_into(run, Reporter(planned, finished, stopping, _waiting))
    except MultifidusError:
        raise
    except EngineError as error:
        say(f"multifidus: {error} Cases that were finished are kept. {GO_ON}")
        raise typer.Exit(CRASHED) from None
    except KeyboardInterrupt:
        say(f"Stopped. Cases that were finished are kept. {GO_ON}")
        raise typer.Exit(INTERRUPTED) from None
    except OSError as error:
        where = f" {Path(error.filename).name}" if isinstance(error.filename, str) else ""
        say(
            f"multifidus: cannot write{where}: {error.strerror or error}. Cases that were finished "
            f"are kept. Make room or get the right to write there. {GO_ON}"
        )
        raise typer.Exit(CRASHED) from None
    except Exception as error:  # noqa: BLE001 - one message; the log holds the traceback
        say(
            f"multifidus: a fault of the program ({type(error).__name__}: {error}). The log in the "
            f"results folder says where. Cases that were finished are kept. {GO_ON}"
        )
        raise typer.Exit(CRASHED) from None
    if result.stopped:
        done = len(result.study.cases)
        say(f"Stopped: {done} of {len(run.share)} cases are done and kept. {GO_ON}")
        raise typer.Exit(INTERRUPTED)
    _say_rest(result, len(run.share))
    return result


Shown = tuple[Callable[["Plan", "Sequence[Case]", bool], None], Callable[["CaseRecord"], None]]


@contextlib.contextmanager
def _shown(run: CohortRun) -> Iterator[Shown]:
    """Yield what shows the plan, and each case: on a bar, or in scripts as a line."""
    with contextlib.ExitStack() as bar:
        advance: Callable[[str], object] = lambda _: None  # noqa: E731 - until there is a bar

        def planned(plan: Plan, now: Sequence[Case], is_locked: bool) -> None:
            nonlocal advance
            if run.shard.of > 1:
                say(f"Shard {run.shard}: {len(run.share)} of {_count(len(run.cases), 'case')}.")
            say(_plan_words(plan, now, len(run.share)))
            if not is_locked:
                say("This system cannot tell whether another run writes to the same folder.")
            advance = bar.enter_context(progress(len(now), "measuring"))

        def finished(record: CaseRecord) -> None:
            advance(record.reading.subject)
            if not sys.stderr.isatty():
                say(_case_words(record))

        yield planned, finished


def _waiting() -> None:
    say("No Dask worker has come yet; waiting for one. Ctrl-C ends it.")


def _plan_words(plan: Plan, now: Sequence[Case], total: int) -> str:
    kept = ""
    if plan.kept:
        kept = f"{len(plan.kept)} of {_count(total, 'case')} were measured before and are kept. "
    left = len(plan.todo) - len(now)
    rest = f", {left} not now" if left else ""
    return f"{kept}{_count(len(now), 'case')} to measure{rest}."


def _case_words(record: CaseRecord) -> str:
    by = record.reading
    who = " ".join(filter(None, (by.subject, by.timepoint, by.rater)))
    if by.reading > 1:
        who += f" reading {by.reading}"
    seconds = f"{record.facts.get('seconds', 0):.1f} s"
    if record.failure is not None:
        return f"{who}: failed after {seconds}: {record.failure['error']}"
    flagged = f", {record.n_flagged} flagged" if record.n_flagged else ""
    return f"{who}: {seconds}, {_count(record.n_rows, 'row')}{flagged}"


def _say_rest(result: RunResult, total: int) -> None:
    undrawn = [record for record, _ in result.study.cases if record.facts.get("undrawn")]
    if undrawn:
        say(
            f"The images of {_count(len(undrawn), 'case')} could not be drawn: "
            f"{undrawn[0].facts['undrawn']}"
        )
    if result.left:
        say(f"{result.left} of {_count(total, 'case')} are not measured yet.")


def end_shard(run: CohortRun, study: Study, *, json: bool) -> None:
    """Say what a shard has measured, and exit by it; of tables it makes none.

    One in which every case failed has done its part all the same: its failures are recorded, and
    a workflow that ends here would never come to the tables of the others.
    """
    measured = len(study.cases) - len(study.failures)
    if json:
        shard = {"number": run.shard.number, "of": run.shard.of, "cases": len(run.share)}
        print_json({"shard": shard, "measured": measured, "failures": study.failures})
    say_failures(study.failures)
    folder = run.output.folder
    say(f"Shard {run.shard}: {measured} of {_count(len(run.share), 'case')} are measured. When all "
        f"shards are, make the tables: multifidus assemble {folder} -o {folder}.")  # fmt: skip
    if study.failures:
        raise typer.Exit(ACTED_ON_SOME)


def say_failures(failures: Sequence[Row]) -> None:
    """Say what failed, by cause, with what to do about it."""
    causes: dict[tuple[str, str], list[Row]] = {}
    for failure in failures:
        causes.setdefault((failure["error"], failure["remedy"]), []).append(failure)
    for (error, remedy), rows in causes.items():
        say(f"Failed: {_count(len(rows), 'case')} ({error}). {remedy}".rstrip())
        for row in rows[:MOST_NAMED]:
            who = f"{row['subject']} {row['timepoint']} {row['rater']}".strip()
            say(f"  {who}: {row['message']}")
        if len(rows) > MOST_NAMED:
            say(f"  {len(rows) - MOST_NAMED} more are in failures.csv.")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
