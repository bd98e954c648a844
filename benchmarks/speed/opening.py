"""Opening the next exam in a window, beside napari without the plugin opening the same pixels.

Needs a display. Both sides are seconds on the clock until the window is painted. Ours reads a
folder of DICOM files, finds the exam, and takes up its outlines; napari's reads one file of bare
pixels.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import multifidus as mf
from benchmarks import synthetic
from benchmarks.timing import SMOKE_REPEATS, Comparison, in_own_process, tell, turns

SLICES, MANY_SLICES, MOST_S = 75, 300, 4.0
SMOKE_SLICES, SMOKE_MANY_SLICES = 5, 20


def run(repeats: int) -> list[Comparison]:
    """Compare in a process of its own."""
    return in_own_process("benchmarks.speed.opening", repeats)


def compare(repeats: int) -> list[Comparison]:
    """Open one exam after another; the first of each is not counted."""
    few = repeats <= SMOKE_REPEATS
    slices, many_slices = (SMOKE_SLICES, SMOKE_MANY_SLICES) if few else (SLICES, MANY_SLICES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ.setdefault("NAPARI_CONFIG", str(folder / "settings.yaml"))
        exams = [_write_exam(folder / f"exam{n}", slices, n) for n in range(2)]
        many = _write_exam(folder / "many", many_slices, 2)
        plain = _plain(folder, exams[0], repeats)
        first, following, large = _ours(exams, many, repeats)
    peer = f"napari without the plugin: one file of {slices} slices"
    what = f"exam of {slices} slices, 512x512, from DICOM files"
    return [
        Comparison(f"next {what}", peer, following, plain, "s", 1.5),
        Comparison(f"first {what}, in a new window", peer, first, plain, "s", None),
        Comparison(f"next exam of {many_slices} slices", "what was promised", large, MOST_S, "s",
                   1.0),
    ]  # fmt: skip


def _write_exam(folder: Path, count: int, number: int) -> Path:
    folder.mkdir()
    pixels = synthetic.tissue_pixels(np.random.default_rng(number))
    step = synthetic.SPACING_MM
    for place in range(count):
        plane = mf.Plane((-100.0, -100.0, 4.4 * place), (0.0, step, 0.0), (step, 0.0, 0.0))
        uid = f"1.2.826.0.1.3680043.10.{number + 5}.{place + 1}"
        synthetic.write_slice(folder / f"{place:03d}.dcm", uid, plane, pixels=pixels, number=place)
    return folder


def _plain(folder: Path, exam: Path, repeats: int) -> float:
    import napari

    (read,) = mf.read_exams(exam)
    path = folder / "pixels.npy"
    np.save(path, np.stack([item.stored_pixels for item in read.series[0].slices]))
    viewer = napari.Viewer()

    def open_it() -> None:
        viewer.layers.clear()
        viewer.open(path, plugin="napari")

    seconds = [(counts, until_painted(open_it)) for counts in turns(repeats)]
    viewer.close()
    return statistics.median(each for counts, each in seconds if counts)


def _ours(exams: list[Path], many: Path, repeats: int) -> tuple[float, float, float]:
    import napari
    from napari_multifidus._compat import open_dock

    viewer = napari.Viewer()
    dock = open_dock(viewer)
    until_painted(lambda: None)
    first = until_painted(lambda: _open(dock, exams[-1]))
    following = [
        until_painted(lambda n=n: _open(dock, exams[n % len(exams)])) for n in range(repeats)
    ]
    large = until_painted(lambda: _open(dock, many))
    viewer.close()
    return first, statistics.median(following), large


def _open(dock: Any, folder: Path) -> None:
    from napari_multifidus.models.opening import open_exam

    dock.annotator.opener.switch_to(open_exam(folder))


def until_painted(act: Callable[[], object]) -> float:
    """Return the seconds on the clock until what something opens is painted."""
    from qtpy.QtWidgets import QApplication

    begin = time.perf_counter()
    act()
    for _ in range(3):
        # What waits for the events of before is done with those of after.
        QApplication.processEvents()
    return time.perf_counter() - begin


if __name__ == "__main__":
    tell(compare)
