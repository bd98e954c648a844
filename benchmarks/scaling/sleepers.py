"""Dask workers that sleep as long as a case takes, many in one process.

Run as a program: ``python -m benchmarks.scaling.sleepers SCHEDULER_FILE NUMBER``.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time

from multifidus.data.cohort import Case
from multifidus.study.run.dask_task import Order

SLEEP, RECORD = "sleep_s", "record"
"""Columns of a case: how long it takes, and which record it is said to have written."""

LEAN = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.system-monitor.interval": "60s",
}
"""A worker looks at itself 100 times a second: nothing on a machine of its own, much for 64."""


def sleep_for(case: Case, order: Order) -> str:  # noqa: ARG001 - as who measures is called
    """Take the time of a case, and return where the record of another one is."""
    time.sleep(float(case.extra[SLEEP]))
    return case.extra[RECORD]


async def _work(scheduler_file: str, number: int) -> None:
    from distributed import Worker

    async with contextlib.AsyncExitStack() as opened:
        workers = [
            Worker(scheduler_file=scheduler_file, nthreads=1, memory_limit=0, dashboard=False,
                   name=f"worker-{place}")
            for place in range(number)
        ]  # fmt: skip
        for worker in workers:
            await opened.enter_async_context(worker)
        await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    import dask

    with dask.config.set(LEAN):
        asyncio.run(_work(sys.argv[1], int(sys.argv[2])))
