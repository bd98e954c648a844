"""Timing side by side: a job and its peer take turns, so that a busy machine slows both."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

SMOKE_REPEATS = 1
"""One turn without another to warm up: it shows that both jobs run, and nothing of their speed."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A job of ours beside a peer's: seconds (or MB), their ratio, and what it should be.

    Parameters
    ----------
    ratio
        ours / peer.
    target
        The ratio must not be above it; None where nothing was promised.
    """

    job: str
    peer: str
    ours: float
    theirs: float
    unit: str
    target: float | None

    @property
    def ratio(self) -> float:
        """Ours divided by the peer's: below 1 is faster or smaller."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.target is None or self.ratio <= self.target

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def turns(repeats: int) -> list[bool]:
    """Return of each turn whether it counts: where several do, one before them warms up."""
    return [*([False] if repeats > SMOKE_REPEATS else []), *[True] * repeats]


def alternate(
    ours: Callable[[], object], theirs: Callable[[], object], repeats: int
) -> tuple[float, float]:
    """Return the median seconds of two jobs that take turns, as :func:`turns` says."""
    times: tuple[list[float], list[float]] = ([], [])
    for counts in turns(repeats):
        for job, found in zip((ours, theirs), times, strict=True):
            begin = time.perf_counter()
            job()
            if counts:
                found.append(time.perf_counter() - begin)
    return statistics.median(times[0]), statistics.median(times[1])


def in_own_process(module: str, repeats: int) -> list[Comparison]:
    """Compare in a process of its own, which holds nothing but what a napari session holds.

    Parameters
    ----------
    module
        What runs there; it calls :func:`tell`.

    Raises
    ------
    subprocess.CalledProcessError
        If that process does not come to its end.
    """
    command = [sys.executable, "-m", module, str(repeats)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [Comparison(**item) for item in json.loads(done.stdout.splitlines()[-1])]


def tell(compare: Callable[[int], list[Comparison]]) -> NoReturn:
    """Compare as often as the command line says, tell it, and end this process."""
    print(json.dumps([asdict(item) for item in compare(int(sys.argv[1]))]), flush=True)
    # All is told. PyQt's own tidying at exit now and then reads an object that is gone.
    os._exit(0)


def process(command: Sequence[str]) -> tuple[float, float]:
    """Run a whole process; returns its CPU seconds and peak memory in MB.

    CPU time, not wall time: it hardly depends on what else the machine does.
    """
    script = (
        "import json,resource,subprocess,sys;"
        "done=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,stderr=subprocess.DEVNULL);"
        "used=resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([done.returncode,used.ru_utime+used.ru_stime,used.ru_maxrss/1024]))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", script, *command],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )
    code, seconds, megabytes = json.loads(done.stdout)
    if code:
        msg = f"{' '.join(command)} ended with {code}."
        raise RuntimeError(msg)
    return seconds, megabytes


def alternate_processes(
    ours: Sequence[str], theirs: Sequence[str], repeats: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return median CPU seconds and peak MB of two commands that take turns."""
    found: tuple[list[tuple[float, float]], list[tuple[float, float]]] = ([], [])
    for counts in turns(repeats):
        for command, results in zip((ours, theirs), found, strict=True):
            result = process(command)
            if counts:
                results.append(result)
    return tuple(
        (statistics.median(r[0] for r in results), statistics.median(r[1] for r in results))
        for results in found
    )  # type: ignore[return-value]
