"""A run over many cases by many workers, event by event: who waits for whom."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


def simulated_s(workers: int, times: Iterable[float], served_s: float) -> float:
    """Return how long workers take for cases, if one program hands them out and takes them back.

    A worker that has finished a case waits until the program is free, which takes ``served_s`` for
    it, and begins the next one then. The first cases are handed out one after another as well.

    Parameters
    ----------
    workers
        How many.
    times
        Seconds of each case.
    served_s
        Seconds that the program is busy with one case.
    """
    ready = [0.0] * workers
    free = last = 0.0
    for seconds in times:
        free = max(free, ready[0]) + served_s
        last = max(last, free + seconds)
        heapq.heapreplace(ready, free + seconds)
    return last
