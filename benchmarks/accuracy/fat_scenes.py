"""``python -m benchmarks.accuracy.fat_scenes``: fat of scenes with known fat, cell by cell."""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from benchmarks.accuracy import real_dixon
from benchmarks.accuracy.fat_outlines import METHODS, Outline, cases, outlines
from benchmarks.accuracy.fat_tally import Tally, asked, tally
from multifidus import RoiError, Structure

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Found:
    """The outlines of one cell, and how many exams could not be made."""

    name: str
    outlines: tuple[Outline, ...]
    refused: int = 0

    def of(self, structure: Structure) -> tuple[Outline, ...]:
        """Return the outlines of one muscle."""
        return tuple(item for item in self.outlines if item.structure == structure)


def chosen(patterns: Sequence[str]) -> list[str]:
    """Return the names of the cells that match any pattern; all where there is none.

    The real pattern is left out where its exam is not there.

    Raises
    ------
    SystemExit
        If a pattern matches nothing.
    """
    known = [case.name for case in cases().values() if real_dixon.available() or not case.is_real]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            sys.exit(f"No cell is called {pattern!r}; there are:\n{chr(10).join(known)}")
    return [name for name in known if not patterns or any(fnmatchcase(name, p) for p in patterns)]


def measured(names: Sequence[str], exams: int, *, processes: int = PROCESSES) -> Iterator[Found]:
    """Measure some exams of every cell; yields each cell as it is ready.

    Parameters
    ----------
    processes
        None: in this one.
    """
    jobs = [(name, seed) for name in names for seed in cases()[name].seeds(exams)]
    if not processes:
        yield from _by_cell(names, jobs, map(_job, jobs))
        return
    with _one_thread_each(), multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from _by_cell(names, jobs, pool.imap(_job, jobs))


def _job(job: tuple[str, int]) -> list[tuple[Any, ...]] | None:
    """Return plain values, which cross from process to process; None if there is no such exam."""
    try:
        return [item.as_plain() for item in outlines(*job)]
    except RoiError:
        return None


def _by_cell(
    names: Sequence[str],
    jobs: Sequence[tuple[str, int]],
    results: Iterator[list[tuple[Any, ...]] | None],
) -> Iterator[Found]:
    for name in names:
        parts = [next(results) for job in jobs if job[0] == name]
        items = (Outline.from_plain(plain) for part in parts for plain in part or ())
        yield Found(name, tuple(items), parts.count(None))


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Let processes that start meanwhile compute with one thread."""
    before = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = before


def write(path: Path, found: Sequence[Found]) -> None:
    """Write outlines to a file of compressed JSON, which :func:`read` reads."""
    plain = [(item.name, [o.as_plain() for o in item.outlines], item.refused) for item in found]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        json.dump(plain, file)


def read(path: Path) -> list[Found]:
    """Read the outlines of an earlier run."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        plain = json.load(file)
    return [Found(name, tuple(map(Outline.from_plain, items)), n) for name, items, n in plain]


HEADS = ("method", "n", "mean", "MAE", "+-2u, %", "95 %", "u", "2 MAE+1", "flagged", ">5 unfl.",
         "lean", "NaN")  # fmt: skip
_LINE = "{:>12}{:>6}{:>8}{:>7}{:>8}{:>13}{:>7}{:>8}{:>8}{:>9}{:>5}{:>5}"


def line(method: str, of: Tally) -> str:
    """Return a method's tally in one line, under :data:`HEADS`."""
    low, high = of.covered.interval_pct
    return _LINE.format(
        method,
        of.count,
        f"{of.mean:+.2f}",
        f"{of.absolute:.2f}",
        f"{of.covered.pct:.1f}",
        f"{low:.1f}-{high:.1f}",
        f"{of.uncertainty:.2f}",
        f"{of.largest_uncertainty:.2f}",
        of.flagged,
        of.large_unflagged,
        of.lean_unflagged,
        of.missing,
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.fat_scenes")
    parser.add_argument("--exams", type=int, default=3, help="exams of each cell (default: 3)")
    parser.add_argument("--cells", nargs="*", default=[], help="names of cells, with * and ?")
    parser.add_argument("--keep", type=Path, help="file of compressed JSON for the outlines")
    options = parser.parse_args()
    names, start = chosen(options.cells), time.perf_counter()
    print(_LINE.format(*HEADS))
    everything = []
    for found in measured(names, options.exams):
        everything.append(found)
        passed = time.perf_counter() - start
        refused = f", {found.refused} exams could not be made" if found.refused else ""
        print(f"{found.name} ({len(everything)} of {len(names)}, {passed:.0f} s{refused})")
        for method in METHODS:
            print(line(method, tally(asked(found.outlines, method), method)), flush=True)
    if options.keep:
        write(options.keep, everything)


if __name__ == "__main__":
    main()
