"""Cases handed out by Dask, whose workers write records as the processes of a run do.

Dask decides which worker measures which case, and gives the cases of a worker that died to
another. What is done and what is not, it is not asked: that is what the results folder says.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import itertools
import logging
import math
import queue
import secrets
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.errors import CohortError
from multifidus.io.files import is_file, named_path
from multifidus.study.batch import Failure
from multifidus.study.run.cases import CaseSettings, write_failure
from multifidus.study.run.cluster_config import ClusterConfig, EngineError
from multifidus.study.run.dask_task import (
    Order,
    OtherVersionError,
    end_run,
    finish_on_worker,
    record_is_there,
)
from multifidus.study.run.limits import Limits
from multifidus.study.run.pool import LOOK_S

NOT_SEEN_S = 60.0
"""How long a network drive may take to show what a worker has written."""

PATIENCE_S = 20.0
"""After so long without any worker it is said."""

ASKED_AGAIN_S = 1.0
"""How often the scheduler is asked for its workers: each answer is one more the more there are."""

CLOSING_S = 5.0


@dataclass(slots=True)
class DaskPool:
    """Has Dask workers measure cases.

    Parameters
    ----------
    how
        How cases are finished.
    limits
        What a case may use; ``jobs`` on this machine.
    config
        Which cluster.
    stopping
        Asked again and again; once it says so, no further case is begun.
    waiting
        Called once if no worker comes.
    """

    how: CaseSettings
    limits: Limits
    config: ClusterConfig
    stopping: Callable[[], bool] = lambda: False
    waiting: Callable[[], None] = lambda: None

    def finish(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Path]]:
        """Yield each case with its record when it is finished, in whatever order that is.

        Raises
        ------
        EngineError
            If the scheduler is lost, or workers cannot do what is asked.
        OSError
            If the machine does not let a case be written.
        """
        todo = deque(cases)
        if not todo:
            return
        # Workers have other working folders.
        how = replace(self.how, folder=self.how.folder.absolute(),
                      contrasts=self.how.contrasts and self.how.contrasts.absolute())  # fmt: skip
        order = Order(secrets.token_hex(8), how, self.limits.timeout_s, self.limits.memory)
        with connected(self.config, self.limits.jobs) as client:
            try:
                yield from _Handing(client, order, self).finish(todo)
            finally:
                end_run(order.run)  # of a cluster within this very process


class _Handing:
    """Cases on their way to workers and back."""

    def __init__(self, client: Any, order: Order, pool: DaskPool) -> None:
        self.client, self.order, self.pool = client, order, pool
        self.known = 0
        self.asked = -math.inf
        self.numbers = itertools.count(1)
        self.running: dict[Any, tuple[Any, Case]] = {}
        self.ended: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def finish(self, todo: deque[Case]) -> Iterator[tuple[Case, Path]]:
        begun, is_said = time.monotonic(), False
        while todo or self.running:
            self._hand_out(todo)
            for key in self._ready():
                future, case = self.running.pop(key)
                self._hand_out(todo)  # its thread waits for no record to be read
                yield case, self._record(future, case)
            if not (is_said or self.known) and time.monotonic() - begun > PATIENCE_S:
                self.pool.waiting()
                is_said = True

    def _hand_out(self, todo: deque[Case]) -> None:
        """Keep every thread busy and no case waiting, so that few are begun after Ctrl-C."""
        if self.pool.stopping():
            todo.clear()
            return
        if not self.known or time.monotonic() - self.asked > ASKED_AGAIN_S:
            self.known, self.asked = self._threads(), time.monotonic()
        while todo and len(self.running) < max(self.known, 1):
            case = _absolute(todo.popleft())
            key = f"multifidus-{self.order.run}-{next(self.numbers)}"
            with _scheduler_asked():
                future = self.client.submit(finish_on_worker, case, self.order, key=key)
            self.running[key] = future, case
            future.add_done_callback(lambda done: self.ended.put(done.key))

    def _threads(self) -> int:
        with _scheduler_asked():
            return sum(self.client.nthreads().values())

    def _ready(self) -> list[Any]:
        found = []
        with contextlib.suppress(queue.Empty):
            found.append(self.ended.get(timeout=LOOK_S))
            while True:
                found.append(self.ended.get_nowait())
        if not found:
            found = [key for key, (future, _) in self.running.items() if future.done()]
        return [key for key in dict.fromkeys(found) if key in self.running]

    def _record(self, future: Any, case: Case) -> Path:
        with _scheduler_asked():
            error = future.exception(timeout=CLOSING_S)
        if error is not None:
            if type(error).__name__ == "KilledWorker":
                return write_failure(_killed(case), self.order.how, 0.0)
            if isinstance(error, OtherVersionError):
                msg = f"A Dask worker has multifidus {error}, not {self.order.version}."
                raise EngineError(msg, remedy="Install the same version on all machines.")
            raise error
        with _scheduler_asked():
            path = Path(future.result(timeout=CLOSING_S))
            future.release()
        until = time.monotonic() + NOT_SEEN_S
        while not record_is_there(path):
            if time.monotonic() > until:
                msg = "A Dask worker has written a record that is not in the results folder here."
                remedy = "Choose a results folder on a drive that all machines share."
                raise EngineError(msg, remedy=remedy)
            time.sleep(LOOK_S)
        return path


@contextlib.contextmanager
def _scheduler_asked() -> Iterator[None]:
    """Say it where the scheduler does not answer: Dask has many errors for that."""
    try:
        yield
    except (Exception, asyncio.CancelledError, concurrent.futures.CancelledError) as error:
        msg = "The Dask scheduler is gone."
        raise EngineError(msg, remedy="Look at its log, and start it again.") from error


def _killed(case: Case) -> Failure:
    return Failure(
        case,
        "Killed",
        "The Dask workers that measured it were killed one after another.",
        "Look at their logs; give them more memory, or measure the case alone.",
    )


def _absolute(case: Case) -> Case:
    """Return a case that names its files from anywhere; its content is the same."""
    here = Path.cwd()
    labels = [part.strip() for part in (case.labels or "").split(";")]
    return replace(
        case,
        images=tuple(path.absolute() for path in case.images),
        outlines=tuple(path.absolute() for path in case.outlines),
        landmarks=tuple(path.absolute() for path in case.landmarks),
        folder=None if case.folder is None else case.folder.absolute(),
        labels=";".join(str(found) if is_file(found := named_path(part, here)) else part
                        for part in labels) or None,
        extra=dict(case.extra),
    )  # fmt: skip


@contextlib.contextmanager
def connected(config: ClusterConfig, jobs: int) -> Iterator[Any]:
    """Yield a client of a cluster, which is started if need be and ended then.

    Parameters
    ----------
    config
        Which cluster.
    jobs
        Processes, where it is this machine.

    Raises
    ------
    CohortError
        If what it needs is not installed, or its options are not allowed.
    EngineError
        If it cannot be reached.
    """
    try:
        dask, distributed = map(import_module, ("dask", "distributed"))
    except ImportError as error:
        raise _not_installed("Dask") from error
    with contextlib.ExitStack() as opened:
        # It logs what is said here in other words, and tracebacks where a worker is lost.
        opened.enter_context(_quiet())
        opened.enter_context(dask.config.set({"distributed.worker.daemon": False}))
        try:
            if config.is_running:
                address = {"address": config.scheduler or None}
                if config.scheduler_file:
                    address = {"scheduler_file": config.scheduler_file}
                client = distributed.Client(**address, set_as_default=False)
            else:
                cluster = _started(config, jobs)
                opened.callback(_closed, cluster)
                client = distributed.Client(cluster, set_as_default=False)
        except OSError as error:  # a time-out as well
            msg = f"The Dask scheduler cannot be reached: {error}."
            raise EngineError(msg, remedy="Look at its address and whether it runs.") from error
        opened.callback(_closed, client)
        yield client


def _closed(what: Any) -> None:
    with contextlib.suppress(Exception):  # whoever is gone need not be told to go
        what.close(timeout=CLOSING_S)


def _started(config: ClusterConfig, jobs: int) -> Any:
    if config.cluster == "local":
        distributed = import_module("distributed")
        # Threads, as each of them has a process that measures.
        # Its HTTP server is for this machine alone, at a port that no other run has.
        return distributed.LocalCluster(n_workers=1, threads_per_worker=jobs, processes=False,
                                        memory_limit=0, dashboard_address=None,
                                        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},
                                        )  # fmt: skip
    try:
        dask_jobqueue = import_module("dask_jobqueue")
    except ImportError as error:
        raise _not_installed("dask-jobqueue") from error
    kind = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "sge": "SGECluster"}[config.cluster]
    made = getattr(dask_jobqueue, kind)
    submit = made.job_cls.submit_command.split()[0]
    if shutil.which(submit) is None:
        msg = f"There is no {submit} here, by which jobs of {config.cluster} are submitted."
        raise CohortError(msg, remedy="Run this where jobs can be submitted.")
    options = {"processes": 1, **config.options}
    try:
        cluster = made(**options)
    except (TypeError, ValueError) as error:
        msg = f"The options of the {config.cluster} cluster are not as they should be: {error}"
        raise CohortError(msg, remedy="See dask-jobqueue's documentation.") from error
    cluster.scale(jobs=config.workers)
    return cluster


def _not_installed(what: str) -> CohortError:
    msg = f"{what} is not installed."
    return CohortError(msg, remedy="Install it: pip install 'multifidus[cluster]'.")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Have Dask log nothing; each of its loggers has a level of its own."""
    known = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in ("asyncio", "tornado", *known)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
