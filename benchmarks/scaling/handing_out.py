"""Cases that sleep, handed out by a run's own code and Dask's own scheduler to many workers."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from benchmarks.scaling.sleepers import RECORD, SLEEP, sleep_for
from multifidus.data.cohort import Case
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.study.run import dask_pool
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.cluster_config import ClusterConfig
from multifidus.study.run.content import RunSettings
from multifidus.study.run.log import RunLog
from multifidus.study.run.pool import Limits
from multifidus.study.run.record_files import read_record
from tests.support.dask_cluster import DaskCluster

WAIT_S = 120.0


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A run over cases that sleep.

    Parameters
    ----------
    workers
        How many.
    times
        How long each case slept, in seconds.
    wall_s
        From the first case to the last.
    run_s, scheduler_s
        CPU time of the run and of the scheduler for each case.
    """

    workers: int
    times: Sequence[float]
    wall_s: float
    run_s: float
    scheduler_s: float

    @property
    def efficiency(self) -> float:
        """Share of the workers' time in which they slept."""
        return sum(self.times) / self.wall_s / self.workers


def hand_out(
    folder: Path, workers: int, times: Sequence[float], records: Sequence[Path]
) -> HandedOut:
    """Hand out a case for each time; the records of others stand for theirs.

    Scheduler, workers and run are processes of their own; the run does for each case what a run
    does: it submits it, gathers the answer, looks for the record, reads it, and writes a line of
    the log.
    """
    how = CaseSettings(folder, RunSettings(MeasurementProtocol()))
    log = RunLog(folder / f"{workers}.jsonl")
    cases = [
        Case(Reading(f"S{place:06d}", "pre", "AB", 1), (folder / "images",), (folder / "outlines",),
             extra={SLEEP: str(seconds), RECORD: str(records[place % len(records)])}, folder=folder)
        for place, seconds in enumerate(times)
    ]  # fmt: skip
    with (
        _sleepers(folder / f"dask_{workers}", workers) as cluster,
        patch.object(dask_pool, "finish_on_worker", sleep_for),
    ):
        config = ClusterConfig(scheduler_file=str(cluster.address_file))
        pool = dask_pool.DaskPool(how, Limits(workers), config)
        assert cluster.scheduler is not None  # noqa: S101 - it was started
        scheduler = _cpu_s(cluster.scheduler.pid)
        begun, used = time.monotonic(), time.process_time()
        for case, path in pool.finish(cases):
            rows = read_record(path).n_rows
            log.add("case_finished", {"subject": case.reading.subject, "rows": rows})
        wall, used = time.monotonic() - begun, time.process_time() - used
        scheduler = _cpu_s(cluster.scheduler.pid) - scheduler
    number = len(cases)
    return HandedOut(workers, times, wall, used / number, scheduler / number)


@contextlib.contextmanager
def _sleepers(folder: Path, number: int) -> Iterator[DaskCluster]:
    """Yield a scheduler to which all workers have come."""
    folder.mkdir(parents=True)
    cluster = DaskCluster(folder)
    process = None
    try:
        cluster.start_scheduler()
        with (folder / "workers.log").open("wb") as log:
            words = [sys.executable, "-m", "benchmarks.scaling.sleepers"]
            process = subprocess.Popen(
                [*words, str(cluster.address_file), str(number)],
                stdout=log, stderr=log, env={**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "0"},
            )  # fmt: skip
        _wait_for_all(cluster, number)
        yield cluster
    finally:
        if process is not None:
            process.kill()
            process.wait()
        cluster.end()


def _wait_for_all(cluster: DaskCluster, number: int) -> None:
    from distributed import Client

    with Client(scheduler_file=str(cluster.address_file), set_as_default=False) as client:
        client.wait_for_workers(number, timeout=WAIT_S)


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used, as Linux counts them."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
