"""A cohort measured into a results folder: what is done is kept, what is missing is done."""

from __future__ import annotations

import contextlib
import datetime
import os
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.data.printed_table import PrintedTable
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.io.files import content_sha256
from multifidus.io.table_csv import Row
from multifidus.study.further_tables import check_tables
from multifidus.study.results_folder import OLD_REPORT, REPORT, TABLE, Output
from multifidus.study.reviewed import review_beside, review_file
from multifidus.study.run.assembly import assemble
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.cluster_config import ClusterConfig
from multifidus.study.run.content import ContentHashes, RunSettings, content_of
from multifidus.study.run.engine import engine_for
from multifidus.study.run.folder import Plan, begin, check_plan, plan_run, remove_scratch
from multifidus.study.run.limits import Limits
from multifidus.study.run.lock import locked
from multifidus.study.run.log import RunLog
from multifidus.study.run.provenance import RunFacts, write_provenance
from multifidus.study.run.record import CaseRecord, names_of
from multifidus.study.run.record_files import read_record, read_rows
from multifidus.study.run.selection import Selection
from multifidus.study.run.shard import WHOLE, Shard, write_shard
from multifidus.study.run.study import Study


@dataclass(frozen=True, slots=True)
class CohortRun:
    """What is asked for.

    Parameters
    ----------
    table
        The cohort table, for its hash.
    cases
        All its cases.
    output
        The results folder; ``overwrite`` measures again what changed.
    protocol, contrasts
        By which they are measured.
    selection
        Which of them are measured now.
    limits
        What the run may use.
    force
        Whether to measure everything again.
    command
        Words of the command line, for the record.
    shard
        Which share of the cases the run is about. One that is not the whole makes no tables.
    cluster
        Where Dask hands out the cases; None for processes of this machine.
    """

    table: Path
    cases: tuple[Case, ...]
    output: Output
    protocol: MeasurementProtocol
    contrasts: Path | None = None
    selection: Selection = field(default_factory=Selection)
    limits: Limits = field(default_factory=Limits)
    force: bool = False
    command: tuple[str, ...] = ()
    shard: Shard = WHOLE
    cluster: ClusterConfig | None = None

    @property
    def share(self) -> tuple[Case, ...]:
        """The cases that the run is about."""
        return self.shard.part_of(self.cases)

    @property
    def settings(self) -> RunSettings:
        """What the rows of all cases depend on."""
        words = "" if self.contrasts is None else content_sha256(self.contrasts)
        return RunSettings(self.protocol, words)


@dataclass(frozen=True, slots=True)
class Reporter:
    """Is called while a run goes on.

    Parameters
    ----------
    planned
        Once, with the plan and the cases that are measured now, and whether other runs that write
        to the folder would be noticed.
    finished
        After each case, with its record.
    stopping
        Asked again and again whether to begin no more cases.
    waiting
        Once, if there is nobody yet to measure.
    """

    planned: Callable[[Plan, Sequence[Case], bool], None] = lambda *_: None
    finished: Callable[[CaseRecord], None] = lambda _: None
    stopping: Callable[[], bool] = lambda: False
    waiting: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left.

    Parameters
    ----------
    study
        All finished cases that the run is about, those that were kept as well.
    notes
        What is doubtful, in sentences.
    left
        How many of these cases are not done.
    stopped
        Whether the user stopped it; the tables are those of the run before then.
    missing
        Rows of the table of what is missing.
    printed
        What is printed of the summary: the multifidus.
    """

    study: Study
    notes: tuple[str, ...] = ()
    left: int = 0
    stopped: bool = False
    missing: Sequence[Row] = ()
    printed: PrintedTable = field(default_factory=PrintedTable)


def planned_run(
    run: CohortRun, hashes: ContentHashes | None = None
) -> tuple[Plan, tuple[Case, ...]]:
    """Return what a run would do, and the cases that it would measure; nothing is written.

    Parameters
    ----------
    run
        What is asked for.
    hashes
        Of files that were read before in this run.

    Raises
    ------
    WriteError, CohortError
        If it would be refused.
    ReadError
        If the review in the folder cannot be read.
    """
    review_beside(run.output.folder / TABLE, run.output.review)
    check_tables(run.output.tables, (case.reading for case in run.cases))
    output = replace(run.output, overwrite=run.output.overwrite or run.force)
    known = ContentHashes() if hashes is None else hashes
    content = partial(content_of, settings=run.settings, hashes=known)
    plan = plan_run(run.cases, output, run.settings, content, force=run.force, share=run.share)
    check_plan(plan, output)
    return plan, run.selection.of(plan.todo, plan.failed, run.cases)


def measure_cohort_into(run: CohortRun, reporter: Reporter = Reporter()) -> RunResult:
    """Measure a cohort into a folder, going on with what is there.

    Raises
    ------
    WriteError
        If the folder holds something else, or another run writes to it.
    OSError
        If the machine does not let it write; what is finished is kept.
    """
    hashes = ContentHashes()
    planned_run(run, hashes)  # refused before anything is made
    with locked(run.output.folder, run.shard) as is_locked:
        plan, now = planned_run(run, hashes)
        reporter.planned(plan, now, is_locked)
        cohort = cohort_facts(run)
        begin(plan, run.output.folder, run.settings, cohort, shard=run.shard)
        running = _Running(run, plan, RunLog(run.shard.log(run.output.folder)), reporter, cohort)
        running.note_shard()
        log = running.log
        log.add("run_started", {"version": run.settings.version, "protocol": run.protocol.digest,
                                "cases": len(run.share), "kept": len(plan.kept), "now": len(now),
                                "jobs": run.limits.jobs, "command": list(run.command)})  # fmt: skip
        try:
            return running.result(now)
        except BaseException:
            with contextlib.suppress(OSError):  # the disk may be full
                log.add("run_broken", {"traceback": _without_places(run)})
            raise
        finally:
            remove_scratch(run.output.folder, run.shard)


def cohort_facts(run: CohortRun) -> dict[str, Any]:
    """Return what a results folder says of the cohort that it is about."""
    return {
        "file": run.table.name,
        "sha256": content_sha256(run.table),
        "cases": [names_of(case.reading) for case in run.cases],
    }


def _without_places(run: CohortRun) -> str:
    """Return the traceback of an error without where the study and its results lie."""
    text = traceback.format_exc()
    for folder in (run.table.parent.resolve(), run.output.folder.resolve()):
        text = text.replace(f"{folder}{os.sep}", "")
    return text


def now_as_text() -> str:
    """Return the time by the clock of the machine, as ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass(slots=True)
