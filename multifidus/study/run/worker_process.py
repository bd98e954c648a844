"""A process that measures cases, one at a time, seen from the program that gives it cases.

A case that crashes, hangs or takes all memory ends this process and nothing else.
"""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from multifidus.data.cohort import Case
from multifidus.study.batch import Failure
from multifidus.study.run.cases import CaseSettings, write_failure
from multifidus.study.run.spare import taken_or_started

RECYCLE_AFTER = 200
"""Cases after which a process is replaced, so that nothing can pile up in it."""

_DYING_S = 0.2
"""How long a process that closed its pipe may take to be dead."""

_GRACE_S = 5.0
"""How long a process may take to end that has nothing left to do."""


@dataclass(slots=True, eq=False)
class WorkerProcess:
    """A process and the case that it measures.

    Parameters
    ----------
    how
        How cases are finished.
    timeout_s
        Time of one case.
    memory
        Bytes that it may use; None for no limit.
    idle_s
        Time after which it ends when no case comes; None to wait for ever.
    """

    how: CaseSettings
    timeout_s: float
    memory: int | None
    idle_s: float | None = None
    case: Case | None = None
    is_spent: bool = False
    process: SpawnProcess = field(init=False)
    pipe: Connection = field(init=False)
    begun: float = 0.0
    done: int = 0

    def __post_init__(self) -> None:
        self.process, self.pipe = taken_or_started(self.memory, self.idle_s)
        with contextlib.suppress(OSError):
            self.pipe.send(self.how)

    def take(self, case: Case) -> None:
        """Begin a case.

        Raises
        ------
        OSError
            If the process has died while it had nothing to do.
        """
        # Views of a mapping cannot be sent.
        self.pipe.send(replace(case, extra=dict(case.extra)))
        self.case, self.begun = case, time.monotonic()

    @property
    def sources(self) -> list[Any]:
        """What becomes ready when something has happened."""
        return [self.pipe, self.process.sentinel]

    def is_due(self) -> bool:
        """Whether its case is finished, its process has died, or its time is over."""
        late = time.monotonic() - self.timeout_s
        return self._has_answer() or not self.process.is_alive() or self.begun < late

    def collect(self) -> Path:
        """Return the record of the case that is due; of one that ended the process, the failure's.

        Raises
        ------
        OSError
            If the machine does not let a case be written.
        """
        case = self.case
        if case is None:
            msg = "A process without a case has finished one."
            raise RuntimeError(msg)
        try:
            answer = self.pipe.recv() if self._has_answer() else None
        except (EOFError, OSError):
            answer = None
        if isinstance(answer, OSError):
            raise answer
        self.case = None
        if answer is None:
            seconds = time.monotonic() - self.begun
            failure = self._failure(case)
            self.kill()
            return write_failure(failure, self.how, round(seconds, 3))
        self.done += 1
        if self.done >= RECYCLE_AFTER:
            self.end()
        return Path(answer)

    def end(self) -> None:
        """Let the process end; kill it where it does not."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(_GRACE_S)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self.is_spent = True
        if self.process.is_alive():
            self.process.kill()
        self.process.join()
        self.pipe.close()
        self.process.close()

    def _has_answer(self) -> bool:
        try:
            return self.pipe.poll()
        except OSError:
            return True

    def _failure(self, case: Case) -> Failure:
        self.process.join(_DYING_S)
        if self.process.is_alive():
            return Failure(
                case,
                "TimeLimit",
                f"It took longer than {self.timeout_s:g} s and was ended.",
                "Look for a damaged file or one on a slow drive, or give more time: --timeout.",
            )
        code = self.process.exitcode or 0
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
