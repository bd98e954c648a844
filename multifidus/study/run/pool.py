"""Processes that measure cases, one case at a time each, so that a case can end no other.

A case that crashes, hangs or takes all memory ends its process; the run goes on with a new one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.limits import Limits
from multifidus.study.run.worker_process import WorkerProcess

LOOK_S = 0.2
"""How often it is looked whether the user wants to stop."""


@dataclass(slots=True)
class Pool:
    """Measures cases in processes.

    Parameters
    ----------
    how
        How cases are finished.
    limits
        What a case and the run may use.
    stopping
        Asked again and again; once it says so, no further case is begun.
    """

    how: CaseSettings
    limits: Limits
    stopping: Callable[[], bool] = lambda: False
    workers: list[WorkerProcess] = field(default_factory=list)

    def finish(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Path]]:
        """Yield each case with its record when it is finished, in whatever order that is.

        Raises
        ------
        OSError
            If the machine does not let a case be written.
        """
        waiting = deque(cases)
        is_whole = False
        try:
            while waiting or self._busy():
                if self.stopping():
                    waiting.clear()
                self._hand_out(waiting)
                for worker in self._ready():
                    yield self._collect(worker)
            is_whole = True
        finally:
            for worker in self.workers:
                worker.end() if is_whole else worker.kill()
            self.workers.clear()

    def _busy(self) -> list[WorkerProcess]:
        return [worker for worker in self.workers if worker.case is not None]

    def _hand_out(self, waiting: deque[Case]) -> None:
        for worker in list(self.workers):
            if worker.case is None and waiting:
                # One that died while it had nothing to do is replaced.
                try:
                    worker.take(waiting[0])
                except OSError:
                    self.workers.remove(worker)
                    worker.kill()
                    continue
                waiting.popleft()
        while waiting and len(self.workers) < self.limits.jobs:
            worker = WorkerProcess(self.how, self.limits.timeout_s, self.limits.memory)
            self.workers.append(worker)
            worker.take(waiting.popleft())

    def _ready(self) -> list[WorkerProcess]:
        """Wait a little; return the workers that have finished, died or run out of time."""
        busy = self._busy()
        sources = [source for worker in busy for source in worker.sources]
        if sources:
            wait(sources, LOOK_S)
        return [worker for worker in busy if worker.is_due()]

    def _collect(self, worker: WorkerProcess) -> tuple[Case, Path]:
        case = worker.case
        if case is None:
            msg = "A process without a case has finished one."
            raise RuntimeError(msg)
        path = worker.collect()
        if worker.is_spent:
            self.workers.remove(worker)
        return case, path