class _Running:
    """A run while it goes on."""

    run: CohortRun
    plan: Plan
    log: RunLog
    reporter: Reporter
    cohort: dict[str, Any]
    started: str = field(default_factory=now_as_text)

    def note_shard(self, ended: str | None = None) -> None:
        """Write how this run goes, for who puts its cases together."""
        run = self.run
        facts = {"cohort_sha256": self.cohort["sha256"], "command": list(run.command),
                 "started": self.started, "ended": ended}  # fmt: skip
        write_shard(run.shard, run.output.folder, facts)

    def result(self, now: Sequence[Case]) -> RunResult:
        run, output = self.run, self.run.output
        done = {**self.plan.failed, **self.plan.kept}
        how = CaseSettings(
            output.folder, run.settings, run.contrasts, output.pictures, run.shard.name,
            output.drawing,
        )  # fmt: skip
        said = self.reporter
        engine = engine_for(
            how, run.limits, run.cluster, stopping=said.stopping, waiting=said.waiting
        )
        finished = 0
        for case, path in engine.finish(now):
            finished += 1
            done[case.reading] = (path, self._noted(case.reading, path))
        study = study_of([case.reading for case in run.share], done)
        left = len(run.share) - len(study.cases)
        if finished < len(now):
            self.log.add("run_stopped", {"left": left})
            return RunResult(study, left=left, stopped=True)
        notes = study.notes() if run.shard == WHOLE else ()
        if (run.output.overwrite or run.force) and (output.folder / REPORT).is_dir():
            notes = (*notes, OLD_REPORT)
        if run.shard != WHOLE:
            self._end(study, left)
            return RunResult(study, notes, left)
        made = assemble(study, replace(output, overwrite=True), run.protocol)
        facts = RunFacts(
            run.command, run.table.name, self.cohort["sha256"], self.started, now_as_text(),
            review_facts(output),
        )  # fmt: skip
        write_provenance(study, output.folder, run.settings, facts)
        self._end(study, left)
        notes = (*notes, *made.remarks)
        return RunResult(study, notes, left, missing=made.missing, printed=made.printed)

    def _end(self, study: Study, left: int) -> None:
        self.note_shard(now_as_text())
        self.log.add("run_ended", {"rows": study.n_rows, "failed": len(study.failures),
                                   "left": left})  # fmt: skip

    def _noted(self, by: Reading, path: Path) -> CaseRecord:
        """Take a finished case in; the record of an earlier failure goes."""
        earlier = self.plan.failed.get(by)
        if earlier is not None and earlier[0] != path:
            earlier[0].unlink(missing_ok=True)
        record = read_record(path)
        self.log.add("case_finished", _facts(record))
        self.reporter.finished(record)
        return record


def review_facts(output: Output) -> dict[str, str] | None:
    """Return name and hash of the table of verdicts that results follow, if there is one."""
    path = review_file(output.folder / TABLE, output.review)
    return None if path is None else {"file": path.name, "sha256": content_sha256(path)}


def _facts(record: CaseRecord) -> dict[str, Any]:
    by, failure = record.reading, record.failure
    known = {
        "subject": by.subject, "timepoint": by.timepoint, "rater": by.rater,
        "reading": by.reading, "seconds": record.facts.get("seconds"),
        "cpu_s": record.facts.get("cpu_s"),
        "rows": record.n_rows, "flagged": record.n_flagged,
    }  # fmt: skip
    if failure is not None:
        known |= {name: failure[name] for name in ("error", "message", "remedy")}
    if record.facts.get("undrawn"):
        known["undrawn"] = record.facts["undrawn"]
    return known


def study_of(readings: Sequence[Reading], done: Mapping[Reading, tuple[Path, CaseRecord]]) -> Study:
    """Put finished cases in the order of their table; their rows stay in their files."""
    found = (done[by] for by in readings if by in done)
    cases = tuple((record, partial(read_rows, path)) for path, record in found)
    return Study(cases, tuple(by for by in readings if by not in done))
