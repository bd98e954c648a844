"""A Dask scheduler and its workers as programs of their own, and a run that uses them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

WAIT_S = 120.0


@dataclass(slots=True)
class DaskCluster:
    """What was started, to be killed in part."""

    folder: Path
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address_file(self) -> Path:
        """Where the scheduler says how it is reached."""
        return self.folder / "scheduler.json"

    @property
    def config(self) -> Path:
        """The settings by which a run finds it."""
        return self.folder / "cluster.toml"

    def start_scheduler(self) -> None:
        """Start the scheduler, and wait until it can be reached."""
        self.address_file.unlink(missing_ok=True)
        words = ("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1",
                 "--scheduler-file", str(self.address_file))  # fmt: skip
        self.scheduler = self._started("scheduler", *words)
        until = time.monotonic() + WAIT_S
        while not self.address_file.exists():
            if time.monotonic() > until:
                raise TimeoutError((self.folder / "scheduler.log").read_text())
            time.sleep(0.05)
        self.config.write_text(f'scheduler_file = "{self.address_file.as_posix()}"\n')

    def start_worker(self) -> None:
        """Start a worker of one thread, which its nanny starts again when it dies."""
        words = ("worker", "--scheduler-file", str(self.address_file), "--nthreads", "1",
                 "--no-dashboard", "--local-directory", str(self.folder / "scratch"),
                 "--death-timeout", "20")  # fmt: skip
        self.workers.append(self._started("worker", *words))

    def _started(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - Dask's own program
                [sys.executable, "-m", "dask", *words],
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def kill_a_worker(self) -> bool:
        """Kill the process of a worker below its nanny, which starts another; false for none."""
        for worker in self.workers:
            for child in children(worker.pid):
                if "from multiprocessing.spawn" in command_of(child):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                    return True
        return False

    def kill_scheduler(self) -> None:
        """Kill the scheduler."""
        if self.scheduler is not None:
            self.scheduler.kill()
            self.scheduler.wait()

    def end(self) -> None:
        """Kill all that was started."""
        for process in (*self.workers, *([self.scheduler] if self.scheduler else [])):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.workers.clear()


@contextlib.contextmanager
def dask_cluster(folder: Path, workers: int = 2) -> Iterator[DaskCluster]:
    """Yield a scheduler with workers."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = DaskCluster(folder)
    try:
        cluster.start_scheduler()
        for _ in range(workers):
            cluster.start_worker()
        yield cluster
    finally:
        cluster.end()


def children(pid: int) -> list[int]:
    """Return the processes that a process has started, as Linux knows them."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text().split()]
    return found


def command_of(pid: int) -> str:
    """Return the words of a process."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""
