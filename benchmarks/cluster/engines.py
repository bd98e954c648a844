"""One cohort measured by every engine: the tables have the same bytes."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.private_slurm import private_slurm, what_lacks
from benchmarks.cluster.tiny import TinyCohort, tiny_cohort
from tests.support.dask_cluster import dask_cluster

SHARDS = 4
JOBS = "2"
WAIT_S = 1800.0


@dataclass(frozen=True, slots=True)
class EngineRun:
    """A run by one engine."""

    engine: str
    seconds: float
    is_equal: bool


def runs(folder: Path, number: int, *, smoke: bool) -> Iterator[EngineRun]:
    """Measure a cohort of so many tiny exams by each engine that there is here.

    A short run leaves clusters to the slow tests.
    """
    cohort = tiny_cohort(folder / "study", number)

    def timed(engine: str, how: Callable[[TinyCohort, Path], None]) -> EngineRun:
        out, begun = folder / engine.replace(" ", "_"), time.monotonic()
        how(cohort, out)
        return EngineRun(engine, time.monotonic() - begun, cohort.is_equal(out))

    yield timed("serial", lambda cohort, out: _run(cohort, out, "--jobs", "1"))
    yield timed("shards at once in one folder", _shards)
    if smoke:
        return
    yield timed("processes", lambda cohort, out: _run(cohort, out, "--jobs", JOBS))
    yield timed("shards in folders of their own", _shards_apart)
    dask = ("--executor", "dask")
    yield timed("Dask on this machine", lambda c, out: _run(c, out, *dask, "--jobs", JOBS))
    with dask_cluster(folder / "dask", int(JOBS)) as cluster:
        words = (*dask, "--executor-config", cluster.config)
        yield timed("Dask scheduler and workers", lambda c, out: _run(c, out, *words))
    if not what_lacks():
        with private_slurm(folder / "slurm") as env:
            yield timed("SLURM by dask-jobqueue", lambda cohort, out: _by_jobs(cohort, out, env))
            yield timed("SLURM array of shards", lambda cohort, out: _by_array(cohort, out, env))


def _run(
    cohort: TinyCohort, out: Path, *words: str | Path, env: Mapping[str, str] | None = None
) -> None:
    everything = [str(word) for word in cohort.words(out, *words)]
    subprocess.run(everything, env=env or os.environ, check=True, capture_output=True,
                   timeout=WAIT_S)  # fmt: skip


def _shards(cohort: TinyCohort, out: Path) -> None:
    begun = [cohort.begin(out, "--shard", f"{i}/{SHARDS}", "--jobs", "1") for i in _numbers()]
    for process in begun:
        _, said = process.communicate(timeout=WAIT_S)
        if process.returncode:
            raise RuntimeError(said)
    _assemble([out], out)


def _shards_apart(cohort: TinyCohort, out: Path) -> None:
    parts = [out.with_name(f"part_{i}") for i in _numbers()]
    for number, part in zip(_numbers(), parts, strict=True):
        _run(cohort, part, "--shard", f"{number}/{SHARDS}", "--jobs", JOBS)
    _assemble(parts, out)


def _numbers() -> range:
    return range(1, SHARDS + 1)


def _assemble(parts: list[Path], out: Path) -> None:
    words = [sys.executable, "-m", "multifidus", "assemble", *map(str, parts), "-o", str(out)]
    subprocess.run(words, check=True, capture_output=True)


def _by_jobs(cohort: TinyCohort, out: Path, env: Mapping[str, str]) -> None:
    config = out.with_suffix(".toml")
    config.write_text(
        f'cluster = "slurm"\nworkers = 1\n[options]\nqueue = "main"\ncores = {JOBS}\n'
        f'memory = "2GB"\nwalltime = "01:00:00"\ninterface = "lo"\nlog_directory = "{out}_logs"\n'
    )
    _run(cohort, out, "--executor", "dask", "--executor-config", config, env=env)


def _by_array(cohort: TinyCohort, out: Path, env: Mapping[str, str]) -> None:
    words = shlex.join(str(word) for word in cohort.words(out, "--jobs", "1"))
    script = out.with_suffix(".sh")
    script.write_text(
        f"#!/bin/bash\n#SBATCH --array=1-{SHARDS}\n"
        f"{words} --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT\n"
    )
    words_of_slurm = ["sbatch", "--wait", str(script)]
    subprocess.run(words_of_slurm, env=env, cwd=out.parent, check=True, capture_output=True,
                   timeout=WAIT_S)  # fmt: skip
    _assemble([out], out)


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page and whether all is as it should be."""
    number = 6 if smoke else 200
    with tempfile.TemporaryDirectory() as name:
        found = [*runs(Path(name), number, smoke=smoke)]
    lines = [
        "# One cohort, every engine\n",
        f"A cohort of {number} tiny exams of one slice, on {os.cpu_count()} cores: what is timed "
        "is mostly the start of programs. `equal`: tables and page have the bytes of a serial "
        "run.\n",
        "| engine | s | equal |",
        "|---|---|---|",
        *(f"| {run.engine} | {run.seconds:.0f} | {'yes' if run.is_equal else '**no**'} |"
          for run in found),
    ]  # fmt: skip
    lacks = "" if smoke else what_lacks()
    if lacks:
        lines.append(f"\nNot run: SLURM; {lacks}.")
    return "\n".join(lines) + "\n", not lacks and all(run.is_equal for run in found)
