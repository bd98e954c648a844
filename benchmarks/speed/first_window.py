"""From the start of Python to a window on the sample exam, beside bare napari on its pixels.

Needs a display. Both sides are seconds on the clock, as a whole process, until the window is
painted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import multifidus as mf
from benchmarks.speed.opening import until_painted
from benchmarks.timing import Comparison, alternate
from multifidus.sample_data import sample_dir

MOST_S = 5.0
"""Seconds after which an exam may be drawn on, of a machine that does nothing else."""


def run(repeats: int) -> list[Comparison]:
    """Start both in turns.

    Raises
    ------
    subprocess.CalledProcessError
        If a window does not open.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (exam,) = mf.read_exams(sample_dir() / "S01_pre")
        longest = max(exam.series, key=lambda series: len(series.slices))
        np.save(folder / "pixels.npy", np.stack([item.stored_pixels for item in longest.slices]))
        ours, theirs = alternate(
            lambda: _start("plugin", folder), lambda: _start("napari", folder), max(1, repeats // 4)
        )
    what = "start: window on the sample exam, ready to outline"
    return [
        Comparison(what, "bare napari on the same pixels", ours, theirs, "s", None),
        Comparison(what, "what was promised", ours, MOST_S, "s", 1.0),
    ]


def _start(which: str, folder: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.speed.first_window", which, str(folder)]
    settings = {"NAPARI_CONFIG": str(folder / "settings.yaml")}
    subprocess.run(command, check=True, env=os.environ | settings, stdout=subprocess.DEVNULL)


def _open(which: str, folder: Path) -> None:
    if which == "plugin":
        from napari_multifidus.annotate import annotate

        annotate(sample_dir() / "S01_pre", folder=folder / "outlines", rater="R1")
        return
    import napari

    napari.Viewer().open(folder / "pixels.npy", plugin="napari")


if __name__ == "__main__":
    until_painted(lambda: _open(sys.argv[1], Path(sys.argv[2])))
    # PyQt's own tidying at exit now and then reads an object that is gone.
    os._exit(0)
