"""The same table, byte for byte: run after run, process after process, Python after Python.

Run as a program it prints the tidy table of the phantom by every method. Other interpreters that
have multifidus installed are named in ``MULTIFIDUS_PYTHONS``, separated as in ``PATH``.
"""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

PYTHONS = "MULTIFIDUS_PYTHONS"

VERSIONS = "import numpy, platform; print(platform.python_version(), numpy.__version__)"


@dataclass(frozen=True, slots=True)
class Run:
    """One process and what it printed.

    Parameters
    ----------
    python, numpy
        Their versions.
    threads
        Threads that numerical libraries were allowed.
    digest
        SHA-256 of its table.
    """

    python: str
    numpy: str
    threads: int
    digest: str


def print_table(order: int) -> None:
    """Measure the phantom, its outlines shuffled by a seed, and print the tidy table."""
    import multifidus as mf
    from multifidus.phantom import PhantomSpec, make_phantom

    made = make_phantom(PhantomSpec(stacks=2, slices_per_stack=1, sagittal=False, dixon=True))
    shuffled = list(made.outlines)
    random.Random(order).shuffle(shuffled)  # noqa: S311 - no secret
    protocol = mf.MeasurementProtocol(
        fat_methods=tuple(mf.FatMethod), fixed_threshold=400.0, regional_fat=True
    )
    rows = mf.measure(made.exam, replace(made.outlines, rois=tuple(shuffled)), protocol)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "measurements.csv"
        mf.write_table(rows, path)
        sys.stdout.write(path.read_text(encoding="utf-8"))


def runs(repeats: int) -> list[Run]:
    """Run it again and again: hashes, threads and the order of outlines differ each time."""
    others = [name for name in os.environ.get(PYTHONS, "").split(os.pathsep) if name]
    found = [_run(sys.executable, number) for number in range(repeats)]
    return found + [_run(python, number) for python in others for number in range(2)]


def _run(python: str, number: int) -> Run:
    threads = 1 + number % 2
    environment = {
        **os.environ,
        "PYTHONHASHSEED": str(number),
        "OPENBLAS_NUM_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
    }
    printed = subprocess.run(
        [python, str(Path(__file__)), str(number)], capture_output=True, check=True, env=environment
    ).stdout
    version = subprocess.run(
        [python, "-c", VERSIONS],
        capture_output=True, check=True, text=True,
    ).stdout.split()  # fmt: skip
    return Run(*version, threads, hashlib.sha256(printed).hexdigest())


def as_markdown(found: Sequence[Run]) -> str:
    """Count the runs and the different tables they printed."""
    lines = [
        "| Python | numpy | runs | threads | different tables | SHA-256 begins |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for version in sorted({(run.python, run.numpy) for run in found}):
        own = [run for run in found if (run.python, run.numpy) == version]
        threads = " and ".join(str(n) for n in sorted({run.threads for run in own}))
        digests = sorted({run.digest for run in own})
        begins = ", ".join(digest[:12] for digest in digests)
        lines.append(
            f"| {version[0]} | {version[1]} | {len(own)} | {threads} | {len(digests)} | {begins} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print_table(int(sys.argv[1]))
