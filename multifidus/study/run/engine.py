"""What measures the cases of a run: processes of this machine, or workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from multifidus.data.cohort import Case
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.cluster_config import ClusterConfig
from multifidus.study.run.limits import Limits
from multifidus.study.run.pool import Pool

PROCESSES, DASK = "processes", "dask"
EXECUTORS = (PROCESSES, DASK)


class Engine(Protocol):
    """Finishes cases."""

    def finish(self, cases: Iterable[Case]) -> Iterator[tuple[Case, Path]]:
        """Yield each case with its record when it is finished."""
        ...


def engine_for(
    how: CaseSettings,
    limits: Limits,
    cluster: ClusterConfig | None,
    *,
    stopping: Callable[[], bool],
    waiting: Callable[[], None],
) -> Engine:
    """Return what finishes cases; Dask is imported only where it is asked for."""
    if cluster is None:
        return Pool(how, limits, stopping)
    from multifidus.study.run.dask_pool import DaskPool

    return DaskPool(how, limits, cluster, stopping, waiting)
