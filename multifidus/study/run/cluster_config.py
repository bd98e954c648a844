"""Where Dask hands out cases: a small TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.frozen_dict import NOTHING
from multifidus.errors import CohortError
from multifidus.io.files import reading

KINDS = ("local", "slurm", "pbs", "sge")

_KEYS = ("cluster", "workers", "scheduler", "scheduler_file", "options")


class EngineError(RuntimeError):
    """What hands out the cases has failed; what was finished is kept.

    Parameters
    ----------
    message
        What has happened.
    remedy
        What to do about it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".rstrip())


@dataclass(frozen=True, slots=True)
class ClusterConfig:
    """Which Dask cluster to use: one that runs, or one that is started for the run.

    Parameters
    ----------
    cluster
        What to start: processes of this machine, or jobs of a scheduler.
    workers
        How many jobs.
    scheduler
        Address of a Dask scheduler that runs, such as ``tcp://node1:8786``.
    scheduler_file
        The file that it wrote with ``--scheduler-file``, in the place of its address.
    options
        Of the class of dask-jobqueue, such as ``queue``, ``cores``, ``memory``, ``walltime``.

    Raises
    ------
    CohortError
        If they contradict each other.
    """

    cluster: str = "local"
    workers: int = 1
    scheduler: str = ""
    scheduler_file: str = ""
    options: Mapping[str, Any] = NOTHING

    def __post_init__(self) -> None:
        if self.cluster not in KINDS:
            msg = f"There is no cluster {self.cluster!r}."
            raise CohortError(msg, remedy=f"Known are: {', '.join(KINDS)}.")
        if type(self.workers) is not int or self.workers < 1:
            msg = f"workers is {self.workers!r}."
            raise CohortError(msg, remedy="It is the number of jobs, 1 or more.")
        if self.is_running and (self.cluster != "local" or self.options):
            msg = "A scheduler that runs takes neither cluster nor options."
            raise CohortError(msg, remedy="Name the scheduler, or what to start.")
        if self.cluster == "local" and (self.options or self.workers > 1):
            msg = "A local cluster takes neither workers nor options."
            raise CohortError(msg, remedy="Its processes are given by --jobs.")

    @property
    def is_here(self) -> bool:
        """Whether it is this machine alone."""
        return self.cluster == "local" and not self.is_running

    @property
    def is_running(self) -> bool:
        """Whether others have started it."""
        return bool(self.scheduler or self.scheduler_file)


def read_cluster_config(path: Path) -> ClusterConfig:
    """Read a TOML file that says which cluster to use.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    CohortError
        If it is no TOML, or has an unknown key or a value that is not allowed.
    """
    with reading(path, "the settings of a cluster"):
        text = path.read_text(encoding="utf-8-sig")
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path} is not TOML: {error}."
        raise CohortError(msg) from error
    unknown = sorted({*found} - {*_KEYS})
    if unknown:
        msg = f"{path}: unknown keys {', '.join(unknown)}."
        raise CohortError(msg, remedy=f"Known are: {', '.join(_KEYS)}.")
    if not isinstance(found.get("options", {}), dict):
        msg = f"{path}: options is no table."
        raise CohortError(msg, remedy="Write [options], and below it what the jobs need.")
    try:
        return ClusterConfig(**found)
    except CohortError as error:
        raise CohortError(f"{path}: {error.message}", remedy=error.remedy) from error
