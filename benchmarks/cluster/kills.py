"""Kill a run, a worker, or the Dask scheduler at random moments, and go on until it is done."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.tiny import TinyCohort, records_in, tiny_cohort
from tests.support.dask_cluster import DaskCluster, children, command_of, dask_cluster

WORKERS = 2
WAIT_S = 300.0

KINDS = ("run", "worker", "Dask worker", "Dask scheduler")


@dataclass(frozen=True, slots=True)
class Kill:
    """What was killed once, and what became of it.

    Parameters
    ----------
    kind
        What was killed.
    done
        Records that were there when it was killed.
    again
        How many of these the runs after it wrote anew.
    failed
        Cases that the run which was hit reported as failed by it.
    is_equal
        Whether the tables are those of the undisturbed run at last.
    """

    kind: str
    done: int
    again: int
    failed: int
    is_equal: bool

    @property
    def is_good(self) -> bool:
        """Whether no more was lost than the cases that were running."""
        return self.is_equal and not self.again and self.failed <= WORKERS


@dataclass(frozen=True, slots=True)
class Hit:
    """What is killed in a run, and when.

    Parameters
    ----------
    kind
        What it is called.
    records
        So many cases are finished before.
    pause_s
        And this passes.
    victim
        Kills it; takes the process of the run.
    """

    kind: str
    records: int
    pause_s: float
    victim: Callable[[int], None]


def kill(kind: str, cohort: TinyCohort, out: Path, seed: int) -> Kill:
    """Kill something of a run at a moment that the seed says; return what became of it."""
    moment = random.Random(seed)  # noqa: S311 - the moment of a kill
    when = moment.randrange(1, cohort.number - WORKERS), moment.uniform(0, 0.3)
    if not kind.startswith("Dask"):
        victim = _kill_run if kind == "run" else _kill_worker
        return _killed(cohort, out, Hit(kind, *when, victim), "--jobs", str(WORKERS))
    with dask_cluster(out.with_name(f"{out.name}_dask"), WORKERS) as cluster:
        hit = Hit(kind, *when, _of(cluster, kind))
        words = ("--executor", "dask", "--executor-config", str(cluster.config))
        return _killed(cohort, out, hit, *words)


def _of(cluster: DaskCluster, kind: str) -> Callable[[int], None]:
    def victim(_: int) -> None:
        if kind == "Dask worker":
            cluster.kill_a_worker()
        else:
            cluster.kill_scheduler()

    return victim


def _killed(cohort: TinyCohort, out: Path, hit: Hit, *words: str) -> Kill:
    process = cohort.begin(out, *words)
    until = time.monotonic() + WAIT_S
    while len(records_in(out)) < hit.records and process.poll() is None:
        if time.monotonic() > until:
            raise TimeoutError(hit.kind)
        time.sleep(0.01)
    time.sleep(hit.pause_s)
    before = records_in(out)
    hit.victim(process.pid)
    _, said = process.communicate(timeout=WAIT_S)
    failed = said.count(": failed after")
    # Without Dask's help, if it is gone; what failed by the kill is done again.
    rest = cohort.begin(out, "--jobs", str(WORKERS))
    rest.communicate(timeout=WAIT_S)
    after = records_in(out)
    again = sum(after[name] != written for name, written in before.items() if name in after)
    equal = rest.returncode == 0 and cohort.is_equal(out)
    return Kill(hit.kind, len(before), again, failed, equal)


def _kill_run(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def _kill_worker(pid: int) -> None:
    for child in children(pid):
        if "from multiprocessing.spawn" in command_of(child):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page and whether all is as it should be."""
    number, repeats = (8, 1) if smoke else (200, 20)
    # The slow tests kill Dask's processes.
    kinds = KINDS[:2] if smoke else KINDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cohort = tiny_cohort(folder / "study", number)
        kills = [
            kill(kind, cohort, folder / f"{place}_{seed}", seed)
            for place, kind in enumerate(kinds)
            for seed in range(repeats)
        ]
    lines = [
        "# Runs that are killed\n",
        f"A cohort of {number} tiny exams, {WORKERS} processes. Each time `kill -9` at a moment "
        f"that a seed says, {repeats} of each kind; then the same command without Dask, once. "
        "`equal`: tables and page have the bytes of a serial run that nothing disturbed. `measured "
        "again`: records that were there at the kill and were written anew after it. `failed`: "
        "cases that the killed run reported as failed, which the next measures.\n",
        "| killed | times | done at the kill | measured again | failed, at most | equal |",
        "|---|---|---|---|---|---|",
    ]
    for kind in kinds:
        found = [item for item in kills if item.kind == kind]
        done = [item.done for item in found]
        lines.append(
            f"| {kind} | {len(found)} | {min(done)} to {max(done)} | "
            f"{sum(item.again for item in found)} | {max(item.failed for item in found)} | "
            f"{sum(item.is_equal for item in found)} |"
        )
    return "\n".join(lines) + "\n", all(item.is_good for item in kills)
