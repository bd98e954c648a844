"""What a run and each of its cases may use; imports nothing slow."""

from __future__ import annotations

import os
from dataclasses import dataclass

SHARE = 0.9
"""Of the machine's memory, for all processes together."""

LEAST_MEMORY = 4 << 30
"""For each: a process takes addresses for libraries as well."""


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
