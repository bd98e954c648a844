"""Opening exams: what is found under a path becomes image layers of a viewer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from multifidus.formats import read_exam, read_rois
from multifidus.image import Exam, Series
from multifidus.roi import RoiSet, merge
from napari_multifidus.grid import axial_series, pixel_stack, same_grid, spacing_mm
from napari_multifidus.layers import AXES, UNITS

METADATA = "multifidus_exam"
"""Key of an image layer's metadata under which its :class:`Opened` stands."""

SNIFFED_FILES = 64
"""Files of a folder that are looked at before it is taken for something else."""

_PREAMBLE_BYTES, _DICOM_MARK = 128, b"DICM"

LayerData = tuple[Any, dict[str, Any], str]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """One series of an exam that was opened, and where it came from.

    Attributes
    ----------
    path
        File or folder of the exam; None where it was made in memory.
    outlines
        Outlines to start with, where nobody has drawn any yet.
    is_sample
        Whether it is a sample exam, beside which nothing is written.
    is_first
        Whether this series is outlined unless another is chosen.
    shared
        Files of landmarks and levels that all raters share; they are locked.
    """

    exam: Exam
    series: Series
    path: Path | None = None
    outlines: Path | None = None
    is_sample: bool = False
    is_first: bool = True
    shared: tuple[Path, ...] = ()


def open_exam(path: Path) -> Opened:
    """Read the one exam under a path; its first axial series is taken.

    Raises
    ------
    MultifidusError
        If there is not exactly one exam, or it has no axial series.
    """
    exam = read_exam(path)
    return Opened(exam, axial_series(exam)[0], path)


def shared_levels(opened: Opened) -> RoiSet | None:
    """Read the landmarks and levels that all raters of an exam share; None where there are none.

    Raises
    ------
    MultifidusError
        If a file cannot be read, or belongs to another exam.
    """
    if not opened.shared:
        return None
    return merge([read_rois(path, opened.exam) for path in opened.shared])


def layer_data(opened: Opened) -> list[LayerData]:
    """Turn an exam's axial series into image layers, the one to be outlined last and visible.

    Raises
    ------
    MultifidusError
        If the slices of the series differ in pixel spacing, or pixels cannot be read.
    """
    first = opened.series
    others = [series for series in axial_series(opened.exam) if series.uid != first.uid]
    beside = [series for series in others if same_grid(series, first)]
    entries = [_layer(replace(opened, series=series, is_first=False)) for series in beside]
    return [*entries, _layer(opened)]


def _layer(opened: Opened) -> LayerData:
    series = opened.series
    stack = pixel_stack(series)
    low, high = np.percentile(stack[:, ::2, ::2], (0.5, 99.7))
    attributes = {
        "name": f"axial {series.weighting.value.replace('_', ' ')}",
        "scale": (1.0, *spacing_mm(series)),
        "units": UNITS,
        "axis_labels": AXES,
        "colormap": "gray",
        "contrast_limits": (float(low), float(high) if high > low else float(low) + 1),
        "visible": opened.is_first,
        "metadata": {METADATA: opened},
    }
    return stack, attributes, "image"


def holds_images(folder: Path) -> bool:
    """Whether a folder seems to hold DICOM or NIfTI; looks at a few files only."""
    return any(
        path.name.lower().endswith((".nii", ".nii.gz")) or _is_dicom(path)
        for path in _first_files(folder)
    )


def _is_dicom(path: Path) -> bool:
    """Whether a file starts as DICOM files do; those without a preamble are opened by name."""
    try:
        with path.open("rb") as file:
            file.seek(_PREAMBLE_BYTES)
            return file.read(len(_DICOM_MARK)) == _DICOM_MARK
    except OSError:
        return False


def _first_files(folder: Path) -> Iterator[Path]:
    waiting, seen = [folder], 0
    while waiting and seen < SNIFFED_FILES:
        for path in sorted(waiting.pop(0).iterdir()):
            if path.is_dir():
                waiting.append(path)
                continue
            seen += 1
            if seen > SNIFFED_FILES:
                return
            yield path
