"""Processes that measure are started here, the first of a command before it knows what.

To import what measures takes a process a second or more, and the command that reads the cohort as
long: they do it at the same time. Nothing slow is imported here.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import ModuleType

from multifidus.study.run.worker import work

Started = tuple[SpawnProcess, Connection]

_SPARE: dict[int | None, Started] = {}
"""Processes that nobody has taken yet, by the memory that they may use."""


@contextlib.contextmanager
def spare_process(memory: int | None) -> Iterator[None]:
    """Have a process get ready to measure; it ends with the block unless it was taken.

    Parameters
    ----------
    memory
        Bytes that it may use; None for no limit.
    """
    _SPARE[memory] = _started(memory, None)
    try:
        yield
    finally:
        if (spare := _SPARE.pop(memory, None)) is not None:
            process, pipe = spare
            process.kill()
            process.join()
            pipe.close()


def taken_or_started(memory: int | None, idle_s: float | None) -> Started:
    """Return a process and the pipe to it: one that is getting ready already, or a new one.

    Parameters
    ----------
    memory
        Bytes that it may use; None for no limit.
    idle_s
        Time without a case after which it ends; None for no end.
    """
    spare = _SPARE.pop(memory, None) if idle_s is None else None
    return spare if spare is not None else _started(memory, idle_s)


def _started(memory: int | None, idle_s: float | None) -> Started:
    spawn = multiprocessing.get_context("spawn")
    pipe, theirs = spawn.Pipe()
    process = spawn.Process(target=work, args=(theirs, memory, idle_s), daemon=True)
    with _no_main_module():
        process.start()
    theirs.close()
    return process, pipe


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
