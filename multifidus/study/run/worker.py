"""The process that measures: cases come through a pipe, names of finished records go back.

Nothing slow is imported here before the process has set itself up.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

SCRATCH = ".scratch"
"""Folder of unpacked archives in a results folder, while a run goes on."""

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
"""Libraries of linear algebra start a thread a core each otherwise, in every worker."""


def work(pipe: Connection, memory: int | None, idle_s: float | None = None) -> None:
    """Finish cases until there is none left.

    Parameters
    ----------
    pipe
        Brings the settings, then cases; None ends the process. Takes back the path of each
        record, or the error that ends the run.
    memory
        Bytes that this process may use; None for all there are.
    idle_s
        Time without a case after which it ends; None for no end.
    """
    # Ctrl-C goes to every process of a terminal. The run decides what becomes of its cases.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit_memory(memory)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        _serve(pipe, idle_s)


def _serve(pipe: Connection, idle_s: float | None) -> None:
    from multifidus.study.run.cases import finish_case
    from multifidus.study.run.last_exam import LastExam

    how, last = pipe.recv(), LastExam()
    while pipe.poll(idle_s) and (case := pipe.recv()) is not None:
        answer: Any
        try:
            with _scratch(how.folder / SCRATCH / how.part):
                answer = finish_case(case, how, last)
        except OSError as error:
            answer = error
        pipe.send(answer)


@contextlib.contextmanager
def _scratch(place: Path) -> Iterator[None]:
    """Let archives be unpacked in a place of the results folder, and go with their case.

    What a killed process leaves there is known to be nobody's, and the next run removes it.
    """
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as own:
        tempfile.tempdir = own
        try:
            yield
        finally:
            tempfile.tempdir = None


def _end_with_parent() -> None:
    """End this process where the run is killed; a case may not go on with nobody to ask for it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _limit_memory(memory: int | None) -> None:
    if memory is None:
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
