"""``python -m benchmarks.accuracy.fat_scenes``: fat of scenes with known fat, cell by cell."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import multiprocessing
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

import benchmarks.accuracy
import multifidus
from benchmarks.accuracy import real_dixon
from benchmarks.accuracy.fat_outlines import OURS, REAL, Outline, cases, outlines
from benchmarks.accuracy.fat_tally import Tally, flags_pct, tally

Cells = dict[str, list[Outline]]

EXAMS = 25
"""Of each cell, where nothing else is asked for: 300 outlines."""


def chosen(patterns: Sequence[str]) -> list[str]:
    """Return the names of the cells that match any pattern; all where there is none.

    Raises
    ------
    SystemExit
        If a pattern matches nothing.
    """
    known = [name for name in cases() if real_dixon.available() or not name.startswith(REAL)]
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            sys.exit(f"No cell is called {pattern!r}; there are:\n{chr(10).join(known)}")
    return [name for name in known if not patterns or any(fnmatchcase(name, p) for p in patterns)]


def measured(
    names: Iterable[str], exams: int, *, peers: bool, workers: int = 0, keep: Path | None = None
) -> Iterator[tuple[str, list[Outline]]]:
    """Measure exams 1 to ``exams`` of every cell; yields each cell as it is ready.

    Parameters
    ----------
    workers
        Processes; none: in this one.
    keep
        Folder in which cells are kept, and looked up if neither measuring nor the scenes have
        changed.
    """
    pool = None
    if workers:
        pool = multiprocessing.get_context("spawn").Pool(workers)
    try:
        for name in names:
            kept = None if keep is None else keep / f"{name.replace('/', '+')}.json.gz"
            found = _kept(kept, exams, peers=peers) if kept else None
            if found is None:
                jobs = [(name, seed, peers) for seed in cases()[name].seeds(exams)]
                each = map(_job, jobs) if pool is None else pool.imap(_job, jobs)
                found = [outline for part in each for outline in part]
                if kept:
                    _put(kept, found, exams, peers=peers)
            yield name, found
    finally:
        if pool is not None:
            pool.terminate()


def _job(job: tuple[str, int, bool]) -> list[Outline]:
    name, seed, peers = job
    return outlines(name, seed, peers=peers)


def _state() -> str:
    """Return a digest of everything that a number depends on."""
    library = Path(multifidus.__file__).parent
    here = Path(benchmarks.accuracy.__file__).parent
    folders = (library / "measuring", library / "data", here / "scenes")
    files = [path for folder in folders for path in folder.rglob("*.py")]
    found = hashlib.sha256()
    for path in (*sorted(files), here / "fat.py", here / "fat_outlines.py"):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _kept(path: Path, exams: int, *, peers: bool) -> list[Outline] | None:
    if not path.is_file():
        return None
    with gzip.open(path, "rt") as file:
        plain = json.load(file)
    if plain["state"] != _state() or plain["exams"] < exams or plain["peers"] < peers:
        return None
    found = map(Outline.from_list, plain["outlines"])
    return [item for item in found if item.seed <= exams]


def _put(path: Path, found: list[Outline], exams: int, *, peers: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    plain = {"state": _state(), "exams": exams, "peers": peers,
             "outlines": [item.as_list() for item in found]}  # fmt: skip
    with gzip.open(path, "wt") as file:
        json.dump(plain, file)


HEADS = ("  n", "  mean", "  MAE", "cover (95 %)      ", "   u", "u max", "flag%", ">5 unfl", ">5",
         "lean", "NaN%")  # fmt: skip


def line(found: Tally) -> str:
    """Return a method's tally in one line, under :data:`HEADS`."""
    share, low, high = found.coverage_pct
    return (
        f"{found.count:3d} {found.mean:+6.2f} {found.absolute:5.2f} "
        f"{share:5.1f} ({low:4.1f}-{high:5.1f}) {found.uncertainty:4.1f} "
        f"{found.largest_uncertainty:5.1f} {100 * found.flagged / max(found.count, 1):5.0f} "
        f"{found.large_unflagged:7d} {found.large:2d} {found.lean_unflagged:4d} "
        f"{100 * found.missing / max(found.count, 1):4.0f}"
    )


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy.fat_scenes")
    parser.add_argument("--exams", type=int, default=5, help="exams of each cell (default: 5)")
    parser.add_argument("--cells", nargs="*", default=[], help="names of cells, with * and ?")
    parser.add_argument("--methods", nargs="*", help="methods to print (default: ours, and peers)")
    parser.add_argument("--peers", action="store_true", help="rules of other programs as well")
    parser.add_argument("--workers", type=int, default=2, help="processes; 0: in this one")
    parser.add_argument("--keep", type=Path, help="folder in which measured cells are kept")
    parser.add_argument("--json", type=Path, help="file of tallies and outlines to write")
    parser.add_argument("--list", action="store_true", help="only print the names of the cells")
    options = parser.parse_args()
    names = chosen(options.cells)
    if options.list:
        print("\n".join(names))
        return
    everything: Cells = {}
    start = time.perf_counter()
    print(f"{'method':<12} {' '.join(HEADS)}")
    for name, found in measured(
        names, options.exams, peers=options.peers, workers=options.workers, keep=options.keep
    ):
        everything[name] = found
        print(f"{name}   [{len(everything)}/{len(names)}, {time.perf_counter() - start:.0f} s]")
        _print(found, options.methods)
    if len(names) > 1:
        print("ALL")
        _print([item for found in everything.values() for item in found], options.methods)
    if options.json:
        options.json.write_text(json.dumps(_plain(everything)))


def methods_of(found: Sequence[Outline]) -> list[str]:
    """Return the methods that answered, ours first."""
    known = dict.fromkeys(name for item in found for name in item.answers)
    return [name for name in OURS if name in known] + [name for name in known if name not in OURS]


def _print(found: list[Outline], wanted: Sequence[str] | None) -> None:
    for method in wanted or methods_of(found):
        print(f"{method[:34]:<12} {line(tally(found, method))}")
        flags = flags_pct(found, method)
        if flags:
            print(f"{'':12} {', '.join(f'{name} {pct:.0f}' for name, pct in flags.items())}")
    sys.stdout.flush()


def _plain(everything: Cells) -> dict[str, object]:
    return {
        name: {
            "crossed": cases()[name].is_crossed,
            "tallies": {method: asdict(tally(found, method)) for method in methods_of(found)},
            "outlines": [item.as_list() for item in found],
        }
        for name, found in everything.items()
    }


if __name__ == "__main__":
    main()
