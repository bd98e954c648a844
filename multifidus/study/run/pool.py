"""Processes that measure cases, one case at a time each, so that a case can end no other.

A case that crashes, hangs or takes all memory ends its process; the run goes on with a new one.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import ModuleType
from typing import Any

from multifidus.data.cohort import Case
from multifidus.study.batch import Failure
from multifidus.study.run.cases import CaseSettings, write_failure
from multifidus.study.run.worker import work

RECYCLE_AFTER = 200
"""Cases after which a process is replaced, so that nothing can pile up in it."""

SHARE = 0.9
"""Of the machine's memory, for all processes together."""

LEAST_MEMORY = 4 << 30
"""For each: a process takes addresses for libraries as well."""

_LOOK_S = 0.2
"""How often it is looked whether the user wants to stop."""

_GRACE_S = 5.0
"""How long a process may take to end that has nothing left to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use.

    Parameters
    ----------
    jobs
        Processes at a time.
    timeout_s
        Time of one case.
    memory
        Bytes of one process; None for no limit. Kept on Linux alone.
    """

    jobs: int = 1
    timeout_s: float = 1800.0
    memory: int | None = None


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_share(jobs: int) -> int | None:
    """Return how many bytes each of several processes may use of this machine's memory.

    None where the system does not say how much it has.
    """
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None
    return max(int(SHARE * whole / jobs), LEAST_MEMORY)


@dataclass(slots=True, eq=False)
class _Worker:
    process: SpawnProcess
    pipe: Connection
    case: Case | None = None
    begun: float = 0.0
    done: int = 0

    def take(self, case: Case) -> None:
        # Views of a mapping cannot be sent.
        self.pipe.send(replace(case, extra=dict(case.extra)))
        self.case, self.begun = case, time.monotonic()

    def has_answer(self) -> bool:
        try:
            return self.pipe.poll()
        except OSError:
            return True

    def end(self) -> None:
        """Let the process end; kill it where it does not."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process.close()


@contextlib.contextmanager
def _no_main_module() -> Iterator[None]:
    """Start a process that does not run the program's own file again, which it needs nothing of.

    A script that measures a cohort may thus do so outside ``if __name__ == "__main__"``.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


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
    workers: list[_Worker] = field(default_factory=list)

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

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self.workers if worker.case is not None]

    def _hand_out(self, waiting: deque[Case]) -> None:
        for worker in list(self.workers):
            if worker.case is None and waiting:
                # One that died while it had nothing to do is replaced.
                try:
                    worker.take(waiting[0])
                except OSError:
                    self._drop(worker)
                    continue
                waiting.popleft()
        while waiting and len(self.workers) < self.limits.jobs:
            worker = self._started()
            self.workers.append(worker)
            worker.take(waiting.popleft())

    def _started(self) -> _Worker:
        spawn = multiprocessing.get_context("spawn")
        ours, theirs = spawn.Pipe()
        process = spawn.Process(target=work, args=(theirs, self.limits.memory), daemon=True)
        with _no_main_module():
            process.start()
        theirs.close()
        with contextlib.suppress(OSError):
            ours.send(self.how)
        return _Worker(process, ours)

    def _ready(self) -> list[_Worker]:
        """Wait a little; return the workers that have finished, died or run out of time."""
        busy = self._busy()
        sources: list[Any] = [source for w in busy for source in (w.pipe, w.process.sentinel)]
        if sources:
            wait(sources, _LOOK_S)
        late = time.monotonic() - self.limits.timeout_s
        return [
            worker
            for worker in busy
            if worker.has_answer() or not worker.process.is_alive() or worker.begun < late
        ]

    def _collect(self, worker: _Worker) -> tuple[Case, Path]:
        case = worker.case
        if case is None:
            msg = "A process without a case has finished one."
            raise RuntimeError(msg)
        try:
            answer = worker.pipe.recv() if worker.has_answer() else None
        except (EOFError, OSError):
            answer = None
        if isinstance(answer, OSError):
            raise answer
        if answer is None:
            seconds = time.monotonic() - worker.begun
            failure = self._failure(worker, case)
            self._drop(worker)
            return case, write_failure(failure, self.how, round(seconds, 3))
        worker.case = None
        worker.done += 1
        if worker.done >= RECYCLE_AFTER:
            self.workers.remove(worker)
            worker.end()
        return case, answer

    def _failure(self, worker: _Worker, case: Case) -> Failure:
        worker.process.join(_LOOK_S)
        if worker.process.is_alive():
            return Failure(
                case,
                "TimeLimit",
                f"It took longer than {self.limits.timeout_s:g} s and was ended.",
                "Look for a damaged file or one on a slow drive, or give more time: --timeout.",
            )
        code = worker.process.exitcode or 0
        if code == -getattr(signal, "SIGKILL", 9):
            return Failure(
                case,
                "Killed",
                "Its process was killed, mostly by the system when memory runs out.",
                "Measure with fewer processes (--jobs), or on a machine with more memory.",
            )
        if code >= 0:
            return Failure(
                case,
                "Crash",
                f"Its process ended by itself (exit code {code}).",
                "Measure it alone and see what it says; allow more memory (--memory).",
            )
        name = signal.Signals(-code).name
        return Failure(
            case,
            "Crash",
            f"Its process crashed ({name}), mostly in a library that decodes an image.",
            "Look for the damaged image by leaving files out, or convert the images again.",
        )

    def _drop(self, worker: _Worker) -> None:
        self.workers.remove(worker)
        worker.kill()
