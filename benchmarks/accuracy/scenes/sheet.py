"""A contact sheet: slices of the neutral scene, and one slice at each level of each factor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.scenes.exam import Made, make
from benchmarks.accuracy.scenes.factors import FACTORS
from benchmarks.accuracy.scenes.scene import Pattern, Scene
from multifidus import Roi, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS = 5
_MARGIN_MM = 11.0
_COLOURS = {
    Structure.MULTIFIDUS: "#56b4e9",
    Structure.ERECTOR_SPINAE: "#e69f00",
    Structure.LEAN_REFERENCE: "#009e73",
    Structure.FAT_REFERENCE: "#cc79a7",
    Structure.SUBCUTANEOUS_FAT: "#cc79a7",
    Structure.ARTEFACT: "#d55e00",
}


def pictures(seed: int) -> list[tuple[str, Made, int]]:
    """Return title, exam and slice of each picture."""
    neutral = make(Scene(), seed)
    found = [
        (f"neutral {name}", neutral, at) for at, name in enumerate(("L3-L4", "L4-L5", "L5-S1"))
    ]
    found += [
        (f"person {other}", make(Scene(), other), 1) for other in (seed + 1, seed + 2, seed + 3)
    ]
    found += [
        (pattern.value, make(Scene().but(pattern=pattern), seed), 1)
        for pattern in (Pattern.LEAN, Pattern.DIFFUSE, Pattern.BOTH)
    ]
    found += [
        (f"{factor} {level}", make(Scene().but(**changes), seed), 1)
        for factor, levels in FACTORS.items()
        for level, changes in levels.items()
    ]
    return found


def show(axes: Any, title: str, made: Made, number: int, *, zoomed: bool = True) -> None:
    """Draw one slice with its outlines, whole or about the muscles; slices count from the head."""
    uid = f"{made.exam.series[0].uid}.{number + 1}"
    item = next(each for each in made.exam.series[0].slices if each.uid == uid)
    image: NDArray[np.float64] = item.pixels
    axes.imshow(image, cmap="gray", vmin=0, vmax=np.percentile(image, 99))
    for roi in made.rois:
        if roi.key.slice_uid == uid:
            row, column = np.vstack((roi.paths[0], roi.paths[0][:1])).T
            axes.plot(column, row, lw=0.5, color=_COLOURS[roi.key.structure])
    fat = [
        f"{made.truth[roi.key]:.0f}"
        for roi in made.rois
        if roi.key.slice_uid == uid and roi.key.structure is Structure.MULTIFIDUS
    ]
    vertices = np.concatenate([roi.paths[0] for roi in made.rois if _is_muscle(roi, uid)])
    margin = _MARGIN_MM / item.plane.pixel_spacing_mm[0]
    (top, left), (bottom, right) = vertices.min(axis=0) - margin, vertices.max(axis=0) + margin
    if zoomed:
        axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_title(f"{title} (R, L {', '.join(fat)} %)", fontsize=7)
    axes.set_axis_off()


def _is_muscle(roi: Roi, uid: str) -> bool:
    return roi.key.slice_uid == uid and roi.key.structure.is_muscle


def write(path: Path, seed: int = 1) -> None:
    """Write the sheet as an image."""
    from matplotlib.figure import Figure

    found = pictures(seed)
    rows = -(-len(found) // COLUMNS)
    figure = Figure(figsize=(COLUMNS * 3.2, rows * 1.95), layout="constrained")
    panels = figure.subplots(rows, COLUMNS).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, (title, made, number) in zip(panels, found, strict=False):
        show(axes, title, made, number, zoomed="neutral" not in title and "person" not in title)
    figure.savefig(path, dpi=150)
