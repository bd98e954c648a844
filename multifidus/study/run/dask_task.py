"""What a Dask worker does with a case: it has a process of its own measure it.

The process is that of a run without Dask, with its limits of time and memory, so that a case that
crashes ends neither the worker nor others, and fails with the same words. This module imports
Dask only where it asks the worker for its memory.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import wait
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.limits import LEAST_MEMORY, memory_share
from multifidus.study.run.pool import LOOK_S
from multifidus.study.run.worker_process import WorkerProcess
from multifidus.version import VERSION

IDLE_S = 60.0
"""A process ends by itself after so long without a case: whoever started the run may be gone."""


class OtherVersionError(RuntimeError):
    """A Dask worker runs another version of this software."""


@dataclass(frozen=True, slots=True)
class Order:
    """What all cases of a run have in common for a Dask worker.

    Parameters
    ----------
    run
        A name of the run that no other has.
    how
        How cases are finished; its folder has to be seen by all workers.
    timeout_s
        Time of one case.
    memory
        Bytes of one process; None for the worker's, shared between its threads.
    version
        Of this software.
    """

    run: str
    how: CaseSettings
    timeout_s: float
    memory: int | None
    version: str = VERSION


@dataclass(slots=True)
class _Processes:
    """The processes of a run on one Dask worker."""

    idle: list[WorkerProcess] = field(default_factory=list)
    busy: list[WorkerProcess] = field(default_factory=list)
    is_ended: bool = False


_RUNS: dict[str, _Processes] = {}
_LOCK = threading.Lock()


def finish_on_worker(case: Case, order: Order) -> str:
    """Finish a case in a process of this worker; return where its record is.

    Raises
    ------
    OtherVersionError
        If this is not the version that asks.
    OSError
        If the machine does not let it write.
    """
    if order.version != VERSION:
        raise OtherVersionError(VERSION)
    with _process(order, case) as process:
        while not process.is_due():
            wait(process.sources, LOOK_S)
        if _RUNS[order.run].is_ended:
            msg = "The run was stopped."
            raise RuntimeError(msg)
        return str(process.collect())


@contextlib.contextmanager
def _process(order: Order, case: Case) -> Iterator[WorkerProcess]:
    """Lend a process that has begun a case, one that is idle or a new one."""
    with _LOCK:
        processes = _RUNS.setdefault(order.run, _Processes())
        found = processes.idle.pop() if processes.idle else None
    if found is not None:
        try:
            found.take(case)
        except OSError:
            found.kill()
            found = None
    if found is None:
        found = _started(order)
        found.take(case)
    with _LOCK:
        processes.busy.append(found)
    try:
        yield found
    finally:
        with _LOCK:
            processes.busy.remove(found)
            if not found.is_spent:
                processes.idle.append(found)


def _started(order: Order) -> WorkerProcess:
    # Dask's nanny makes its worker a process that may have none of its own, lest they outlive it;
    # ours end with theirs.
    multiprocessing.current_process().daemon = False
    memory = _memory_of_worker() if order.memory is None else order.memory
    return WorkerProcess(order.how, order.timeout_s, memory, IDLE_S)


def _memory_of_worker() -> int | None:
    worker = import_module("distributed").get_worker()
    threads, limit = worker.state.nthreads, worker.memory_manager.memory_limit
    return max(int(limit / threads), LEAST_MEMORY) if limit else memory_share(threads)


def end_run(run: str) -> None:
    """End the processes of a run on this worker at once."""
    with _LOCK:
        processes = _RUNS.setdefault(run, _Processes())
        processes.is_ended = True
        idle, processes.idle = processes.idle, []
        busy = [*processes.busy]
    for process in idle:
        process.kill()
    for process in busy:
        process.process.kill()


def record_is_there(path: Path) -> bool:
    """Whether a record is seen here; asks a network drive anew."""
    with contextlib.suppress(OSError):
        return any(found.name == path.name for found in path.parent.iterdir())
    return False
